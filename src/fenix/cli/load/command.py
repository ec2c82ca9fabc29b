"""Puts the load on the service, and shows and writes down what was measured."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from fenix.cli.errors import CommandFailed, reported
from fenix.cli.load.measure import Measured, Tell, measure
from fenix.cli.load.report import calls_grid, facts_grid, problems, section, with_section
from fenix.cli.load.shape import Shape
from fenix.cli.measuring import where
from fenix.cli.output import console, table
from fenix.service import CannotStart


def run_load(database: str | None, hosts: int | None, as_json: bool, docs: Path | None) -> None:
    """See `fenix.cli.bench.bench`.

    Raises:
        CommandFailed: a process ended, a call was refused, or a bound was not kept.
    """
    shape = Shape.of_hosts(hosts) if hosts else Shape()
    with reported(CannotStart, OSError), _telling() as tell:
        found = measure(shape, database, tell)
    if as_json:
        typer.echo(json.dumps(_numbers(found), indent=2))
    else:
        for grid in (calls_grid(found), facts_grid(found)):
            made = table(grid.title, grid.columns, grid.rows)
            for column in made.columns[1:]:
                column.justify = "right"
            console().print(made)
    if docs:
        with reported(OSError):
            old = docs.read_text(encoding="utf-8") if docs.exists() else "# Benchmarks\n"
            docs.write_text(with_section(old, section(found, where())), encoding="utf-8")
    if bad := problems(found):
        raise CommandFailed("; ".join(bad))


def _numbers(found: Measured) -> dict[str, Any]:
    calls = {
        one.what: {
            "calls": len(one.seconds),
            "per_second": one.rate,
            **{f"p{round(100 * share)}_s": one.at(share) for share in (0.5, 0.95, 0.99, 1.0)},
        }
        for one in found.calls
        if one.seconds
    }
    return asdict(found) | {"calls": calls}


@contextmanager
def _telling() -> Iterator[Tell]:
    """Shows on a terminal what is done."""
    shown = Console(stderr=True)
    if not shown.is_terminal:
        yield lambda _: None
        return
    with shown.status("") as status:
        yield lambda text: status.update(text)
