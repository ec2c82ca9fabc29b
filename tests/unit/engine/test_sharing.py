"""Which sessions an engine takes and gives: decisions over what the tables show."""

from datetime import datetime
from typing import Any

from fenix.engine import EngineSettings
from fenix.engine.sharing import Choice, Sharing
from fenix.store import EngineRow, Lease
from fenix.store.leases import View

SETTINGS = EngineSettings(machine="here", loop_interval=1.0, lease_seconds=15.0)
LONG_AGO = datetime(2030, 1, 1)


class Table:
    """What an engine sees, as it changes."""

    def __init__(self, sessions: int, *others: str, **machines: str) -> None:
        self.sharing = Sharing("me", SETTINGS)
        self.leases = {f"s{n}": Lease(f"s{n}", None, 0, 0) for n in range(sessions)}
        self.beats = dict.fromkeys(others, 0)
        self.machines = machines
        self.now = 0.0

    def own(self, owner: str | None, *sessions: str) -> None:
        for ident in sessions:
            self.leases[ident] = Lease(ident, owner, 1, 0)

    def look(self, seconds: float = 0.0, silent: tuple[str, ...] = ()) -> Choice:
        """Looks each second; all engines but the silent ones renew."""
        for _ in range(int(seconds)):
            self.now += 1.0
            self._beat(silent)
            choice = self._choose()
        return choice if seconds else self._choose()

    def _beat(self, silent: tuple[str, ...]) -> None:
        for name in set(self.beats) - set(silent):
            self.beats[name] += 1
        for ident, one in self.leases.items():
            if one.owner and one.owner not in silent:
                self.leases[ident] = Lease(ident, one.owner, one.epoch, one.beat + 1)

    def _choose(self) -> Choice:
        engines = [
            EngineRow(name, f"there-{name}", 1, "1", LONG_AGO, LONG_AGO, beat)
            for name, beat in self.beats.items()
        ]
        mine = [ident for ident, one in self.leases.items() if one.owner == "me"]
        view = View(list(self.leases.values()), engines, self.machines)
        return self.sharing.choose(view, mine, self.now)


def names(found: Any) -> list[str]:
    return [lease.session_id for lease in found]


def test_an_engine_alone_takes_all() -> None:
    choice = Table(3).look()
    assert (choice.share, names(choice.within)) == (3, ["s0", "s1", "s2"])


def test_each_of_several_takes_its_part() -> None:
    assert Table(7, "a", "b").look().share == 3


def test_what_others_leave_for_a_loop_is_taken_by_whoever_comes() -> None:
    table = Table(2, "a")
    assert names(table.look().beyond) == []
    assert names(table.look(1).beyond) == ["s0", "s1"]


def test_a_lease_that_is_renewed_is_left_alone() -> None:
    table = Table(1, "a")
    table.own("a", "s0")
    for _ in range(100):
        choice = table.look(1)
        assert not choice.within
        assert not choice.beyond


def test_a_silent_owner_is_replaced_after_its_lease_and_counts_no_more() -> None:
    table = Table(4, "a", "b")
    table.own("a", "s0", "s1")
    table.own("b", "s2")
    table.own("me", "s3")
    table.look()
    choice = table.look(14, silent=("a",))
    assert not choice.within
    assert choice.share == 2
    choice = table.look(1, silent=("a",))
    assert names(choice.within) == ["s0", "s1"]
    assert choice.share == 2, "of two engines"


def test_engines_that_were_killed_long_ago_stop_counting() -> None:
    table = Table(4, "a", "b", "c")
    assert table.look().share == 1
    assert table.look(15, silent=("a", "b", "c")).share == 4


def test_nobody_is_replaced_for_silence_while_the_database_was_away() -> None:
    table = Table(1, "a")
    table.own("a", "s0")
    table.look()
    table.look(14, silent=("a",))
    table.sharing.forget()
    assert not table.look(15, silent=("a",)).within
    assert table.look(1, silent=("a",)).within


def test_one_of_ours_that_nobody_works_on_is_taken_at_once() -> None:
    table = Table(1, "a", "b")
    table.own("me", "s0")
    view = View(list(table.leases.values()), [], {})
    assert names(table.sharing.choose(view, [], 0.0).beyond) == ["s0"]


def test_too_many_are_given_one_at_a_time_when_another_engine_is_there_to_stay() -> None:
    table = Table(4, "a")
    table.own("me", "s0", "s1", "s2", "s3")
    table.look()
    assert table.look(14).surplus is None
    assert table.look(1).surplus == "s3", "the youngest"
    table.own("a", "s3")
    assert table.look(15).surplus is None
    assert table.look(1).surplus == "s2"
    table.own("a", "s2")
    for _ in range(100):
        assert table.look(1).surplus is None


def test_a_session_with_an_action_under_way_stays_where_its_process_is() -> None:
    table = Table(3, "a", s2="here")
    table.own("me", "s0", "s1", "s2")
    table.look()
    assert table.look(15).surplus == "s1"

    table = Table(1, "a", s0="there-a")
    assert not table.look().within
    assert names(table.look(1).beyond) == ["s0"], "but nobody waits for ever"

    table = Table(1, "a", s0="a-machine-without-an-engine")
    assert names(table.look().within) == ["s0"]
