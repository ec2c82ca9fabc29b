"""Lines of the log tell what they are about, also those that are written in threads."""

import asyncio
import logging
from collections.abc import Iterator

import pytest

from fenix import logs
from fenix.threads import Threads


@pytest.fixture(autouse=True)
def _records() -> Iterator[None]:
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logs.record)
    yield
    logging.setLogRecordFactory(before)


def test_each_call_in_a_thread_is_about_what_its_task_is_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Many tasks share one thread, which must not remember the one before."""

    async def task(session: str | None) -> None:
        with logs.about(session=session, host="h1" if session else None):
            line = f"for {session}"
            await asyncio.get_running_loop().run_in_executor(threads, logging.warning, line)

    async def main() -> None:
        await asyncio.gather(*(task(name) for name in ("s1", None, "s2", None)))

    threads = Threads(1)
    asyncio.run(main())
    threads.shutdown()
    found = {one.getMessage(): getattr(one, "context", None) for one in caplog.records}
    assert found == {
        "for s1": {"session": "s1", "host": "h1"},
        "for s2": {"session": "s2", "host": "h1"},
        "for None": None,
    }
