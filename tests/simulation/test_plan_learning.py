"""A plan assumes what earlier sessions took, where enough of them are known."""

from fenix.domain.assumptions import Assumptions
from fenix.simulation.plan_learning import learn

ASSUME = Assumptions(host_seconds=100.0, live_migration_seconds=10.0, migration_seconds=60.0)


def test_the_median_of_enough_cases_counts() -> None:
    measured = {"host_seconds": [5.0] * 9, "live_migration_seconds": [1.0, 500.0, *[8.0] * 9]}
    found, told = learn(ASSUME, measured, ())
    assert found.host_seconds == 100
    assert (found.live_migration_seconds, found.live_migration_seconds_per_gib) == (8, 0)
    assert (found.migration_seconds, found.migration_seconds_per_gib) == (60, 1)
    assert told == (
        "The work on a host takes as long as is configured: 9 cases of earlier sessions are known, "
        "fewer than 10.",
        "A live migration takes 8 s, the median of 11 cases of earlier sessions.",
        "A cold migration takes as long as is configured: 0 cases of earlier sessions are known, "
        "fewer than 10.",
    )


def test_what_the_request_says_stays() -> None:
    measured = {"host_seconds": [5.0] * 20, "live_migration_seconds": [8.0] * 20}
    chosen = ("host_seconds", "live_migration_seconds_per_gib")
    found, told = learn(ASSUME, measured, chosen)
    assert found == ASSUME
    assert told[0] == "The work on a host takes as long as the request says."
