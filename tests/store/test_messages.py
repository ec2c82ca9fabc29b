"""The outbox: what was written comes back, in the order in which it must go out."""

from dataclasses import replace
from itertools import product

import pytest

from fenix.domain import Delivery, DeliveryState, EventType, HostNews, Message, ProjectState
from fenix.store import Database, messages
from tests.factories import at, make_message
from tests.store.running import read, write, write_all

FULL = make_message(
    2,
    event_type=EventType.SCHEDULED,
    project_id="p",
    state=ProjectState.PLANNED_MAINTENANCE,
    payload={"metadata": {"ä": ["𝄞", None, True, 1.5]}, "instance_ids": ["i-1"]},
    instance_ids=("i-2", "i-1", "İ"),
    reply_by=at(300),
    reply={"state": "ACK_PLANNED_MAINTENANCE", "instance_actions": {"i-1": "MIGRATE"}},
    replied_at=at(10),
)


def pending(database: Database, session: str = "session-1", after: int = 0) -> list[Delivery]:
    return list(read(database, lambda c: messages.pending(c, session, after)))


def listed(database: Database, session: str = "session-1") -> list[Message]:
    return list(read(database, lambda c: messages.list_messages(c, session)))


def test_every_field_comes_back(database: Database) -> None:
    plain = make_message(1)
    write_all(database, messages.add("session-1", FULL, ()), messages.add("session-1", plain, ()))
    assert listed(database) == [plain, FULL]
    assert listed(database, "session-2") == []


def test_every_kind_comes_back(database: Database) -> None:
    kinds = product(EventType, [*ProjectState, *HostNews])
    new = [
        make_message(number, event_type=event_type, state=state)
        for number, (event_type, state) in enumerate(kinds)
    ]
    write_all(database, *(messages.add("session-1", message, [("bus", "")]) for message in new))
    assert listed(database) == new
    assert [delivery.message for delivery in pending(database)] == new


def test_a_reply_is_kept(database: Database) -> None:
    message, other = make_message(1), make_message(2)
    write_all(database, messages.add("session-1", message, [("bus", "")]))
    write_all(database, messages.add("session-1", other, [("bus", "")]))
    answered = replace(message, reply={"state": "ACK_MAINTENANCE"}, replied_at=at(7))
    write_all(database, messages.save_reply(answered))
    assert listed(database) == [answered, other]
    write_all(database, messages.save_reply(message))
    assert listed(database) == [message, other]


def test_deliveries_follow_the_order_of_their_messages(database: Database) -> None:
    second, first = make_message(2), make_message(1)
    targets = [("bus", ""), ("http", "subscription-1"), ("http", "Subscription-1")]
    write_all(database, messages.add("session-1", second, targets))
    write_all(database, messages.add("session-1", first, targets))
    write_all(database, messages.add("session-2", make_message(1), targets))
    found = pending(database)
    assert [(d.message, d.channel, d.target) for d in found] == [
        (message, *target) for message in (first, second) for target in targets
    ]
    for delivery in found:
        assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 0)
        assert (delivery.due_at, delivery.error) == (delivery.message.created_at, None)
        assert delivery.delivered_at is None
    assert found == read(database, lambda c: messages.list_deliveries(c, "session-1"))
    known = {message.id: message for message in (first, second)}
    light = read(database, lambda c: messages.pending(c, "session-1", known=known))
    assert list(light) == found


def test_pending_after_gives_only_what_came_later(database: Database) -> None:
    write_all(database, messages.add("session-1", make_message(1), [("bus", ""), ("http", "s")]))
    seen = max(delivery.id for delivery in pending(database))
    assert pending(database, after=seen) == []
    later = make_message(2)
    write_all(database, messages.add("session-1", later, [("bus", "")]))
    assert [delivery.message for delivery in pending(database, after=seen)] == [later]
    assert len(pending(database)) == 3


@pytest.mark.parametrize("state", DeliveryState)
def test_an_attempt_is_kept(database: Database, state: DeliveryState) -> None:
    write_all(database, messages.add("session-1", make_message(), [("bus", ""), ("http", "s")]))
    tried, untouched = pending(database)
    tried = replace(
        tried,
        state=state,
        attempts=3,
        due_at=at(60.25),
        error="refusé 💥" * 10_000,
        delivered_at=at(61),
    )
    write_all(database, messages.save_attempt(tried))
    found = read(database, lambda c: messages.list_deliveries(c, "session-1"))
    assert found == [tried, untouched]
    still = [d for d in found if d.state is DeliveryState.PENDING]
    assert pending(database) == still
    assert read(database, lambda c: messages.count_pending(c, "session-1")) == len(still)


def test_giving_up_ends_what_is_pending_in_one_session(database: Database) -> None:
    write_all(database, messages.add("session-1", make_message(), [("bus", ""), ("http", "s")]))
    write_all(database, messages.add("session-2", make_message(), [("bus", "")]))
    delivered = replace(pending(database)[0], state=DeliveryState.DELIVERED, delivered_at=at(1))
    write_all(database, messages.save_attempt(delivered))
    write(database, lambda c: messages.give_up(c, "session-1", "nobody answers", at(9)))
    found = read(database, lambda c: messages.list_deliveries(c, "session-1"))
    assert found[0] == delivered
    assert (found[1].state, found[1].error) == (DeliveryState.GIVEN_UP, "nobody answers")
    assert read(database, lambda c: messages.count_pending(c, "session-1")) == 0
    assert read(database, lambda c: messages.count_pending(c, "session-2")) == 1


@pytest.mark.parametrize("same", ["key", "sequence"])
def test_a_message_is_written_only_once(database: Database, same: str) -> None:
    message = make_message(1)
    double = replace(make_message(2), **{same: getattr(message, same)})
    write_all(database, messages.add("session-1", message, [("bus", "")]))
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        write_all(database, messages.add("session-1", double, [("bus", "")]))
    assert listed(database) == [message]
    assert len(pending(database)) == 1
    write_all(database, messages.add("session-2", double, [("bus", "")]))


def test_keys_that_differ_in_case_are_different(database: Database) -> None:
    lower, upper = make_message(1, key="host:compute-a"), make_message(2, key="host:Compute-A")
    write_all(database, messages.add("session-1", lower, ()), messages.add("session-1", upper, ()))
    assert listed(database) == [lower, upper]
