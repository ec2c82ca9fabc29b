from pathlib import Path

import pytest
from action_bench import Bench

PLUGINS = [
    "Gated",
    "GatedSafe",
    "Hanging",
    "Leaving",
    "Breeding",
    "Orphaning",
    "Forking",
    "Flooding",
    "Printing",
    "Environment",
    "Killed",
    "Pretending",
    "Exiting",
    "Raising",
    "NoAction",
    "Absent",  # in the package's metadata, and not in its module
]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in which the plug-ins of `sample_plugins` are installed as pip does it."""
    site = tmp_path / "site"
    information = site / "fenix_samples-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: fenix-samples\n")
    entries = [f"{name.lower()} = fenix_samples:{name}" for name in PLUGINS]
    (information / "entry_points.txt").write_text("\n".join(["[fenix.actions]", *entries]) + "\n")
    source = Path(__file__).with_name("sample_plugins.py")
    (site / "fenix_samples.py").write_bytes(source.read_bytes())
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site))
    return site


@pytest.fixture
def bench(tmp_path: Path, installed: Path) -> Bench:
    return Bench(tmp_path)
