"""What must be true when all is over, whatever was done to engines and servers."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, suppress

import kombu
from sqlalchemy import text

from tests.chaos import audit, cells
from tests.chaos.landscape import Landscape

ROUND = ("host.disabled", "host.maintenance.started", "host.maintenance.finished", "host.enabled")
"""What happens to a host in each session, once and in this order."""


def problems(place: Landscape) -> Iterator[str]:
    """Everything that is not as it should be; all sessions have ended."""
    yield from audit.violations(place.database)
    yield from _epochs(place)
    yield from _sessions(place)
    yield from _hosts(place)
    yield from _moves(place)
    yield from _messages(place)


def _epochs(place: Landscape) -> Iterator[str]:
    """Once an engine has called the cloud under an epoch, nobody does so under an older one."""
    newest: dict[str, int] = {}
    for line in place.lines("calls"):
        session, epoch, owner = line["by"].split()
        if int(epoch) < newest.get(session, 0):
            yield f"call {line['n']}, {line['call']}: {owner} in epoch {epoch}"
        newest[session] = max(newest.get(session, 0), int(epoch))


def _sessions(place: Landscape) -> Iterator[str]:
    for made in place.created.values():
        for session in made:
            detail = place.detail(session)
            if detail["state"] != "MAINTENANCE_DONE":
                yield f"session {session}: {detail['state']}: {detail['reason']}"


def _hosts(place: Landscape) -> Iterator[str]:
    happened = defaultdict(list)
    for event in place.lines("events"):
        if event["event"] in ROUND:
            happened[event["host"]].append(event["event"])
    for cell, made in place.created.items():
        for host in cells.hosts(cell):
            if happened[host] != [*ROUND] * len(made):
                yield f"host {host}: {len(made)} sessions, but {Counter(happened[host])}"


def _moves(place: Landscape) -> Iterator[str]:
    """The database knows of each move in the cloud, and the cloud of each in the database."""
    started = Counter(
        event["instance"]
        for event in place.lines("events")
        if event["event"] == "instance.move.started"
    )
    known: Counter[str] = Counter()
    with place.database.connect() as connection:
        query = text("SELECT instance_id, state, error FROM moves")
        for instance, state, error in connection.execute(query):
            known[instance] += 1
            if state != "DONE":
                yield f"a move of instance {instance} is {state}: {error}"
    if started != known:
        yield f"moves in the cloud {started - known}, in the database {known - started}"


def _messages(place: Landscape) -> Iterator[str]:
    with place.database.connect() as connection:
        rows = connection.execute(text("SELECT message_id, channel, state FROM deliveries")).all()
    wanted = defaultdict(set)
    for message, channel, state in rows:
        wanted[channel].add(message)
        if state != "DELIVERED":
            yield f"message {message} by {channel} is {state}"
    came = {"http": place.receiver.received}
    if place.rabbit:
        came["bus"] = _queue(place.rabbit.url)
    for channel, received in came.items():
        if lost := wanted[channel] - set(received):
            yield f"{channel}: {len(lost)} messages never came"
        if strange := set(received) - wanted[channel]:
            yield f"{channel}: {len(strange)} messages under ids that nobody has written"


def doubled(place: Landscape) -> int:
    """Messages that came by HTTP more than once under their one id, as the contract allows."""
    return sum(number > 1 for number in place.receiver.received.values())


def _queue(url: str) -> Counter[str]:
    """The ids of all messages that RabbitMQ has kept."""
    found: Counter[str] = Counter()
    with kombu.Connection(url) as connection:
        queue = connection.SimpleQueue("notifications.info", queue_opts={"durable": True})
        with closing(queue), suppress(queue.Empty):
            while message := queue.get_nowait():
                found[message.payload["payload"]["message_id"]] += 1
                message.ack()
    return found
