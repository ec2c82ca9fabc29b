"""Plays attacks in a landscape of their own, and tells how it went."""

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.chaos import truth
from tests.chaos.attacks import Attacks, Report
from tests.chaos.landscape import landscape


def play(
    kind: str,
    directory: Path,
    attack: Callable[[Attacks], None],
    report: Report,
    *,
    seed: int,
    rabbitmq: bool = False,
) -> None:
    """Attacks, lets all sessions come to their end, and looks for what must not be."""
    with landscape(kind, directory, rabbitmq=rabbitmq) as place:
        attack(Attacks(place, report, seed))
        place.finish()
        place.stop()
        report.problems += truth.problems(place)
        report.sessions += sum(len(made) for made in place.created.values())
        report.doubled += truth.doubled(place)


def lines(report: Report) -> Iterator[str]:
    """The report for people."""
    for kind, count in report.count.items():
        took = report.took.get(kind, [])
        times = "no session had to be taken over"
        if took:
            low, middle, high = min(took), statistics.median(took), max(took)
            times = f"{len(took)} times: {low:.2f} / {middle:.2f} / {high:.2f} s"
        yield f"{kind}: {count}; min / median / max of {times}"
    yield f"{report.sessions} sessions; {report.doubled} messages came twice, under the same id"
    yield f"{len(report.problems)} violations"
    yield from (f"  {problem}" for problem in report.problems)
