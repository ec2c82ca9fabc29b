"""Starts what the tests of managers need, and stops it."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from manager_lab import Cloud, Fenix, Manager, StartManager, Writer, make_world, managing, serving

from fenix.clouds.simulated.server import create_app


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What has to be stopped, in the opposite order."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def fenix(stack: ExitStack) -> Fenix:
    """Fenix's place."""
    fenix = Fenix()
    fenix.url = stack.enter_context(serving(fenix.app))
    return fenix


@pytest.fixture
def cloud(stack: ExitStack) -> Cloud:
    """The application's cloud."""
    world = make_world()
    url = stack.enter_context(serving(create_app(world)))
    http = stack.enter_context(httpx.Client(base_url=url, trust_env=False))
    return Cloud(world, url, http)


@pytest.fixture
def start_manager(stack: ExitStack, fenix: Fenix, cloud: Cloud) -> StartManager:
    """Starts managers of the application in the cloud."""

    def start(**settings: Any) -> Manager:
        return stack.enter_context(managing(fenix, cloud, **settings))

    return start


@pytest.fixture
def write() -> Writer:
    """Composes messages."""
    # A public endpoint that only resolves for others: the manager has its own way to Fenix.
    return Writer("http://fenix.example:12347/v1")
