"""`fenix simulate`: a scenario in virtual time, by the real engine and the real workflow."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fenix.cli.errors import CommandFailed, reported

if TYPE_CHECKING:
    from fenix.cli.measuring import Cost
    from fenix.simulation.report import Report
    from fenix.simulation.running import Outcome
    from fenix.simulation.scenario import Scenario

WRONG_INPUT = 2
"""The exit code for a file that is no scenario, as for any wrong usage."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("simulate")(simulate)


def simulate(
    scenario_file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The scenario, as YAML or JSON.")
    ],
    workflow: Annotated[
        str | None, typer.Option(metavar="NAME", help="An installed workflow, not the scenario's.")
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="To compare: serial, drain or batch, not a workflow."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Seed for the report, not the scenario's: nothing in a simulation is random."
        ),
    ] = None,
    events: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what truly happened, as JSON lines.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the numbers, as JSON.")
    ] = None,
) -> None:
    """Simulate a maintenance in virtual time.

    Exit code 0 only if all of it was done and nothing happened that must not.
    """
    from fenix.cli.measuring import measured
    from fenix.simulation.report import report_of, with_choices

    if workflow and policy:
        raise typer.BadParameter("either --workflow or --policy")
    scenario = with_choices(load_scenario(scenario_file), policy or workflow, seed)
    for path in filter(None, (events, report)):
        if not path.parent.is_dir():
            raise CommandFailed(f"{path}: there is no directory {path.parent}")
    with measured() as cost:
        outcome = _run(scenario, policy)
    result = report_of(outcome)
    with reported(OSError):
        if events:
            outcome.stage.log.write(events)
        if report:
            report.write_text(_json(result, cost), encoding="utf-8")
    _show(result, cost)
    if not result.good:
        raise typer.Exit(1)


def load_scenario(path: Path) -> "Scenario":
    from fenix.simulation.loading import BadScenario, load

    try:
        return load(path)
    except OSError as error:
        typer.echo(f"fenix: {path}: {error.strerror}", err=True)
    except BadScenario as error:
        typer.echo(f"fenix: {error}", err=True)
    raise typer.Exit(WRONG_INPUT)


def _run(scenario: "Scenario", policy: str | None) -> "Outcome":
    from fenix.clouds import CloudError
    from fenix.domain import InvalidField
    from fenix.simulation import clock
    from fenix.simulation.policies import POLICIES
    from fenix.simulation.running import simulate as run
    from fenix.workflows import registry

    if policy is not None and policy not in POLICIES:
        raise typer.BadParameter(f"--policy: {policy!r} is none of {', '.join(POLICIES)}")
    try:
        with _progress(scenario) as look, registry.lent(POLICIES if policy else {}):
            return clock.run(run(scenario, observers=[look]))
    except ExceptionGroup as errors:
        if refused := errors.subgroup(InvalidField):
            raise typer.BadParameter(str(refused.exceptions[0])) from errors
        if broken := errors.subgroup(CloudError):
            raise CommandFailed(f"a simulated manager: {broken.exceptions[0]}") from errors
        if errors.subgroup(TimeoutError):
            raise CommandFailed("the session does not end: given up after 30 days") from errors
        raise


@contextmanager
def _progress(scenario: "Scenario") -> Iterator[Callable[[dict[str, Any]], None]]:
    """Shows on a terminal how many hosts are done; gives what has to be told each event."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("hosts, {task.fields[clock]} virtual"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(scenario.name, total=len(scenario.session_hosts), clock="0:00:00")

        def look(event: dict[str, Any]) -> None:
            if event["event"] == "host.maintenance.finished":
                bar.update(task, advance=1, clock=_clock(event["t"]))

        yield look


def _json(result: "Report", cost: "Cost") -> str:
    return json.dumps(result.as_json(cost.wall_s, cost.peak_memory_mb), indent=2) + "\n"


def _show(result: "Report", cost: "Cost") -> None:
    from rich.text import Text

    from fenix.cli.output import console, table

    ratio = "" if result.ratio is None else f"{result.ratio:.3f} times the bound"
    rows = [
        ("state", result.state, result.reason),
        ("session", f"{result.total_s:,.0f} s", "from the start to the end, virtual"),
        ("makespan", f"{result.makespan_s:,.0f} s", ratio),
        ("lower bound", f"{result.bound.seconds:,.0f} s", result.bound.sentence),
        ("moves", result.moves, f"at least {result.moves_lower_bound}"),
        ("scaled in", result.scaled_in, "instances that applications gave back"),
        ("hosts at one time", result.peak_hosts_in_maintenance, "in maintenance, at most"),
        ("messages", result.messages, ""),
        ("cloud calls", sum(result.cloud_calls.values()), _kinds(result.cloud_calls)),
        ("cost", f"{cost.wall_s:.1f} s", f"real time; {cost.peak_memory_mb:.0f} MiB at most"),
    ]
    shown = console()
    summary = table(f"{result.scenario}, {result.workflow}", ("what", "how much", "why"), rows)
    summary.show_header = False
    shown.print(summary)
    for violation in result.violations:
        shown.print(Text(f"✗ {violation}", style="bold red"))
    if not result.violations:
        shown.print(Text("No violations.", style="green" if result.good else ""))


def _kinds(calls: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(calls.items()))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
