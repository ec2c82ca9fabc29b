"""A cloud without hardware: for simulation, plans, the demo and to learn."""

from typing import TYPE_CHECKING

from fenix.clouds.simulated.driver import SimulatedCloud
from fenix.clouds.simulated.model import (
    Fault,
    SimulatedGroup,
    SimulatedHost,
    SimulatedInstance,
    SimulatedMove,
)
from fenix.clouds.simulated.world import Listener, World

if TYPE_CHECKING:
    from oslo_config import cfg

    from fenix.clouds.base import Cloud

__all__ = [
    "Fault",
    "Listener",
    "SimulatedCloud",
    "SimulatedGroup",
    "SimulatedHost",
    "SimulatedInstance",
    "SimulatedMove",
    "World",
    "create",
    "list_opts",
]


def create(conf: "cfg.ConfigOpts") -> "Cloud":
    """The entry point of the driver; see `fenix.clouds.simulated.connect`."""
    # Simulations and plans need neither the HTTP client nor the configuration.
    from fenix.clouds.simulated import connect

    return connect.create(conf)


def list_opts() -> list[tuple[str, list["cfg.Opt"]]]:
    """The driver's options, for oslo-config-generator."""
    from fenix.clouds.simulated import connect

    return [(connect.GROUP, connect.OPTIONS)]
