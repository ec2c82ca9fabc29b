"""An application manager to learn from: what an application does about maintenance.

It is a client of Fenix like any other and uses nothing of it but its API, so that it can be copied
and changed. Begin with `fenix.manager.behaviour`.
"""

from fenix.manager.settings import ManagerSettings

__all__ = ["ManagerSettings"]
