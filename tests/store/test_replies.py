"""The inbox: every reply is kept in its order until somebody has taken it."""

from dataclasses import replace

from sqlalchemy import select

from fenix.domain import REPLY_STATES, MoveAction, Reply
from fenix.store import Database, replies, tables
from tests.factories import at, make_reply
from tests.store.running import read, write, write_all


def put(database: Database, *new: Reply) -> None:
    for reply in new:
        write(database, lambda c, reply=reply: replies.add(c, reply, at()))


def waiting(database: Database, *sessions: str) -> list[Reply]:
    return list(read(database, lambda c: replies.waiting(c, sessions)))


def without_ids(found: list[Reply]) -> list[Reply]:
    return [replace(reply, id=0) for reply in found]


def test_every_field_comes_back(database: Database) -> None:
    plain = make_reply("session-1")
    full = make_reply(
        "session-1",
        project_id="Prøject",
        instance_id="instance-1",
        state="NACK_PLANNED_MAINTENANCE",
        instance_actions={f"𝄞-{action}": action for action in MoveAction},
    )
    put(database, plain, full)
    found = waiting(database, "session-1")
    assert without_ids(found) == [plain, full]
    assert all(type(action) is MoveAction for action in found[1].instance_actions.values())


def test_every_state_fits(database: Database) -> None:
    new = [make_reply("session-1", state=state) for state in sorted(REPLY_STATES)]
    put(database, *new)
    assert without_ids(waiting(database, "session-1")) == new


def test_oldest_first_of_the_sessions_that_are_asked_for(database: Database) -> None:
    new = [
        make_reply(session, project_id=f"project-{number}")
        for number, session in enumerate(["b", "a", "c", "b", "a"])
    ]
    put(database, *new)
    assert without_ids(waiting(database, "a", "b")) == [r for r in new if r.session_id != "c"]
    assert without_ids(waiting(database, "c")) == [new[2]]
    assert waiting(database) == []
    assert waiting(database, "A") == []


def test_taken_replies_do_not_wait_any_more(database: Database) -> None:
    put(database, make_reply("session-1"), make_reply("session-1", project_id="project-2"))
    first, second = waiting(database, "session-1")
    assert first.id < second.id
    write_all(database, replies.taken(first.id, "counted"))
    assert waiting(database, "session-1") == [second]
    write_all(database, replies.taken(second.id, "ignoré: " + "too late " * 100))
    assert waiting(database, "session-1") == []


def test_a_reply_after_a_taken_one_waits(database: Database) -> None:
    put(database, make_reply("session-1"))
    write_all(database, replies.taken(waiting(database, "session-1")[0].id, "counted"))
    put(database, make_reply("session-1"))
    assert len(waiting(database, "session-1")) == 1


def test_of_ignored_replies_of_a_kind_the_last_one_is_kept(database: Database) -> None:
    kinds = [
        make_reply("session-1"),
        make_reply("session-1", project_id="project-2"),
        make_reply("session-1", instance_id="instance-1"),
        make_reply("session-1", state="NACK_SCALE_IN"),
        make_reply("session-2"),
    ]
    for _ in range(3):
        put(database, *kinds)
        for reply in waiting(database, "session-1", "session-2"):
            write_all(database, replies.ignored(reply))
    last = put_one(database, kinds[0])
    found = read(database, lambda c: c.execute(select(tables.replies)).all())
    assert [row.id for row in found] == sorted(range(last.id - len(kinds), last.id + 1))
    assert waiting(database, "session-1", "session-2") == [last]


def put_one(database: Database, reply: Reply) -> Reply:
    put(database, reply)
    return waiting(database, reply.session_id)[-1]
