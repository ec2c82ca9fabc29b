"""`make chaos`: all attacks, as often as told, and a report."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from tests.chaos.attacks import Attacks, Report
from tests.chaos.playing import lines, play

AWAY = 60.0
"""Longest time in seconds for which a database is away."""
RABBIT_AWAY = 30.0
SLACK = 2.0


def main() -> int:
    """Returns 1 if something happened that must not."""
    options = _arguments()
    # So that nothing goes on running when it is told to stop.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    console = Console(highlight=False, soft_wrap=True)
    report = Report(SLACK)

    def times(number: int, attack: Callable[[Attacks], None]) -> Callable[[Attacks], None]:
        def all_of_them(attacks: Attacks) -> None:
            for one in range(number):
                known = len(report.problems)
                attack(attacks)
                last = ", ".join(f"{kind} {took[-1]:.1f} s" for kind, took in report.took.items())
                console.print(f"  {one + 1} of {number}: {last}")
                for problem in report.problems[known:]:
                    console.print(f"    {problem}")

        return all_of_them

    plays: list[tuple[str, str, Callable[[Attacks], None], bool]] = []
    parts = len(options.databases)
    for kind in options.databases:
        away = partial(Attacks.restart_database, longest=options.away)
        plays += [
            (f"kill -9 over {kind}", kind, times(options.kills // parts, Attacks.kill), False),
            (f"SIGSTOP over {kind}", kind, times(options.freezes // parts, Attacks.freeze), False),
            (f"SIGTERM over {kind}", kind, times(options.stops // parts, Attacks.stop), False),
            (f"restarts of {kind}", kind, times(options.restarts // parts, away), False),
        ]
    rabbit = partial(Attacks.restart_rabbitmq, longest=RABBIT_AWAY)
    plays.append(
        ("restarts of RabbitMQ", options.databases[0], times(options.restarts, rabbit), True)
    )
    for number, (title, kind, attack, rabbitmq) in enumerate(plays):
        if options.only and options.only not in title:
            continue
        console.print(title)
        with tempfile.TemporaryDirectory(prefix="fenix-chaos-") as directory:
            play(
                kind, Path(directory), attack, report, seed=options.seed + number, rabbitmq=rabbitmq
            )
        for line in lines(report):
            console.print(f"  {line}")
    return 1 if report.problems else 0


def _arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--freezes", type=int, default=20)
    parser.add_argument("--stops", type=int, default=10)
    parser.add_argument("--restarts", type=int, default=20, help="of databases, and of RabbitMQ")
    parser.add_argument("--away", type=float, default=AWAY, help="longest, in seconds")
    parser.add_argument("--databases", nargs="+", default=["mariadb", "postgresql"])
    parser.add_argument("--only", default="", help="a part of a title")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
