"""Whose constraints count: only what an instance's own project says about it.

Anybody may register constraints for an id, which may be known to others. So the cloud, which knows
whose an instance is, decides whether they are heeded.
"""

from dataclasses import replace

from fenix.domain import Constraints, Inventory


def heeded(constraints: Constraints, inventory: Inventory) -> Constraints:
    """The constraints without those of strangers.

    Left out are constraints of instances, and of server groups, that belong to another project;
    and from instances, groups that do.

    Args:
        inventory: says whose instances and server groups are; what it does not know is believed.
    """
    owners = {ident: group.project_id for ident, group in constraints.groups.items()}
    owners |= {ident: group.project_id for ident, group in inventory.groups.items()}
    return Constraints(
        instances={
            ident: one
            if owners.get(one.group_id, one.project_id) == one.project_id
            else replace(one, group_id="")
            for ident, one in constraints.instances.items()
            if ident not in inventory.instances
            or inventory.instances[ident].project_id == one.project_id
        },
        groups={
            ident: group
            for ident, group in constraints.groups.items()
            if owners[ident] == group.project_id
        },
    )
