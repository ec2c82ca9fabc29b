"""A cloud without hardware: for simulation, plans, the demo and to learn."""

from fenix.clouds.simulated.driver import SimulatedCloud
from fenix.clouds.simulated.model import (
    Fault,
    SimulatedGroup,
    SimulatedHost,
    SimulatedInstance,
    SimulatedMove,
)
from fenix.clouds.simulated.world import Listener, World

__all__ = [
    "Fault",
    "Listener",
    "SimulatedCloud",
    "SimulatedGroup",
    "SimulatedHost",
    "SimulatedInstance",
    "SimulatedMove",
    "World",
]
