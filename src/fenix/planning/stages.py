"""Where each host stands in the rolling, and which hosts stand where, however many there are."""

from fenix.planning.tasks import HostStage


class Stages:
    """The stage of each host of a session."""

    def __init__(self) -> None:
        self._of: dict[str, HostStage] = {}
        self._at: dict[HostStage, dict[str, None]] = {stage: {} for stage in HostStage}

    def __setitem__(self, host: str, stage: HostStage) -> None:
        if before := self._of.get(host):
            del self._at[before][host]
        self._of[host] = stage
        self._at[stage][host] = None

    def __getitem__(self, host: str) -> HostStage:
        return self._of[host]

    def get(self, host: str) -> HostStage | None:
        """The stage of a host; None: it is not one of the session's."""
        return self._of.get(host)

    def at(self, *stages: HostStage) -> list[str]:
        """The hosts at some stages, each stage's in the order in which they came to it."""
        return [host for stage in stages for host in self._at[stage]]

    def count(self, *stages: HostStage) -> int:
        """How many hosts are at some stages."""
        return sum(len(self._at[stage]) for stage in stages)
