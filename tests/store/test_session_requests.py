"""What administrators ask for while a session is worked on, or after it has failed."""

from dataclasses import replace
from typing import Any

import pytest

from fenix.domain import Ending, Session, SessionState
from fenix.store import Database, leases, sessions
from tests.factories import make_session
from tests.store.running import read, write, write_all


def created(database: Database, **fields: Any) -> str:
    session = make_session(**fields)
    write(database, lambda c: sessions.create(c, session))
    return session.id


def stored(database: Database, session_id: str) -> Session:
    session = read(database, lambda c: sessions.get(c, session_id))
    assert session is not None
    return session


def is_open(database: Database, session_id: str) -> bool:
    found = session_id in {lease.session_id for lease in read(database, leases.open_leases)}
    assert found == stored(database, session_id).open
    return found


def requests(database: Database, *ids: str) -> frozenset[str]:
    return read(database, lambda c: sessions.requests(c, ids))


def close(database: Database, session_id: str) -> bool:
    return write(database, lambda c: sessions.close(c, session_id))


def request_delete(database: Database, session_id: str) -> bool:
    return write(database, lambda c: sessions.request_delete(c, session_id))


def request_resume(database: Database, session_id: str, state: SessionState) -> bool:
    return write(database, lambda c: sessions.request_resume(c, session_id, state))


@pytest.mark.parametrize("state", SessionState)
def test_deletion_is_possible_in_any_state(database: Database, state: SessionState) -> None:
    ident, other = created(database, state=state, open=False), created(database)
    assert request_delete(database, ident)
    assert stored(database, ident).delete_requested
    assert is_open(database, ident)
    assert requests(database, ident, other) == {ident}
    assert not stored(database, other).delete_requested


def test_only_a_failed_session_can_go_on(database: Database) -> None:
    for state in SessionState:
        ident = created(database, state=state, open=False)
        failed = state is SessionState.MAINTENANCE_FAILED
        assert request_resume(database, ident, SessionState.PLANNED_MAINTENANCE) is failed
        assert is_open(database, ident) is failed
        assert requests(database, ident) == ({ident} if failed else frozenset())
        wanted = SessionState.PLANNED_MAINTENANCE if failed else None
        assert stored(database, ident).resume_state is wanted
        assert stored(database, ident).state is state


def test_a_session_goes_on_once_for_one_request(database: Database) -> None:
    ident = created(database, state=SessionState.MAINTENANCE_FAILED, open=False)
    for state in SessionState:
        assert request_resume(database, ident, state)
        assert not request_resume(database, ident, SessionState.SCALE_IN)
        assert stored(database, ident).resume_state is state
        write_all(database, sessions.resumed(ident))
        assert stored(database, ident).resume_state is None
        assert requests(database, ident) == frozenset()


def test_a_session_that_is_to_be_deleted_does_not_go_on(database: Database) -> None:
    ident = created(database, state=SessionState.MAINTENANCE_FAILED, open=False)
    assert request_delete(database, ident)
    assert not request_resume(database, ident, SessionState.SCALE_IN)
    assert stored(database, ident).resume_state is None


def test_what_the_engine_saves_overwrites_no_request(database: Database) -> None:
    ident = created(database, state=SessionState.MAINTENANCE_FAILED)
    before = stored(database, ident)
    assert request_resume(database, ident, SessionState.SCALE_IN)
    assert request_delete(database, ident)
    write_all(database, sessions.save(replace(before, open=False)))
    found = stored(database, ident)
    assert (found.resume_state, found.delete_requested) == (SessionState.SCALE_IN, True)
    assert is_open(database, ident)


def test_closing_waits_for_requests(database: Database) -> None:
    ident = created(database, state=SessionState.MAINTENANCE_FAILED)
    assert close(database, ident)
    assert not is_open(database, ident)
    assert request_resume(database, ident, SessionState.SCALE_IN)
    assert not close(database, ident)
    assert is_open(database, ident)
    write_all(database, sessions.resumed(ident))
    assert close(database, ident)
    assert request_delete(database, ident)
    assert not close(database, ident)
    assert is_open(database, ident)


def test_a_deleted_session_is_gone(database: Database) -> None:
    ident, stays = created(database), created(database)
    assert request_delete(database, ident)
    write_all(database, sessions.save(replace(stored(database, ident), ending=Ending.DELETED)))
    assert is_open(database, ident)
    assert close(database, ident)
    assert read(database, lambda c: sessions.get(c, ident)) is None
    assert [session.id for session in read(database, sessions.list_all)] == [stays]
    assert not request_delete(database, ident)
    assert not request_resume(database, ident, SessionState.SCALE_IN)
    assert [lease.session_id for lease in read(database, leases.open_leases)] == [stays]


def test_closing_forgets_what_was_waited_for(database: Database) -> None:
    ident = created(database, waiting_for=[{"who": "project-1"}])
    assert close(database, ident)
    assert stored(database, ident).waiting_for == []


def test_requests_of_no_sessions(database: Database) -> None:
    assert requests(database) == frozenset()
    assert not close(database, "nobody")
