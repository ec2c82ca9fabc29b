"""Who does everything wrong, in simulations that are to show that it is borne."""

from enum import StrEnum


class Attack(StrEnum):
    """The attacker."""

    MANAGERS = "managers"
    CLOUD = "cloud"
