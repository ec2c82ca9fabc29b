"""Takes the durations that a plan assumes from what earlier sessions took."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from fenix.domain.assumptions import Assumptions

ENOUGH = 10
"""Of fewer cases nothing is learnt."""

LEARNT: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "host_seconds": ("The work on a host", ()),
    "live_migration_seconds": ("A live migration", ("live_migration_seconds_per_gib",)),
    "migration_seconds": ("A cold migration", ("migration_seconds_per_gib",)),
}
"""For each field that is learnt: what it is, and what is part of it then."""


def learn(
    assume: Assumptions, measured: Mapping[str, Sequence[float]], chosen: Collection[str]
) -> tuple[Assumptions, tuple[str, ...]]:
    """What to assume when it is known what earlier sessions took.

    Args:
        assume: as configured, and as the request chooses.
        measured: durations in seconds, by the field that they are for.
        chosen: the fields that the request chooses itself; they stay.

    Returns:
        What to assume, and a sentence for each duration that says where it is from.
    """
    told = []
    for name, (what, parts) in LEARNT.items():
        cases = measured.get(name, ())
        if {name, *parts} & set(chosen):
            told.append(f"{what} takes as long as the request says.")
        elif len(cases) < ENOUGH:
            told.append(
                f"{what} takes as long as is configured: {len(cases)} cases of earlier sessions "
                f"are known, fewer than {ENOUGH}."
            )
        else:
            took = round(median(cases), 3)
            learnt: dict[str, Any] = {name: took, **dict.fromkeys(parts, 0.0)}
            assume = replace(assume, **learnt)
            told.append(
                f"{what} takes {took:g} s, the median of {len(cases)} cases of earlier sessions."
            )
    return assume, tuple(told)
