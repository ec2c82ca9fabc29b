"""The rule between looking, renewing and leases (patroni's: loop and retries fit the lease)."""

from itertools import product

import pytest

from fenix.engine import EngineSettings
from fenix.store.leases import MARGIN, shortest


@pytest.mark.parametrize(("loop", "retry", "lease"), [(1, 3, 14), (1, 3, 15), (0.2, 1, 4.4)])
def test_a_lease_that_is_long_enough(loop: float, retry: float, lease: float) -> None:
    made = EngineSettings(loop_interval=loop, retry_timeout=retry, lease_seconds=lease)
    assert made.lease_seconds == lease


@pytest.mark.parametrize(("loop", "retry", "lease"), [(1, 3, 13.9), (30, 3, 60), (1, 5, 15)])
def test_a_shorter_one_is_refused(loop: float, retry: float, lease: float) -> None:
    with pytest.raises(ValueError, match=f"lease_seconds: {lease} is not valid; allowed: at least"):
        EngineSettings(loop_interval=loop, retry_timeout=retry, lease_seconds=lease)


def test_one_renewal_may_fail_in_the_shortest_lease() -> None:
    """It begins at a third, takes all its time, and another one follows a loop later."""
    for loop, retry in product((0.05, 1, 10, 60), (0.05, 1, 3, 60)):
        lease = shortest(loop, retry)
        assert lease / 3 + retry + loop + retry <= MARGIN * lease
