"""Ready means: reported since this start, mapped, and of the size that was asked for."""

from typing import Any

from devcloud.readiness import Expected, Observed, lacking
from devcloud.settings import HostSize

SIZE = HostSize(4, 8192, 400)
START = "2026-03-01T10:00:00"


def service(binary: str, reported: str | None, state: str = "up", host: str = "c") -> Any:
    return {"binary": binary, "host": host, "state": state, "updated_at": reported}


def check(
    reported: str | None,
    *,
    state: str = "up",
    mapped: bool = True,
    size: HostSize = SIZE,
    started: bool = True,
) -> list[str]:
    """What is lacking for one compute, given its last report."""
    earlier = "2026-03-01T09:00:00.000000"
    services = [service("nova-scheduler", earlier), service("nova-conductor", earlier)]
    services.append(service("nova-compute", reported, state, "compute-1"))
    observed = Observed(services, {"compute-1"} if mapped else set(), {"compute-1": size})
    names = ["nova-compute-1"] if started else []
    return lacking(Expected({"compute-1": SIZE}, names, START), observed)


def test_a_report_from_before_the_start_does_not_count() -> None:
    assert check("2026-03-01T09:59:59.000000") == ["compute-1 is not up"]
    assert check("2026-03-01T10:00:00.000000") == ["compute-1 is not up"]
    assert check("2026-03-01T10:00:01.000000") == []


def test_a_service_that_was_not_started_now_may_have_reported_before() -> None:
    assert check("2026-03-01T09:59:59.000000", started=False) == []


def test_a_new_service_has_no_report_yet() -> None:
    assert check(None) == []


def test_down_unmapped_or_of_another_size_is_not_ready() -> None:
    later = "2026-03-01T10:00:09.000000"
    assert check(later, state="down") == ["compute-1 is not up"]
    assert check(later, mapped=False) == ["compute-1 is not mapped to the cell"]
    (reason,) = check(later, size=HostSize(8, 1, 1))
    assert "vcpus=8" in reason
    assert "vcpus=4" in reason


def test_nothing_known_lacks_everything() -> None:
    reasons = lacking(Expected({"compute-1": SIZE}), Observed([], set(), {}))
    assert [reason.split()[0] for reason in reasons] == [
        "nova-scheduler",
        "nova-conductor",
        "compute-1",
    ]
