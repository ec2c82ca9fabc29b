"""Runs API and engine, together or apart, until they are to stop."""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from oslo_config import cfg

from fenix import logs
from fenix.api import UnsafeListen, check_listen, create_app
from fenix.engine import Engine
from fenix.service.errors import CannotStart, explained
from fenix.service.http import HttpServer, listen
from fenix.service.metrics import metrics_app
from fenix.service.parts import Parts
from fenix.service.schema import ready

log = logging.getLogger(__name__)

_STOPPING = (signal.SIGTERM, signal.SIGINT)


async def run(
    parts: Parts,
    stop: asyncio.Event,
    *,
    api: bool = True,
    engine: bool = True,
) -> None:
    """Serves the API, carries sessions, or both, until `stop` is set; then closes the parts.

    The engine gives its leases back at once when it is to stop, so that another one can go on with
    the sessions while calls of the API that are under way still get their answers.

    Args:
        stop: ends it.

    Raises:
        CannotStart: with what to change.
    """
    try:
        check(parts, both=api and engine)
        carrying = Engine(parts.tools()) if engine else None
        server = _server(parts, carrying) if api else _metrics_server(parts.conf)
        async with asyncio.TaskGroup() as tasks:
            ends: list[Callable[[], object]] = []
            if carrying:
                ends.append(tasks.create_task(carrying.run()).cancel)
                log.info("engine %s runs", carrying.id)
            if server:
                tasks.create_task(server.serve())
                ends.append(server.stop)
                log.info("%s on %s", "the API listens" if api else "metrics are", server.url)
            await stop.wait()
            log.info("stopping")
            for end in ends:
                end()
    finally:
        await parts.close()


def run_until_signalled(work: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Runs something in an event loop of its own, and tells it to stop on SIGTERM and SIGINT.

    A second signal has its usual effect, for those who can't wait.

    Args:
        work: gets the event that is set when it is to stop.
    """

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def ask() -> None:
            stop.set()
            for number in _STOPPING:
                loop.remove_signal_handler(number)

        for number in _STOPPING:
            loop.add_signal_handler(number, ask)
        await work(stop)

    asyncio.run(main())


def set_up_log(conf: cfg.ConfigOpts) -> None:
    """Has the log written as the configuration says."""
    logs.set_up(conf)


def check(parts: Parts, both: bool) -> None:
    """Checks that the database serves the processes that there are.

    Args:
        both: API and engine share this process.

    Raises:
        CannotStart: it does not, or its schema is another one's.
    """
    database = parts.database
    if database.embedded and not both:
        raise CannotStart(
            f"[database] connection: {database.url.render_as_string()!r} is not valid for an API "
            "and an engine in processes of their own; allowed: mysql+pymysql:// or "
            'postgresql+psycopg://, or "fenix serve"'
        )
    ready(database)


def _server(parts: Parts, engine: Engine | None) -> HttpServer:
    api: Any = parts.conf.api
    with explained(UnsafeListen):
        check_listen(api.host, api.auth_strategy)
    app = create_app(parts.services(engine.wake if engine else None))
    with explained(CannotStart, what="[api] host, port"):
        return HttpServer(app, listen(api.host, api.port))


def _metrics_server(conf: Any) -> HttpServer | None:
    """What an engine without an API shows, where the configuration has a port for it."""
    if conf.metrics.port is None:
        return None
    with explained(CannotStart, what="[metrics] host, port"):
        return HttpServer(metrics_app(), listen(conf.metrics.host, conf.metrics.port))
