"""Subscriptions come back as they were added."""

from itertools import product

import pytest

from fenix.domain import BodyFormat, EventType
from fenix.store import Database, subscriptions
from tests.factories import at, make_subscription
from tests.store.running import read, write


def test_every_field_comes_back(database: Database) -> None:
    kinds = [(), *((kind,) for kind in EventType), tuple(EventType)]
    for body, event_types in product(BodyFormat, kinds):
        new = make_subscription(
            format=body, event_types=event_types, url="https://[::1]:8080/ü?" + "x" * 2000
        )
        write(database, lambda c, new=new: subscriptions.add(c, new))
        assert read(database, lambda c, new=new: subscriptions.get(c, new.id)) == new


def test_listed_oldest_first_and_by_project(database: Database) -> None:
    late = make_subscription(created_at=at(0.000002))
    early = make_subscription(created_at=at(0.000001))
    other = make_subscription(project_id="Project-1", created_at=at(9))
    for new in (late, early, other):
        write(database, lambda c, new=new: subscriptions.add(c, new))
    assert read(database, subscriptions.list_all) == [early, late, other]
    assert read(database, lambda c: subscriptions.list_all(c, "project-1")) == [early, late]
    assert read(database, lambda c: subscriptions.list_all(c, "project-2")) == []


@pytest.mark.parametrize("more", [0, subscriptions.MANY])
def test_those_of_some_projects_at_once(database: Database, more: int) -> None:
    late = make_subscription(created_at=at(2))
    early = make_subscription(created_at=at(1))
    other = make_subscription(project_id="project-2")
    nobodys = make_subscription(project_id="Project-1")
    for new in (late, early, other, nobodys):
        write(database, lambda c, new=new: subscriptions.add(c, new))
    wanted = {"project-1", "project-2", "project-3", *(f"more-{n}" for n in range(more))}
    found = read(database, lambda c: subscriptions.of_projects(c, wanted))
    assert found.keys() == wanted
    assert {project: some for project, some in found.items() if some} == {
        "project-1": [early, late],
        "project-2": [other],
    }


def test_removed_once(database: Database) -> None:
    gone, stays = make_subscription(), make_subscription()
    for new in (gone, stays):
        write(database, lambda c, new=new: subscriptions.add(c, new))
    assert write(database, lambda c: subscriptions.remove(c, gone.id))
    assert not write(database, lambda c: subscriptions.remove(c, gone.id))
    assert read(database, lambda c: subscriptions.get(c, gone.id)) is None
    assert read(database, subscriptions.list_all) == [stays]
