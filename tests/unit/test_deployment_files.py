"""The files in etc/ fit the program that they are for."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "etc/systemd").glob("*.service"))
BIN = Path(sys.executable).parent


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_units_are_valid_and_strict(unit: Path, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not there")
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace("/opt/fenix/bin", str(BIN)))
    verified = subprocess.run(
        ["systemd-analyze", "verify", here], capture_output=True, text=True, timeout=60
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", here],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert rated.returncode == 0, rated.stdout[-500:]


def test_units_run_commands_that_there_are() -> None:
    started = [re.search(r"^ExecStart=(.*)$", unit.read_text(), re.M) for unit in UNITS]
    commands = [found[1].split() for found in started if found]
    assert [words[1] for words in commands] == ["api", "engine"]
    for words in commands:
        shown = subprocess.run(
            [BIN / "fenix", words[1], "--help"], capture_output=True, text=True, timeout=60
        )
        assert words[2] in shown.stdout


def test_the_sample_has_every_group_that_a_configuration_may_have(tmp_path: Path) -> None:
    sample = tmp_path / "fenix.conf.sample"
    config = (ROOT / "etc/fenix/config-generator.conf").read_text()
    made = tmp_path / "generator.conf"
    made.write_text(re.sub(r"(?m)^output_file = .*$", f"output_file = {sample}", config))
    subprocess.run(
        [BIN / "oslo-config-generator", "--config-file", made],
        check=True,
        capture_output=True,
        timeout=120,
    )
    groups = re.findall(r"(?m)^\[(\w+)\]$", sample.read_text())
    used = re.findall(r"(?m)^\[(\w+)\]$", (ROOT / "docs/examples/openstack.conf").read_text())
    assert set(used) <= set(groups)
    assert {"DEFAULT", "engine", "session", "oslo_policy"} <= set(groups)


def test_the_container_has_what_it_copies() -> None:
    text = (ROOT / "Containerfile").read_text()
    wanted = [
        word for line in re.findall(r"(?m)^COPY (?!--)(.*) \S+$", text) for word in line.split()
    ]
    assert wanted
    ignored = (ROOT / ".containerignore").read_text().split()
    for name in wanted:
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored
