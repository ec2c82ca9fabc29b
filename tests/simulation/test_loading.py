"""What is wrong with a scenario file is told by key, value and line."""

import json
from textwrap import dedent
from typing import Any

import pytest

from fenix.simulation.loading import BadScenario, parse

GOOD = """
name: small
hosts:
- {name: c1, vcpus: 4, memory_mb: 4096, disk_gb: 40}
- {name: c2, vcpus: 4, memory_mb: 4096, disk_gb: 40}
projects:
- {id: p}
- {id: q}
groups:
- {id: g, project: p, anti_affinity: true}
instances:
- {id: i1, name: i1, project: p, host: c1, vcpus: 2, memory_mb: 1024, disk_gb: 1, group: g,
   live_migration_seconds: 10, migration_seconds: 30}
- {id: i2, name: i2, project: q, host: c2, vcpus: 2, memory_mb: 1024, disk_gb: 1,
   live_migration_seconds: 10, migration_seconds: 30}
"""


def told(text: str) -> list[str]:
    """What is wrong, in lines without the file's name."""
    with pytest.raises(BadScenario) as caught:
        parse(dedent(text), "x.yaml")
    lines = str(caught.value).splitlines()
    assert all(line.startswith("x.yaml: ") for line in lines)
    return [line.removeprefix("x.yaml: ") for line in lines]


def test_a_good_one() -> None:
    assert parse(GOOD).name == "small"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("name: small", "nome: small", "line 2: nome: this key is not known (it is 'small')"),
        ("host: c1", "host: c9", "line 12: instances.i1.host: 'c9' is not defined"),
        ("group: g", "group: h", "line 12: instances.i1.group: 'h' is not defined"),
        ("project: q", "project: r", "line 14: instances.i2.project: 'r' is not defined"),
        ("id: g, project: p", "id: g, project: z", "line 10: groups.g.project: 'z' is not defined"),
        ("name: c2", "name: c1", "line 5: hosts: 'c1' is there more than once"),
        ("{id: i2", "{id: i1", "line 14: instances: 'i1' is there more than once"),
        (
            "group: g",
            "group: g, zone: east",
            "line 12: instances.0.zone: this key is not known (it is 'east')",
        ),
        (
            "- {id: i2, name: i2, project: q, host: c2, vcpus: 2",
            "- {id: i2, name: i2, project: q, host: c2, vcpus: 5",
            "line 5: hosts.c2: its instances use 5 vCPUs, 1024 MiB, 1 GiB, more than its "
            "4 vCPUs, 4096 MiB, 40 GiB",
        ),
        (
            "project: q, host: c2, vcpus: 2, memory_mb: 1024, disk_gb: 1",
            "project: p, host: c1, vcpus: 2, memory_mb: 1024, disk_gb: 1, group: g",
            "line 4: hosts.c1: it has 2 members of group g, which allows 1 on a host",
        ),
        (
            "name: c2, vcpus: 4",
            "name: c2, vcpus: '4'",
            "line 5: hosts.1.vcpus: Input should be a valid integer (it is '4')",
        ),
        (
            "name: c2, vcpus: 4",
            "name: c2, vcpus: true",
            "line 5: hosts.1.vcpus: Input should be a valid integer (it is True)",
        ),
        (
            "name: c2, vcpus: 4",
            "name: c2, vcpus: 4, vcpus: 5",
            "line 5: key 'vcpus' is there more than once",
        ),
        ("name: small", "name: small\nhosts: []", "line 4: key 'hosts' is there more than once"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, problem: str) -> None:
    assert old in GOOD
    assert problem in told(GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("session: {hosts: [c1, c3]}", "line 16: session.hosts: 'c3' is not defined"),
        ("session: {hosts: [c1, c1]}", "line 16: session.hosts: 'c1' is there more than once"),
        (
            "session: {workflow: 7}",
            "line 16: session.workflow: Input should be a valid string (it is 7)",
        ),
        ("faults: [{vanishes: i7, at: 1}]", "line 16: faults.vanishes: 'i7' is not defined"),
        ("faults: [7]", "line 16: faults.0: not a mapping (it is 7)"),
        ("faults: 7", "line 16: faults: not a list (it is 7)"),
    ],
)
def test_parts_that_need_not_be_there(more: str, problem: str) -> None:
    assert told(f"{GOOD}{more}") == [problem]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"id": "i1"}, "faults.appears.id: 'i1' is there more than once"),
        ({"host": "c7"}, "faults.appears.host: 'c7' is not defined"),
        ({"project": "z"}, "faults.appears.project: 'z' is not defined"),
        ({"group": "z"}, "faults.appears.group: 'z' is not defined"),
        ({"project": "q", "group": "g"}, "faults.appears.group: 'g' is of project 'p', not 'q'"),
    ],
)
def test_instances_that_appear_are_looked_at_too(changes: dict[str, Any], problem: str) -> None:
    size = {"vcpus": 1, "memory_mb": 1, "disk_gb": 1, "live_migration_seconds": 1}
    new = (
        {"id": "new", "name": "new", "project": "p", "host": ""}
        | size
        | {"migration_seconds": 1}
        | changes
    )
    fault = json.dumps({"at": 1, "appears": new})
    assert told(f"{GOOD}faults:\n- {fault}\n") == [f"line 17: {problem}"]


def test_of_a_wrong_host_only_that_is_told() -> None:
    assert told(
        '{"name": "x", "hosts": [{"name": "c", "vcpus": -1}], "projects": [], '
        '"groups": [], "instances": []}'
    ) == [
        "line 1: hosts.0.vcpus: Input should be greater than or equal to 0 (it is -1)",
        "line 1: hosts.0.memory_mb: Field required",
        "line 1: hosts.0.disk_gb: Field required",
    ]


def test_a_key_twice_in_json() -> None:
    assert told('{"name": "x", "name": "y"}') == ["line 1: key 'name' is there more than once"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- 1", "[1] is not a scenario; allowed: a mapping"),
        ("", "None is not a scenario"),
        ("2024-01-01: y", "keys must be str"),
        ("name: &a [*a]", "Circular reference"),
    ],
)
def test_what_is_no_scenario_at_all(text: str, problem: str) -> None:
    assert told(text)[0].startswith(problem)
