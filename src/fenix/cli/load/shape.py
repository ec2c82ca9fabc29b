"""How large a load is, and the cloud and the constraints that it is made of."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

GROUP = 10
"""Instances of a group."""
MOVE_SECONDS = 0.2
"""How long a move takes in the simulated cloud: next to nothing, so that the engine is measured."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A load.

    Attributes:
        hosts: of the cloud.
        instances: evenly on the hosts and of the projects.
        projects: each with a manager.
        constraints: that the projects register, of groups and instances together.
        replies: sent in a burst; as many sessions as are needed ask each project once.
        clients: calls under way at one time.
        looks: how often list and show are measured; the detail a tenth as often.
        seconds: that the large session may take; what it has done by then is measured.
    """

    hosts: int = 1000
    instances: int = 10_000
    projects: int = 200
    constraints: int = 5000
    replies: int = 2000
    clients: int = 32
    looks: int = 100
    seconds: float = 1200.0

    @classmethod
    def of_hosts(cls, hosts: int) -> "Shape":
        """A load with everything in proportion to the hosts."""

        whole = cls()

        def part(of: int, least: int) -> int:
            return max(least, of * hosts // whole.hosts)

        return cls(
            hosts=hosts,
            instances=10 * hosts,
            projects=part(whole.projects, 2),
            constraints=part(whole.constraints, 10),
            replies=part(whole.replies, 20),
            looks=part(whole.looks, 10),
        )

    @property
    def sessions(self) -> int:
        """Sessions that it takes to ask for so many replies."""
        return max(1, self.replies // self.projects)

    def project_ids(self) -> list[str]:
        """The projects."""
        return [f"p-{number:04d}" for number in range(self.projects)]

    def host_names(self, session: int) -> list[str]:
        """The hosts of one of the burst's sessions: a part of the cloud with all projects on it."""
        share = self.hosts // self.sessions
        return [_host(number) for number in range(session * share, (session + 1) * share)]

    def scenario(self) -> str:
        """The cloud, with a third of it free."""
        each = self.instances // self.hosts
        size = {"vcpus": 1, "memory_mb": 1024, "disk_gb": 10}
        room = {name: amount * (each + each // 2 + 1) for name, amount in size.items()}
        instances = [
            {
                "id": f"i-{number:06d}",
                "name": f"vm-{number}",
                "project": f"p-{project:04d}",
                "group": self._group(project, index),
                "host": _host(number // each),
                "live_migration_seconds": MOVE_SECONDS,
                "migration_seconds": MOVE_SECONDS,
                **size,
            }
            for number, project, index in self._members()
        ]
        made = {
            "name": "load",
            "hosts": [{"name": _host(number), **room} for number in range(self.hosts)],
            "projects": [{"id": ident} for ident in self.project_ids()],
            "groups": [{"id": group, "project": project} for group, project in self._groups()],
            "instances": instances,
        }
        return json.dumps(made)

    def constraint_calls(self) -> Iterator[tuple[str, str, Json]]:
        """The constraints: path behind the endpoint, project and body; first all groups."""
        groups = list(self._groups())[: self.constraints]
        for group, owner in groups:
            body: Json = {"group_name": group, "max_impacted_members": 3}
            yield f"/instance_group/{group}", owner, body
        members = sorted(self._members(), key=lambda one: (one[2], one[1]))
        for number, project, index in members[: self.constraints - len(groups)]:
            body = {"group_id": self._group(project, index), "instance_name": f"vm-{number}"}
            yield f"/instance/i-{number:06d}", f"p-{project:04d}", body

    def _members(self) -> Iterator[tuple[int, int, int]]:
        """Each instance: its number, its project's, and which of its project's it is."""
        for number in range(self.instances // self.hosts * self.hosts):
            yield number, number % self.projects, number // self.projects

    def _groups(self) -> Iterator[tuple[str, str]]:
        """Each group once, with its project."""
        yield from dict.fromkeys(
            (self._group(project, index), f"p-{project:04d}")
            for _, project, index in self._members()
        )

    def _group(self, project: int, index: int) -> str:
        return f"g-{project:04d}-{index // GROUP}"


def _host(number: int) -> str:
    return f"compute-{number:04d}"
