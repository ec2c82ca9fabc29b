import asyncio
import json
import time
from pathlib import Path

import pytest
from action_bench import Bench

from fenix.actions import Action, ActionFailed, ActionRequest, ActionResult, plugins
from fenix.actions.command import CommandAction
from fenix.actions.noop import NoopAction
from fenix.actions.simulated import SimulatedAction
from fenix.domain import ActionType, InvalidField

SCRIPT = """#!/bin/sh
echo "$1|$2|$FENIX_HOST|$FENIX_SESSION_ID|$FENIX_ACTION_TYPE|$FENIX_RUN_ID"
echo "$FENIX_METADATA"
echo "$FENIX_SESSION_METADATA" >&2
exit $3
"""


@pytest.fixture
def commands(bench: Bench) -> Path:
    """The operator's directory, known to the bench's runner."""
    directory = bench.path / "commands"
    directory.mkdir()
    script = directory / "upgrade-host"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    (directory / "notes.txt").write_text("not executable")
    (directory / "folder").mkdir()
    (bench.path / "outside").write_text("#!/bin/sh\n")
    (bench.path / "outside").chmod(0o755)
    bench.runner = bench.new_runner(environment={"FENIX_COMMAND_DIR": str(directory)})
    return directory


def run(bench: Bench, metadata: dict[str, object], host: str | None = "h1") -> ActionResult:
    request = ActionRequest(
        bench.run_id, "s1", "command", ActionType.HOST, host, metadata, {"v": "2"}, 30
    )
    return asyncio.run(bench.runner.run(request))


def test_the_installed_plugins() -> None:
    assert {"command", "noop", "simulated"} <= set(plugins.names())
    assert plugins.load("noop") is NoopAction
    assert all(issubclass(plugins.load(name), Action) for name in ("command", "simulated"))


def test_an_unknown_plugin_is_answered_with_what_there_is() -> None:
    with pytest.raises(InvalidField, match=r"'nope'.*command, noop, simulated"):
        plugins.load("nope")


def test_what_is_no_action_is_refused(installed: Path) -> None:
    with pytest.raises(TypeError, match="noaction"):
        plugins.load("noaction")


def test_a_command_is_told_all_and_its_output_is_the_log(bench: Bench, commands: Path) -> None:
    metadata = {"command": "upgrade-host", "args": ["a b", "$(id)", "0"]}
    result = run(bench, metadata)
    assert result.error is None
    first, told, session = result.log.splitlines()
    assert first == f"a b|$(id)|h1|s1|host|{bench.run_id}"
    assert json.loads(told) == metadata
    assert json.loads(session) == {"v": "2"}


def test_without_a_host_its_name_is_empty(bench: Bench, commands: Path) -> None:
    result = run(bench, {"command": "upgrade-host", "args": ["a", "b", "0"]}, host=None)
    assert result.log.startswith("a|b||s1|")


def test_a_code_other_than_0_is_failure(bench: Bench, commands: Path) -> None:
    result = run(bench, {"command": "upgrade-host", "args": ["a", "b", "3"]})
    assert result.error == "upgrade-host ended with exit code 3"
    assert "Traceback" not in result.log


def test_a_signal_is_failure(bench: Bench, commands: Path) -> None:
    (commands / "suicidal").write_text("#!/bin/sh\nkill -SEGV $$\n")
    (commands / "suicidal").chmod(0o755)
    assert run(bench, {"command": "suicidal"}).error == "suicidal was ended by SIGSEGV"


@pytest.mark.parametrize("name", ["missing", "notes.txt", "folder"])
def test_only_executable_files_are_run(bench: Bench, commands: Path, name: str) -> None:
    assert f"{name} is not an executable file" in str(run(bench, {"command": name}).error)


def test_a_file_that_the_system_can_not_run(bench: Bench, commands: Path) -> None:
    (commands / "broken").write_text("#!/no/such/interpreter\n")
    (commands / "broken").chmod(0o755)
    assert "No such file" in str(run(bench, {"command": "broken"}).error)


def test_without_a_directory_no_command_is_run(bench: Bench) -> None:
    assert "command_dir is not set" in str(run(bench, {"command": "sh"}).error)


@pytest.mark.parametrize(
    "name",
    [
        *("../outside", "/bin/sh", "folder/../upgrade-host", "./upgrade-host", "..", "."),
        *("", " ", "a b", "upgrade-host\n", "a\0b", "-x", None, 3, ["sh"]),
    ],
)
def test_names_are_no_paths(bench: Bench, commands: Path, name: object) -> None:
    with pytest.raises(ValueError, match="command:"):
        CommandAction.validate({"command": name})
    assert "command:" in str(run(bench, {"command": name}).error)


@pytest.mark.parametrize("args", ["-v", {"a": 1}, [1], [None], ["a\0b"], None])
def test_arguments_are_a_list_of_strings(args: object) -> None:
    with pytest.raises(ValueError, match="args:"):
        CommandAction.validate({"command": "x", "args": args})


def test_metadata_that_would_be_ignored_is_refused() -> None:
    with pytest.raises(ValueError, match="argz: is not known; allowed: command, args"):
        CommandAction.validate({"command": "x", "argz": []})


def test_a_command_is_not_simply_run_again() -> None:
    assert not CommandAction.rerun_safe
    assert NoopAction.rerun_safe
    assert SimulatedAction.rerun_safe


def test_simulated_work_takes_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    request = ActionRequest(
        "r1", "s1", "simulated", ActionType.HOST, "h1", {"seconds": 0.2}, {}, 30
    )
    before = time.monotonic()
    SimulatedAction().run(request)
    assert 0.2 <= time.monotonic() - before < 5
    assert capsys.readouterr().out == "working on h1 for 0.2 s\n"


@pytest.mark.parametrize("seconds", [0, 1, 2.5, 30 * 86400])
def test_durations(seconds: float) -> None:
    SimulatedAction.validate({"seconds": seconds})
    SimulatedAction.validate({})


@pytest.mark.parametrize(
    "seconds", [-1, "5", None, True, float("nan"), float("inf"), [1], 10**400, 10**9]
)
def test_durations_that_are_none(seconds: object) -> None:
    with pytest.raises(ValueError, match="seconds:"):
        SimulatedAction.validate({"seconds": seconds})


def test_anything_goes_for_noop() -> None:
    NoopAction.validate({"any": ["thing"]})


def test_a_failure_with_a_reason_is_an_exception_for_authors() -> None:
    assert issubclass(ActionFailed, Exception)
