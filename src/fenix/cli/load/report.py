"""What a load has shown, as tables for the terminal and for the documentation."""

from fenix.cli.load.measure import Measured
from fenix.cli.load.shape import MOVE_SECONDS
from fenix.simulation.bench_page import LOAD, kept_section
from fenix.simulation.bench_tables import NOTHING, Grid

BOUND = 500.0
"""MiB that an engine may need for the largest session that is measured."""

SECTION = """\
{head}

What the service bears, measured by `fenix bench --load` with real processes on loopback{where}:
the database is {database}, and API and engine {how}.

{calls}

{facts}

* Latencies are those that one client process sees, which shares the machine with all others. At
  most {clients} calls are under way at one time; reads come one after the other.
* The burst answers messages that are really pending: {sessions} sessions ask each of {projects}
  projects, and all answer at once. Each answer was counted, and once.
* The large session has {hosts:,} hosts and {instances:,} instances, no actions, moves of
  {move_seconds:g} s, and managers that answer at once. It was listed and shown at its end.
* *First byte* is the time until the answer begins.
"""


def calls_grid(found: Measured) -> Grid:
    """Requests a second and latencies of each kind of call."""
    columns = ("call", "calls", "calls/s", "p50 ms", "p95 ms", "p99 ms", "longest ms")
    rows = [
        [
            one.what,
            f"{len(one.seconds):,}",
            f"{one.rate:,.0f}" if one.rate >= 10 else f"{one.rate:.2f}",
            *(f"{1000 * one.at(share):,.1f}" for share in (0.5, 0.95, 0.99, 1.0)),
        ]
        for one in found.calls
        if one.seconds
    ]
    return Grid(f"Load, {found.database}", columns, rows)


def facts_grid(found: Measured) -> Grid:
    """The rest."""
    rows = [
        ["from the burst's begin until the engine has taken all replies", f"{found.taken_s:.1f} s"],
        ["the large session", f"{found.state}, {found.percent} % after {found.session_s:.0f} s"],
        ["its detail", f"{found.detail_bytes / 1024 / 1024:.1f} MiB"],
        *([f"{name} in it", f"{count:,}"] for name, count in found.rows.items() if count),
        *(
            [f"most memory of `fenix {name}`", NOTHING if most is None else f"{most:.0f} MiB"]
            for name, most in found.memory.items()
        ),
    ]
    return Grid("", ("what", "how much"), rows)


def problems(found: Measured) -> list[str]:
    """What is not as it must be."""
    said = list(found.problems)
    for name, most in found.memory.items():
        if name != "api" and most is not None and most > BOUND:
            said.append(f"fenix {name} had {most:.0f} MiB; allowed: {BOUND:.0f} MiB")
    return said


def section(found: Measured, where: str) -> str:
    """The section of the documentation's page.

    Args:
        where: on which machine and of which version, as the end of a sentence.
    """
    shape = found.shape
    return SECTION.format(
        head=LOAD,
        where=where,
        database=found.database,
        how="share one process" if "serve" in found.memory else "are a process each",
        clients=shape.clients,
        calls=calls_grid(found).markdown(),
        facts=facts_grid(found).markdown(),
        sessions=shape.sessions,
        projects=shape.projects,
        hosts=shape.hosts,
        instances=shape.instances,
        move_seconds=MOVE_SECONDS,
    )


def with_section(page: str, section: str) -> str:
    """A page with this section about the load in the place of the one that it has."""
    return page.removesuffix(kept_section(page)).rstrip("\n") + "\n\n" + section
