"""What goes wrong is said in words that help."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from devcloud import install
from devcloud.cli import main
from devcloud.commands import run
from devcloud.console import DevcloudError
from devcloud.locking import exclusive


def test_a_failing_command_shows_its_code_and_the_end_of_its_output(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = "print('the reason'); raise SystemExit(3)"
    with pytest.raises(DevcloudError, match=r"(?s)exit code 3.*the reason"):
        run([sys.executable, "-c", program], log=log)
    assert "the reason" in log.read_text()


def test_a_command_has_a_limit_and_may_be_missing() -> None:
    with pytest.raises(DevcloudError, match=r"not done after 0\.1 s"):
        run([sys.executable, "-c", "import time; time.sleep(9)"], seconds=0.1)
    with pytest.raises(DevcloudError, match="no-such-program: no such program"):
        run(["no-such-program"])


def test_missing_packages_are_named_with_the_way_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(install, "_PROGRAMS", {"rabbitmq-server": tmp_path / "absent"})
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/" + name)
    with pytest.raises(DevcloudError, match=r"rabbitmq-server are missing: run as root"):
        install.debian_packages()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DevcloudError, match="there is no apt-get"):
        install.debian_packages()


def test_the_lock_is_exclusive(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path),
        pytest.raises(DevcloudError, match=r"waited 0\.1 s in vain for the lock"),
        exclusive(tmp_path, seconds=0.1),
    ):
        pass
    with exclusive(tmp_path, seconds=0.1):
        pass


def test_commands_on_a_cloud_that_never_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEVCLOUD_ROOT", str(tmp_path))
    assert main(["status"]) == 1
    assert main(["destroy"]) == 0
    assert main(["kill-compute", "1"]) == 1
    assert main(["up"]) == 1
    errors = capsys.readouterr().err
    assert "there is no compute-1" in errors
    assert "no golden image" in errors
