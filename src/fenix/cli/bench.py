"""`fenix bench`: how good the planner is, against lower bounds and against other policies."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fenix.cli.errors import CommandFailed, reported
from fenix.cli.parameters import AsJson

if TYPE_CHECKING:
    from fenix.simulation.bench import Job, PlanRun, Run


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("bench")(bench)


def bench(
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Scenarios of each case.")] = 3,
    family: Annotated[
        list[str] | None,
        typer.Option(metavar="FAMILY", help="Only this family; may be repeated."),
    ] = None,
    workflow: Annotated[str, typer.Option(metavar="NAME", help="What is measured.")] = "vnf",
    policy: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Compare with this; may be repeated. Default: all."),
    ] = None,
    no_policies: Annotated[
        bool, typer.Option("--no-policies", help="Compare with nothing.")
    ] = False,
    large: Annotated[
        bool,
        typer.Option(
            "--large", help="Also 1000 hosts, policies in all sizes, and a plan of 5000 hosts."
        ),
    ] = False,
    processes: Annotated[int, typer.Option(min=1, max=256, help="Runs at one time.")] = 1,
    load: Annotated[
        bool,
        typer.Option("--load", help="Instead: the service itself, as real processes under load."),
    ] = False,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="With --load: an empty database on MariaDB or PostgreSQL. Default: SQLite, and "
            "one process.",
        ),
    ] = None,
    hosts: Annotated[
        int | None,
        typer.Option(min=10, max=5000, help="With --load: hosts, and all else in proportion."),
    ] = None,
    as_json: AsJson = False,
    docs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the documentation's page.")
    ] = None,
) -> None:
    """Measure a workflow on simulated clouds, or the service under load.

    Exit code 0 only if the workflow has carried out all maintenances without a violation, or the
    service has kept to its bounds.
    """
    if load:
        from fenix.cli.load.command import run_load

        run_load(database, hosts, as_json, docs)
        return
    from fenix.simulation.bench import jobs
    from fenix.simulation.generate import DESCRIPTIONS
    from fenix.simulation.policies import POLICIES

    _known("--family", family or (), DESCRIPTIONS)
    _known("--policy", policy or (), POLICIES)
    policies = [] if no_policies else [name for name in POLICIES if name in (policy or POLICIES)]
    wanted = jobs(family or (), seeds, workflow, policies, large)
    runs = _all(wanted, processes)
    plans = _plans() if large and not family else []
    if as_json:
        typer.echo(json.dumps([asdict(run) for run in runs], indent=2))
    else:
        _show(runs, plans, workflow, policies)
    if docs:
        from fenix.cli.measuring import where
        from fenix.simulation.bench_page import kept_section, page

        with reported(OSError):
            text = page(runs, workflow, policies, str(docs), plans, where())
            old = docs.read_text(encoding="utf-8") if docs.exists() else ""
            docs.write_text(text + kept_section(old), encoding="utf-8")
    bad = [run for run in runs if run.workflow == workflow and (run.violations or not run.done)]
    if bad:
        raise CommandFailed(f"{len(bad)} runs of workflow {workflow} did not go well")


def _known(option: str, given: Iterable[str], allowed: Collection[str]) -> None:
    for name in given:
        if name not in allowed:
            raise typer.BadParameter(f"{option}: {name!r} is none of {', '.join(allowed)}")


def _all(wanted: Sequence["Job"], processes: int) -> list["Run"]:
    """Runs everything, each in a process of its own, so that memory is told for each."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from fenix.cli.bench_run import be_quiet, measure

    context = get_context("spawn")
    with (
        _progress(len(wanted)) as advance,
        ProcessPoolExecutor(processes, context, be_quiet, max_tasks_per_child=1) as pool,
    ):
        found = []
        for run in pool.map(measure, wanted):
            found.append(run)
            advance(f"{run.family}-{run.size}-{run.seed}, {run.workflow}")
        return found


def _plans() -> list["PlanRun"]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from fenix.cli.bench_run import be_quiet, measure_plan
    from fenix.simulation.bench import PlanJob

    with ProcessPoolExecutor(1, get_context("spawn"), be_quiet) as pool:
        return list(pool.map(measure_plan, [PlanJob()]))


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    """Shows on a terminal how many runs have ended."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("simulating", total=total)
        yield lambda ended: bar.update(task, advance=1, description=ended)


def _show(
    runs: Sequence["Run"], plans: Sequence["PlanRun"], workflow: str, policies: Sequence[str]
) -> None:
    from fenix.cli.output import console, table
    from fenix.simulation.bench_tables import comparison, costs, problems, results

    shown = console()
    grids = [results(runs, workflow)]
    if policies:
        grids.append(comparison(runs, workflow, policies))
    if (told := costs(runs, plans, workflow)).rows:
        grids.append(told)
    for grid in grids:
        made = table(grid.title, grid.columns, grid.rows)
        for column in made.columns[1:]:
            column.justify = "right"
        shown.print(made)
    for line in problems(runs):
        shown.print(line, style="red", markup=False)
