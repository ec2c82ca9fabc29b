"""Pages put together are the whole lists, in the same order, wherever a page ends."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection

from fenix.domain import ActionState, DeliveryState, HostState, MoveState
from fenix.store import Database, messages, pages, progress
from tests.factories import (
    at,
    make_action,
    make_host,
    make_instance,
    make_message,
    make_move,
    make_project,
)
from tests.store.running import read, write_all

S = "session-1"
NAMES = ["Compute-1", "Straße", "Strasse", "a", "a\u0308", "compute-1", "compute-10", "ä", "Ä", "z"]
SIZES = [1, 3, len(NAMES), len(NAMES) + 1]

Page = Callable[..., Sequence[Any]]
Listing = Callable[[Connection, str], Sequence[Any]]


def paged(database: Database, page: Page, size: int) -> list[Any]:
    """All pages of session S, each of which must be full but the last one."""
    found: list[Any] = []
    while True:
        last = found[-1] if found else None
        rows = read(database, partial(page, session_id=S, after=last, limit=size))
        found += rows
        assert len(rows) <= size
        if len(rows) < size:
            return found


@pytest.fixture
def filled(database: Database) -> Database:
    """A session with ten of each kind, and another one with the same."""
    for session in (S, "session-2"):
        for number, name in enumerate(NAMES):
            # Some begin at the same moment: then their keys decide.
            start, failed = at(number // 4), number % 3 == 0
            host_state = HostState.FAILED if failed else HostState.PENDING
            action = make_action(
                name,
                started_at=start,
                log=f"{name} " * 50,
                state=ActionState.FAILED if failed else ActionState.DONE,
            )
            move_state = MoveState.FAILED if failed else MoveState.DONE
            write_all(
                database,
                progress.save_host(session, make_host(name, state=host_state)),
                progress.save_instance(session, make_instance(name)),
                progress.save_project(session, make_project(name)),
                progress.save_move(session, make_move(name, started_at=start, state=move_state)),
                progress.save_action(session, action, "executor-1"),
                messages.add(
                    session,
                    make_message(number + 1, key=name),
                    [("http", f"target-{target}") for target in range(number % 3)],
                ),
            )
    return database


KINDS: dict[str, tuple[Page, Listing]] = {
    "hosts": (pages.hosts, progress.list_hosts),
    "instances": (pages.instances, progress.list_instances),
    "projects": (pages.projects, progress.list_projects),
    "moves": (pages.moves, progress.list_moves),
}


@pytest.mark.parametrize("size", SIZES)
def test_pages_are_the_whole(filled: Database, size: int) -> None:
    for page, listing in KINDS.values():
        whole = list(read(filled, lambda c, listing=listing: listing(c, S)))  # type: ignore[misc]
        assert len(whole) == len(NAMES)
        assert paged(filled, page, size) == whole


@pytest.mark.parametrize("size", SIZES)
def test_messages_come_with_their_deliveries(filled: Database, size: int) -> None:
    found = paged(filled, pages.messages, size)
    assert [one for one, _ in found] == read(filled, lambda c: messages.list_messages(c, S))
    deliveries = [delivery for _, mine in found for delivery in mine]
    assert deliveries == read(filled, lambda c: messages.list_deliveries(c, S))
    assert len(deliveries) == 9


def test_the_end_of_a_log(filled: Database) -> None:
    whole = read(filled, lambda c: progress.list_actions(c, S))
    for length in (0, 1, 20, 10_000):
        page = partial(pages.actions, session_id=S, after=None, limit=100, log_end=length)
        found = read(filled, page)
        assert [run.id for run, _ in found] == [run.id for run, _ in whole]
        for (run, executor), (full, _) in zip(found, whole, strict=True):
            assert (run.log, executor) == (full.log[-length:] if length else "", "executor-1")


@pytest.mark.parametrize("size", SIZES)
def test_only_those_that_failed(filled: Database, size: int) -> None:
    def failed(page: Any, state: Any) -> Page:
        return partial(page, state=state)

    for page, state, listing in (
        (pages.hosts, HostState.FAILED, progress.list_hosts),
        (pages.moves, MoveState.FAILED, progress.list_moves),
    ):
        whole: list[Any] = read(filled, partial(listing, session_id=S))
        wanted = [one for one in whole if one.state is state]
        assert paged(filled, failed(page, state), size) == wanted
        assert len(wanted) == 4
    runs = paged(filled, failed(pages.actions, ActionState.FAILED), size)
    assert {run.state for run, _ in runs} == {ActionState.FAILED}
    assert len(runs) == 4


@pytest.mark.parametrize("size", SIZES)
def test_deliveries_that_were_given_up(filled: Database, size: int) -> None:
    assert paged(filled, pages.given_up, size) == []
    write_all(filled, lambda c: messages.give_up(c, S, "nobody there", at(99)))
    found = paged(filled, pages.given_up, size)
    assert found == read(filled, lambda c: messages.list_deliveries(c, S))
    assert {one.state for one in found} == {DeliveryState.GIVEN_UP}
