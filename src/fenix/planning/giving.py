"""Whom to ask for capacity: as few projects as will do, in as few rounds as possible.

A message asks to scale in; how much a project gives is its own choice (wire contract, "Messages").
So the first round rests on a guess, and later ones on what was given before.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from fenix.domain import Instance, Resources, total

GUESS = 1 / 3
"""The part of its instances that a project is assumed to give when nothing is known yet."""


def whom_to_ask(
    instances: Mapping[str, Sequence[Instance]],
    willing: Iterable[str],
    lacking: Resources,
    given: Mapping[str, Resources],
) -> list[str]:
    """The projects to ask in the next round: the largest first, those that were asked before last.

    Args:
        instances: what each project has.
        willing: ids of projects that can be asked and have not refused.
        lacking: how much is needed.
        given: what each project that was asked before has given, also if that is nothing.

    Returns:
        Ids of projects; empty: there is nobody left to ask.
    """
    has = {ident: total([one.size for one in on]) for ident, on in instances.items()}
    order = sorted(
        (ident for ident in willing if ident in has),
        key=lambda ident: (_asked(given.get(ident)), -has[ident].vcpus, ident),
    )
    if not given:
        return order[: _enough([_scaled(has[ident], GUESS) for ident in order], lacking)]
    usual = _scaled(total(list(given.values())), 1 / len(given))
    if not any(usual):
        return order[: 2 * len(given)]
    # Rounded, not up: a little less may do, and another round costs less than giving too much.
    return order[: max(1, round(_times(lacking, usual)))]


def _asked(gift: Resources | None) -> int:
    """How late a project's turn is: it has not been asked yet, has given, or gave nothing."""
    return 0 if gift is None else 1 if any(gift) else 2


def _scaled(amount: Resources, factor: float) -> Resources:
    return Resources(*(int(part * factor) for part in amount))


def _enough(gifts: Sequence[Resources], lacking: Resources) -> int:
    """How many of the gifts it takes, taken in their order; at least one."""
    sum_so_far = Resources()
    for count, gift in enumerate(gifts, start=1):
        sum_so_far = sum_so_far.plus(gift)
        if lacking.fits(sum_so_far):
            return count
    return max(1, len(gifts))


def _times(lacking: Resources, usual: Resources) -> float:
    """How many usual gifts it takes in the resource that needs most of them."""
    needed = [part / whole for part, whole in zip(lacking, usual, strict=True) if whole]
    return max(needed, default=math.inf) if any(lacking) else 1.0
