"""What the tests of the command line need: a service, commands, processes."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fenix.clouds.simulated import SimulatedHost, SimulatedInstance, World
from fenix.domain import Resources
from tests.cli.harness import Fenix, Processes, Served, process_factory

SIZE = Resources(4, 8192, 100)


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own account or service takes part."""
    for name in ("OS_CLOUD", "OS_AUTH_URL", "FENIX_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """What a shell starts in the background ignores interrupts, and so do our processes then."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def fenix(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Fenix:
    """Calls `fenix`."""
    return Fenix(monkeypatch, capsys)


@pytest.fixture
def world() -> World:
    """Three empty hosts, and one with an instance of a project that nobody can ask."""
    hosts = [SimulatedHost(f"compute-{number}", SIZE) for number in range(1, 5)]
    lonely = SimulatedInstance("i-1", "lonely", "p1", Resources(1, 1024, 10), "compute-4")
    return World(hosts, [], [lonely])


@pytest.fixture
def served(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The service; commands find it by themselves."""
    served = Served(tmp_path, world)
    served.start()
    monkeypatch.setenv("FENIX_URL", served.url)
    yield served
    served.stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Processes]:
    """Starts `fenix` in processes of their own."""
    with process_factory(tmp_path) as processes:
        yield processes
