"""The rule between looking and leases (patroni's: loop and retries stay below the lease)."""

import pytest

from fenix.engine import EngineSettings


@pytest.mark.parametrize(("loop", "lease"), [(1, 3), (1, 15), (30, 90)])
def test_a_lease_of_three_looks_is_long_enough(loop: float, lease: float) -> None:
    assert EngineSettings(loop_interval=loop, lease_seconds=lease).lease_seconds == lease


@pytest.mark.parametrize(("loop", "lease"), [(1, 2.9), (30, 15)])
def test_a_shorter_one_is_refused(loop: float, lease: float) -> None:
    with pytest.raises(ValueError, match=f"lease_seconds: {lease} is not valid; allowed: at least"):
        EngineSettings(loop_interval=loop, lease_seconds=lease)
