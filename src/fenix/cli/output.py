"""What commands print: tables for people, JSON for programs."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 200
"""Columns where nobody's terminal says how many there are."""

LONGEST_NAME = 36
"""Characters of a name that are shown on one line; an id has as many."""


def console() -> Console:
    """Where tables go; wide in a pipe, so that nothing is folded for `grep`."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def waiting(what: str) -> Status:
    """A sign of life for somebody at a terminal, as long as the block lasts."""
    return Console(stderr=True).status(f"{what} …")


def print_json(value: Any) -> None:
    """Prints a value for programs."""
    typer.echo(json.dumps(value, indent=2))


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    one_line: bool = False,
) -> Table:
    """A table; cells that are no `Text` yet are shown as they are, None as nothing.

    Args:
        one_line: no borders, and each row on one line, however long its texts are.
    """
    made = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    cells = [[_cell(value) for value in row] for row in rows]
    if one_line:
        made.box = None
    for number, column in enumerate(columns):
        widest = max((len(row[number]) for row in cells), default=0)
        made.add_column(
            column,
            overflow="ellipsis" if one_line else "fold",
            no_wrap=one_line,
            # What is cut is the last column, where the sentences are.
            min_width=min(widest, LONGEST_NAME) if one_line and number < len(columns) - 1 else None,
        )
    for row in cells:
        made.add_row(*row)
    return made


def _cell(value: object) -> Text:
    if isinstance(value, Text):
        return value
    return Text("" if value is None else str(value))


def clock(time: str | None) -> str:
    """The time of day of a time of the API's."""
    return time.partition("T")[2] if time else ""
