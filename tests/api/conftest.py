"""The API under test, and plug-ins that are really installed: on the path, with entry points."""

import sys
from collections.abc import Iterator

import pytest

from tests.api.harness import Api

PLUGIN = """\
from fenix.actions.base import Action


class Picky(Action):
    def run(self, request):
        pass

    @classmethod
    def validate(cls, metadata):
        if "release" not in metadata:
            raise ValueError("release is missing")


class Broken(Action):
    def run(self, request):
        pass

    @classmethod
    def validate(cls, metadata):
        return metadata["nothing"]["like"]["this"]
"""
ENTRIES = """\
[fenix.actions]
picky = picky_plugin:Picky
broken = picky_plugin:Broken
absent = picky_plugin:Absent
[fenix.workflows]
absent = picky_plugin:Absent
"""


@pytest.fixture(scope="package", autouse=True)
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A package with action plug-ins, as `pip` would install it."""
    place = tmp_path_factory.mktemp("installed")
    (place / "picky_plugin.py").write_text(PLUGIN)
    meta = place / "picky_plugin-1.0.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: picky-plugin\nVersion: 1.0\n")
    (meta / "entry_points.txt").write_text(ENTRIES)
    sys.path.insert(0, str(place))
    yield
    sys.path.remove(str(place))
    sys.modules.pop("picky_plugin", None)


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    yield made
    made.close()
