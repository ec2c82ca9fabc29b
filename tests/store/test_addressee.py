"""What a session knows of whom a reply is from, and of what it is about."""

import pytest

from fenix.domain import Ending, Reply, Session
from fenix.store import Database, progress, replies, sessions
from fenix.store.admission import Addressee, addressee
from tests.factories import at, make_instance, make_project, make_reply, make_session
from tests.store.running import read, write, write_all


def find(database: Database, reply: Reply) -> Addressee | None:
    return read(database, lambda c: addressee(c, reply))


def created(database: Database) -> Session:
    session = make_session()
    write(database, lambda c: sessions.create(c, session))
    return session


def test_sessions_and_projects_that_are_not_there(database: Database) -> None:
    session = created(database)
    other = created(database)
    write_all(database, progress.save_project(other.id, make_project(instance_ids=["i1"])))
    assert find(database, make_reply("none")) is None
    assert find(database, make_reply(session.id)) == Addressee(True, None, False, False)
    assert find(database, make_reply(other.id, project_id="Project-1")) == Addressee(
        True, None, False, False
    )


def test_a_closed_session_and_a_deleted_one(database: Database) -> None:
    session = created(database)
    write_all(database, progress.save_project(session.id, make_project()))
    assert write(database, lambda c: sessions.close(c, session.id))
    assert find(database, make_reply(session.id)) == Addressee(False, [], False, False)
    session.ending = Ending.DELETED
    write_all(database, sessions.save(session))
    assert find(database, make_reply(session.id)) is None


def test_its_instance_is_known_only_as_the_projects(database: Database) -> None:
    session = created(database)
    write_all(
        database,
        progress.save_project(session.id, make_project(instance_ids=["i1", "i2"])),
        progress.save_instance(session.id, make_instance("mine")),
        progress.save_instance(session.id, make_instance("theirs", project_id="project-2")),
        progress.save_instance("another", make_instance("elsewhere")),
    )
    for instance_id, known in (
        ("mine", True),
        ("theirs", False),
        ("elsewhere", False),
        ("i1", False),
    ):
        found = find(database, make_reply(session.id, instance_id=instance_id))
        assert found == Addressee(True, ["i1", "i2"], known, False)
    assert find(database, make_reply(session.id)) == Addressee(True, ["i1", "i2"], False, False)


@pytest.mark.parametrize("instance_id", [None, "i1"])
def test_no_more_of_a_kind_wait_than_can_be_of_use(
    database: Database, instance_id: str | None
) -> None:
    session = created(database)
    write_all(database, progress.save_project(session.id, make_project()))
    reply = make_reply(session.id, instance_id=instance_id)
    others = (
        make_reply(session.id, instance_id="i2"),
        make_reply(session.id, instance_id=None if instance_id else "i1"),
        make_reply(session.id, instance_id=instance_id, project_id="project-2"),
        make_reply(session.id, instance_id=instance_id, state="NACK_SCALE_IN"),
        make_reply("another", instance_id=instance_id),
    )
    for number in range(replies.MOST_WAITING):
        found = find(database, reply)
        assert found
        assert not found.full, number
        for one in (reply, *others):
            write(database, lambda c, one=one: replies.add(c, one, at()))
    found = find(database, reply)
    assert found
    assert found.full
    first = read(database, lambda c: replies.waiting(c, [session.id]))[0]
    assert first.instance_id == instance_id
    write_all(database, replies.taken(first.id, "counted"))
    found = find(database, reply)
    assert found
    assert not found.full
