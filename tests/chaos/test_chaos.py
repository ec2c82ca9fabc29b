"""A little chaos: real engines over real servers that are killed, frozen and restarted.

How soon others go on is measured by `make chaos`, which has the machine for itself.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.attacks import Attacks, Report
from tests.chaos.playing import lines, play

pytestmark = pytest.mark.services

SLACK = 60.0


def kills_and_a_freeze(attacks: Attacks) -> None:
    for _ in range(5):
        attacks.kill()
    attacks.freeze()
    attacks.stop()


def servers_restart(attacks: Attacks) -> None:
    attacks.restart_database(4.0)
    attacks.restart_rabbitmq(3.0)


@pytest.mark.parametrize(
    ("kind", "attack", "rabbitmq"),
    [
        ("mariadb", kills_and_a_freeze, False),
        ("postgresql", kills_and_a_freeze, False),
        ("mariadb", servers_restart, True),
        ("postgresql", servers_restart, True),
    ],
)
def test_nothing_is_lost_or_done_twice(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    attack: Callable[[Attacks], None],
    rabbitmq: bool,
) -> None:
    report = Report(SLACK)
    play(kind, tmp_path, attack, report, seed=1, rabbitmq=rabbitmq)
    with capsys.disabled():
        print(f"\n{kind}:", *lines(report), sep="\n  ")  # noqa: T201
    assert report.problems == []
