"""What a plug-in may do to its runner: everything, and the run still ends as it should."""

import asyncio
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from action_bench import Bench, alive

from fenix.actions import ActionResult
from fenix.actions.process import ProcessRunner


def test_success_and_its_log(bench: Bench) -> None:
    assert bench.run("noop") == ActionResult(None, "nothing to do on h1\n")


def test_the_log_holds_all_output_in_order_as_clean_text(bench: Bench) -> None:
    result = bench.run("printing")
    assert result.error is None
    assert result.log.splitlines() == [
        "surrogate \\ud800",
        "to stderr",
        "nul \ufffd, no UTF-8 \ufffd",
        "from a program",
        "end",
    ]


def test_a_directory_in_which_others_could_put_requests_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "actions").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "open" / "actions").mkdir(parents=True)
    (tmp_path / "open" / "actions").chmod(0o770)
    for name in ("linked", "open"):
        with pytest.raises(PermissionError, match="nobody else may write"):
            ProcessRunner(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no space left on h1", "no space left on h1"),
        ("", "ValueError"),
        ("x" * 10_000, "x" * 2000),
        ("nul \0 and \ud800", "nul \ufffd and ?"),
    ],
)
def test_an_exception_is_the_reason(bench: Bench, text: str, reason: str) -> None:
    result = bench.run("raising", text=text)
    assert result.error == reason
    assert "Traceback" in result.log


@pytest.mark.parametrize(
    ("plugin", "reason"),
    [
        ("killed", "it was ended by SIGKILL"),
        ("pretending", "it ended by itself, with exit code 0, instead of returning"),
        ("exiting", "SystemExit"),
        ("noaction", "a subclass of"),
        ("absent", "no attribute 'Absent'"),
        ("unheard-of", "an installed action plug-in: absent, breeding, command"),
    ],
)
def test_other_ways_to_fail(bench: Bench, plugin: str, reason: str) -> None:
    result = bench.run(plugin)
    assert result.error is not None
    assert reason in result.error


def test_what_was_printed_before_the_end_is_kept(bench: Bench) -> None:
    assert bench.run("killed").log == "so far\n"


def test_the_time_limit_ends_all_of_it(bench: Bench) -> None:
    before = time.monotonic()
    result = bench.run("hanging", time_limit=1)
    assert result.error == "it did not end within its time limit of 1 s"
    assert time.monotonic() - before < 15
    program = int(result.log.split()[-1])
    assert not alive(program)


def test_a_limit_of_a_month_is_a_limit(bench: Bench) -> None:
    """Longer than what poll() can wait."""
    assert bench.run("noop", time_limit=30 * 86400).error is None


def test_programs_that_are_left_behind_are_ended(bench: Bench) -> None:
    assert bench.run("leaving").error is None
    programs = bench.noted()
    assert len(programs) == 3
    assert not any(alive(pid) for pid in programs)


def test_a_program_that_keeps_changing_its_process_is_ended(bench: Bench) -> None:
    result = bench.run("breeding")
    assert result.error is None
    assert "can't be ended" not in result.log
    with pytest.raises(ProcessLookupError):
        os.killpg(int(result.log.split()[-1]), 0)


def test_orphans_do_not_pile_up(bench: Bench) -> None:
    """The supervisor adopts them, so it has to bury them, too."""
    result = bench.run("orphaning")
    assert result.error is None
    assert int(result.log) < 50


def test_copies_that_come_back_do_not_count(bench: Bench) -> None:
    result = bench.run("forking")
    assert result == ActionResult(None, "done\n" * 3)
    asyncio.run(bench.quiet())


def test_a_flood_of_output_is_cut(bench: Bench) -> None:
    result = bench.run("flooding")
    assert result.error is None
    assert result.log.endswith("x\nthe end\n")
    assert len(result.log) < 70_000
    assert result.log.startswith(f"[{2**30 + len('the end') + 1 - 65536} bytes left out]")
    files = bench.files.iterdir()
    assert sum(file.stat().st_size for file in files) < 400_000


def test_plugins_get_none_of_the_engines_secrets(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_PASSWORD", "secret")
    monkeypatch.setenv("FENIX_DATABASE", "mysql://fenix:secret@db/fenix")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    bench.runner = bench.new_runner(environment={"FENIX_COMMAND_DIR": "/opt/fenix"})
    seen = bench.run("environment").log
    names = set(re.findall(r"^(\w+)=", seen, re.MULTILINE))
    assert "secret" not in seen
    assert {"PATH", "LC_ALL", "FENIX_COMMAND_DIR", "FENIX_RUN_ID"} <= names
    assert "input: b''" in seen


def test_the_files_are_nobody_elses_business(bench: Bench) -> None:
    bench.run("noop")
    assert (bench.state / "actions").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("run_id", ["", "..", "a/b", "../a", "x" * 201, "a\0"])
def test_run_ids_are_no_paths(bench: Bench, run_id: str) -> None:
    with pytest.raises(ValueError, match="run_id"):
        bench.run("noop", run_id=run_id)


def test_runs_do_not_wait_for_each_other(bench: Bench) -> None:
    """The gated one ends only after the others have ended."""

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            gated = group.create_task(bench.runner.run(bench.request("gated", run_id="gated")))
            await bench.noting()
            others = [bench.request("noop", run_id=f"run-{number}") for number in range(5)]
            await asyncio.gather(*map(bench.runner.run, others))
            assert not gated.done()
            bench.open_gate()
        assert gated.result().error is None

    asyncio.run(main())


def test_a_disk_that_can_not_be_written_is_an_answer(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    error = bench.run("noop").error
    assert error is not None
    assert "No space left" in error


def test_old_runs_are_removed_and_those_under_way_are_not(bench: Bench) -> None:
    async def main() -> None:
        await bench.runner.run(bench.request("noop", run_id="old"))
        await bench.runner.run(bench.request("noop", run_id="new"))
        runs = bench.state / "actions"
        async with asyncio.TaskGroup() as group:
            group.create_task(bench.runner.run(bench.request("gated", run_id="working")))
            await bench.noting()
            for name in ("old", "working"):
                os.utime(runs / name, (0, 0))
            bench.new_runner()
            assert {path.name for path in runs.iterdir()} == {"new", "working"}
            bench.open_gate()

    asyncio.run(main())


def test_the_supervisor_imports_little() -> None:
    """It is started for every action on every host."""
    code = "import fenix.actions.child, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"asyncio", "sqlalchemy", "oslo_config", "yaml", "httpx", "pydantic", "stevedore"}
    assert not heavy & set(loaded)
    ours = {name for name in loaded if name.startswith("fenix.")}
    assert all(name.startswith(("fenix.actions", "fenix.domain")) for name in ours)


def test_state_may_be_in_a_path_with_odd_characters(tmp_path: Path, installed: Path) -> None:
    odd = tmp_path / "a b'ü$(x)"
    odd.mkdir()
    assert Bench(odd).run("noop").error is None
