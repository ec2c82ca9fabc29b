"""A run is done once, whatever happens to the engines and the supervisor."""

import asyncio
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from action_bench import Bench, alive, until

from fenix.actions import ActionResult

ENGINE = """
import asyncio, sys
from pathlib import Path
from fenix.actions import ActionRequest
from fenix.actions.process import ProcessRunner
from fenix.domain import ActionType
state, run_id, plugin, notes, gate = sys.argv[1:]
request = ActionRequest(
    run_id, "s1", plugin, ActionType.HOST, "h1", {"notes": notes, "gate": gate}, {}, 60
)
print(asyncio.run(ProcessRunner(Path(state)).run(request)))
"""


def engine(bench: Bench, plugin: str) -> "subprocess.Popen[str]":
    """A process that runs the run, as an engine does."""
    return subprocess.Popen(
        [sys.executable, "-c", ENGINE, bench.state, bench.run_id, plugin, bench.notes, bench.gate],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_run_that_is_over_is_not_run_again(bench: Bench) -> None:
    first = bench.run("noop")
    bench.runner = bench.new_runner()
    # Not even looked at: the plug-in of the second request does not exist.
    assert bench.run("unheard-of") == first


def test_a_second_runner_joins(bench: Bench) -> None:
    request = bench.request("gated")

    async def main() -> None:
        first = asyncio.create_task(bench.runner.run(request))
        await bench.noting()
        first.cancel()
        await asyncio.wait([first])
        async with asyncio.TaskGroup() as group:
            second = group.create_task(bench.new_runner().run(request))
            bench.open_gate()
        assert second.result() == ActionResult(None, "before the gate\nthrough the gate now\n")

    asyncio.run(main())
    assert len(bench.noted()) == 1


def test_a_run_outlives_its_engine(bench: Bench) -> None:
    """The engine is killed in the middle; its successor gets the result."""

    async def main() -> ActionResult:
        with engine(bench, "gated") as first:
            await bench.noting()
            first.kill()
        joining = asyncio.create_task(bench.runner.run(bench.request("gated")))
        assert alive(bench.noted()[0])
        bench.open_gate()
        return await joining

    assert asyncio.run(main()).error is None
    assert len(bench.noted()) == 1


def test_a_run_ends_without_any_engine(bench: Bench) -> None:
    async def main() -> None:
        with engine(bench, "gated") as first:
            await bench.noting()
            first.kill()
        bench.open_gate()
        await until((bench.files / "result.json").exists, "a result")

    asyncio.run(main())
    assert bench.run("gated") == ActionResult(None, "before the gate\nthrough the gate now\n")


def test_a_runner_that_is_cancelled_before_it_begins_blocks_nobody(bench: Bench) -> None:
    request = bench.request("noop")

    async def main() -> ActionResult:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = Event()
        loop.run_in_executor(None, busy.wait)
        first = asyncio.create_task(bench.runner.run(request))
        await asyncio.wait([first], timeout=0.1)
        first.cancel()
        await asyncio.wait([first])
        busy.set()
        return await bench.new_runner().run(request)

    assert asyncio.run(main()).error is None


def test_runners_that_start_together_run_it_once(bench: Bench) -> None:
    request = bench.request("gated")

    async def main() -> list[ActionResult]:
        runners = [bench.new_runner() for _ in range(8)]
        tasks = [asyncio.create_task(runner.run(request)) for runner in runners]
        await bench.noting()
        bench.open_gate()
        return await asyncio.gather(*tasks)

    results = asyncio.run(main())
    assert len(bench.noted()) == 1
    assert {result.error for result in results} == {None}


def test_engines_that_start_together_run_it_once(bench: Bench) -> None:
    engines = [engine(bench, "gated") for _ in range(3)]
    asyncio.run(bench.noting())
    bench.open_gate()
    printed = {started.communicate(timeout=30)[0] for started in engines}
    assert len(bench.noted()) == 1
    assert printed == {
        "ActionResult(error=None, log='before the gate\\nthrough the gate now\\n')\n"
    }


async def kill_supervisor(bench: Bench) -> None:
    os.kill(bench.supervisor(), signal.SIGKILL)


def test_without_its_supervisor_the_outcome_is_unknown(bench: Bench) -> None:
    async def main() -> ActionResult:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(bench.runner.run(bench.request("gated")))
            log = bench.files / "log"
            await until(lambda: log.exists() and log.stat().st_size > 0, "a line in the log")
            await bench.noting()
            await kill_supervisor(bench)
        return running.result()

    result = asyncio.run(main())
    assert result == ActionResult(
        "it was interrupted, its outcome is not known", "before the gate\n"
    )
    assert not any(alive(pid) for pid in bench.noted()), "the plug-in goes on with nobody to watch"
    assert bench.run("gated") == result, "every engine gets the same answer"


def test_a_plugin_that_is_rerun_safe_is_run_again(bench: Bench) -> None:
    async def main() -> ActionResult:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(bench.runner.run(bench.request("gatedsafe")))
            await bench.noting()
            await kill_supervisor(bench)
            await bench.noting(2)
            first, second = bench.noted()
            assert not alive(first)
            assert alive(second)
            bench.open_gate()
        return running.result()

    assert asyncio.run(main()).error is None
    assert len(bench.noted()) == 2


def test_but_not_for_ever(bench: Bench) -> None:
    async def main() -> ActionResult:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(bench.runner.run(bench.request("gatedsafe")))
            for count in (1, 2, 3):
                await bench.noting(count)
                await kill_supervisor(bench)
        return running.result()

    error = asyncio.run(main()).error
    assert error is not None
    assert "its supervisor died 3 times" in error


def test_a_supervisor_that_can_not_start_says_why(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = bench.path / "broken"
    broken.mkdir()
    (broken / "fcntl.py").write_text("raise ImportError('this Python is broken')\n")
    bench.runner = bench.new_runner(environment={"PYTHONPATH": str(broken)})
    error = bench.run("noop").error
    assert error is not None
    assert "this Python is broken" in error


def test_a_supervisor_that_hangs_is_ended(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fenix.actions.process._GRACE", 0.0)

    async def main() -> ActionResult:
        async with asyncio.TaskGroup() as group:
            request = bench.request("gated", time_limit=2)
            running = group.create_task(bench.runner.run(request))
            await bench.noting()
            os.kill(bench.supervisor(), signal.SIGSTOP)
        return running.result()

    result = asyncio.run(main())
    assert result.error == "it was interrupted, its outcome is not known"
    assert not any(alive(pid) for pid in bench.noted())
