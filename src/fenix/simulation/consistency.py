"""Whether the parts of a scenario fit each other, and which part does not.

What each part may be by itself is in `fenix.simulation.scenario`.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from fenix.domain import total

if TYPE_CHECKING:
    from fenix.simulation.scenario import InstanceModel, Scenario


class WrongPart(ValueError):
    """A part of a scenario does not fit the others.

    Attributes:
        path: to the part, by keys and numbers.
    """

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.path = path


class _At:
    """A place in a scenario.

    Args:
        name: for people, with the id of what is there.
        path: for machines, with its number.
    """

    def __init__(self, name: str, *path: str | int) -> None:
        self._name = name
        self._path = path

    def wrong(self, message: str, key: str | int | None = None) -> WrongPart:
        """What is wrong here, with all of it or at a key of it."""
        path = self._path if key is None else (*self._path, key)
        name = f"{self._name}.{key}" if isinstance(key, str) else self._name
        return WrongPart(path, f"{name}: {message}")

    def known(self, key: str | int, name: str | None, names: Collection[str]) -> None:
        """Makes sure that a name, if there is one, is one of those that are defined."""
        if name is not None and name not in names:
            raise self.wrong(f"{name!r} is not defined", key)

    def unique(self, idents: Iterable[str]) -> None:
        """Makes sure that no name in a list is there twice."""
        seen: set[str] = set()
        for number, ident in enumerate(idents):
            if ident in seen:
                raise self.wrong(f"{ident!r} is there more than once", number)
            seen.add(ident)


def check(scenario: "Scenario") -> None:
    """Looks at all names and capacities.

    Raises:
        WrongPart: the first that does not fit.
    """
    _Check(scenario).all()


class _Check:
    def __init__(self, scenario: "Scenario") -> None:
        self._scenario = scenario
        self._hosts = {host.name for host in scenario.hosts}
        self._projects = {project.id for project in scenario.projects}
        self._groups = {group.id: group for group in scenario.groups}
        self._instances = {instance.id for instance in scenario.instances}

    def all(self) -> None:
        scenario, session_hosts = self._scenario, _At("session.hosts", "session", "hosts")
        _At("hosts", "hosts").unique(host.name for host in scenario.hosts)
        _At("projects", "projects").unique(project.id for project in scenario.projects)
        _At("groups", "groups").unique(group.id for group in scenario.groups)
        _At("instances", "instances").unique(instance.id for instance in scenario.instances)
        session_hosts.unique(scenario.session.hosts)
        for number, group in enumerate(scenario.groups):
            where = _At(f"groups.{group.id}", "groups", number)
            where.known("project", group.project, self._projects)
        for number, instance in enumerate(scenario.instances):
            where = _At(f"instances.{instance.id}", "instances", number)
            where.known("host", instance.host, self._hosts)
            self._instance(where, instance)
        for number, name in enumerate(scenario.session.hosts):
            session_hosts.known(number, name, self._hosts)
        self._faults()
        self._capacity()

    def _instance(self, where: _At, instance: "InstanceModel") -> None:
        where.known("project", instance.project, self._projects)
        where.known("group", instance.group, self._groups)
        owner = self._groups[instance.group].project if instance.group else instance.project
        if owner != instance.project:
            what = f"{instance.group!r} is of project {owner!r}, not {instance.project!r}"
            raise where.wrong(what, "group")

    def _faults(self) -> None:
        taken = set(self._instances)
        for number, fault in enumerate(self._scenario.faults):
            where = _At("faults", "faults", number)
            where.known("instance", fault.instance, self._instances)
            where.known("host", fault.host, self._hosts)
            where.known("project", fault.project, self._projects)
            where.known("vanishes", fault.vanishes, self._instances)
            if new := fault.appears:
                where = _At("faults.appears", "faults", number, "appears")
                where.known("host", new.host, {"", *self._hosts})
                self._instance(where, new)
                if new.id in taken:
                    raise where.wrong(f"{new.id!r} is there more than once", "id")
                taken.add(new.id)

    def _capacity(self) -> None:
        on: dict[str, list[InstanceModel]] = {}
        for instance in self._scenario.instances:
            on.setdefault(instance.host, []).append(instance)
        for number, host in enumerate(self._scenario.hosts):
            instances, where = on.get(host.name, []), _At(f"hosts.{host.name}", "hosts", number)
            load = total([instance.size for instance in instances])
            if not load.fits(host.size):
                raise where.wrong(f"its instances use {load}, more than its {host.size}")
            for group, count in Counter(one.group for one in instances if one.group).items():
                limit = self._groups[group].per_host
                if limit is not None and count > limit:
                    raise where.wrong(
                        f"it has {count} members of group {group}, which allows {limit} on a host"
                    )
