"""Server groups: what Nova enforces for their members.

``soft-`` policies are wishes to the scheduler and bind nobody. Affinity (all members on one host)
has no word in the domain: Nova refuses to move a member away alone, and that refusal is what
Fenix reports.
"""

from collections.abc import Iterable, Mapping

from fenix.clouds.openstack.api import Api, Json
from fenix.domain import Group


def read_groups(compute: Api) -> list[Json]:
    """All server groups of all projects, page by page (this list has no links to the next)."""
    found: list[Json] = []
    while True:
        page: list[Json] = compute.get(
            "/os-server-groups", {"all_projects": "true", "offset": len(found)}
        )["server_groups"]
        if not page:
            return found
        found += page


def group(server_group: Json) -> Group:
    """The group's rule.

    Plain anti-affinity allows one member on a host. With ``max_server_per_host`` above one it
    allows that many, so then it is a limit and not anti-affinity.
    """
    enforced = server_group.get("policy") == "anti-affinity"
    rules = server_group.get("rules") or {}
    most = int(rules.get("max_server_per_host", 1))
    return Group(
        id=server_group["id"],
        project_id=server_group["project_id"],
        anti_affinity=enforced and most == 1,
        max_instances_per_host=most if enforced else 0,
    )


def group_of_members(server_groups: Iterable[Json]) -> Mapping[str, str]:
    """Group id by member id; Nova lets a server be in one group only."""
    return {
        member: server_group["id"]
        for server_group in server_groups
        for member in server_group["members"]
    }
