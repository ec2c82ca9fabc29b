"""The engine: owns sessions under lease, runs their workflows, takes in replies, sends messages."""

from fenix.engine.engine import Engine
from fenix.engine.runner import Tools
from fenix.engine.settings import EngineSettings

__all__ = ["Engine", "EngineSettings", "Tools"]
