"""Sessions come back as they were written; requests of administrators are not lost."""

from dataclasses import fields, replace
from typing import Any

from fenix.domain import (
    ActionSpec,
    ActionType,
    Ending,
    Session,
    SessionOptions,
    SessionState,
    SilentPolicy,
    UnmanagedPolicy,
)
from fenix.store import Database, leases, sessions
from tests.factories import at, make_request, make_session
from tests.store.running import read, write, write_all


def created(database: Database, **fields: Any) -> Session:
    session = make_session(**fields)
    write(database, lambda c: sessions.create(c, session))
    return session


def stored(database: Database, session: Session) -> Session | None:
    return read(database, lambda c: sessions.get(c, session.id))


def full_session() -> Session:
    return make_session(
        request=make_request(
            workflow="vnf",
            metadata={"openstack": {"from": "Pike", "to": "Queens 🚀"}, "list": [1, 2.5, None]},
            hosts=("compute-1", "Compute-1", "knoten-ä"),
            actions=tuple(ActionSpec(f"p-{kind}", kind, {"type": kind}) for kind in ActionType),
            download=("https://127.0.0.1/plugin.tar.gz",),
            options=SessionOptions(
                reply_timeout=1.5,
                scale_in_timeout=2.5,
                complete_timeout=3.5,
                move_timeout=4.5,
                action_timeout=5.5,
                settle_timeout=6.5,
                unmanaged_projects=UnmanagedPolicy.MOVE,
                silent_projects=SilentPolicy.SKIP_HOST,
                nack_retries=3,
                nack_pause=0.5,
                parallel_hosts=7,
                parallel_migrations=8,
                lead_time=9.5,
                max_impacted_members=10,
                second_moves=0.5,
                scale_in_share=0.25,
                live_migration_downtime=1.5,
                parallel_migrations_per_host=None,
            ),
        ),
        admin_project_id="4f1b",
        updated_at=at(1),
        finished_at=at(2),
        state=SessionState.MAINTENANCE_FAILED,
        failed_state=SessionState.PLANNED_MAINTENANCE,
        reason="Host compute-1 is gone — 再見",
        ending=Ending.FAILED,
        memory={"round": 3, "asked": ["a", "ä", "𝄞"], "none": None},
        percent_done=42,
        waiting_for=[{"who": "project-1", "since": "2026-01-02T03:04:05"}],
    )


def test_every_field_comes_back(database: Database) -> None:
    plain, full = make_session(), full_session()
    for name in (field.name for field in fields(SessionOptions)):
        assert getattr(full.request.options, name) != getattr(plain.request.options, name)
    for session in (plain, full):
        write(database, lambda c, session=session: sessions.create(c, session))
        assert stored(database, session) == session


def test_every_state_policy_and_ending_comes_back(database: Database) -> None:
    choices: list[dict[str, Any]] = [
        *({"state": state, "failed_state": state} for state in SessionState),
        *({"ending": ending} for ending in (None, *Ending)),
        *({"options": SessionOptions(unmanaged_projects=policy)} for policy in UnmanagedPolicy),
        *({"options": SessionOptions(silent_projects=policy)} for policy in SilentPolicy),
    ]
    for choice in choices:
        if "options" in choice:
            choice = {"request": make_request(**choice)}
        session = created(database, **choice)
        assert stored(database, session) == session


def test_save_writes_all_that_the_engine_decides(database: Database) -> None:
    session, full = created(database), full_session()
    changed = replace(full, id=session.id, request=session.request, admin_project_id="admin")
    write_all(database, sessions.save(changed))
    assert stored(database, session) == changed
    write_all(database, sessions.save(session))
    assert stored(database, session) == session


def test_save_keeps_what_was_decided_when_it_was_called(database: Database) -> None:
    session = created(database)
    change = sessions.save(session)
    session.state = SessionState.SCALE_IN
    session.memory["later"] = True
    write_all(database, change)
    found = stored(database, session)
    assert found
    assert (found.state, found.memory) == (SessionState.MAINTENANCE, {})


def test_save_progress_leaves_the_rest(database: Database) -> None:
    session = created(database, memory={"round": 1})
    waiting = [{"who": "cloud", "what": "ä"}]
    write_all(database, sessions.save_progress(session.id, 17, waiting, at(5)))
    expected = replace(session, percent_done=17, waiting_for=waiting, updated_at=at(5))
    assert stored(database, session) == expected


def test_changes_touch_one_session_only(database: Database) -> None:
    one, other = created(database), created(database)
    write_all(database, sessions.save(replace(one, state=SessionState.SCALE_IN)))
    write(database, lambda c: sessions.request_delete(c, one.id))
    assert stored(database, other) == other


def test_listed_oldest_first(database: Database) -> None:
    late, early = created(database, created_at=at(2)), created(database, created_at=at(1))
    assert read(database, sessions.list_all) == [early, late]


def test_unknown_sessions(database: Database) -> None:
    assert read(database, lambda c: sessions.get(c, "nobody")) is None
    assert not write(database, lambda c: sessions.request_delete(c, "nobody"))
    assert read(database, sessions.list_all) == []


def test_a_new_session_has_a_lease_that_nobody_holds(database: Database) -> None:
    session = created(database)
    assert read(database, leases.open_leases) == [leases.Lease(session.id, None, 0, 0)]


def test_options_of_another_release() -> None:
    options = sessions.options_from({"reply_timeout": 1.0, "of_a_newer_release": True})
    assert options == SessionOptions(reply_timeout=1.0)
