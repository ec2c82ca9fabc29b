"""Serves the API with uvicorn, so that the command, a demo and a test serve it alike."""

import uvicorn
from oslo_config import cfg
from starlette.types import ASGIApp

from fenix.api.auth import check_listen

KEEP_ALIVE_SECONDS = 30
SHUTDOWN_SECONDS = 10


def make_server(app: ASGIApp, conf: cfg.ConfigOpts) -> uvicorn.Server:
    """A server that is not running yet; `Server.serve` runs it until `should_exit` is set.

    The log is left as it is: the API writes a line for each call by itself.

    Raises:
        UnsafeListen: see `check_listen`.
    """
    check_listen(conf.api.host, conf.api.auth_strategy)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=conf.api.host,
            port=conf.api.port,
            access_log=False,
            log_config=None,
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )
