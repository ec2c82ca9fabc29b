"""The API for other ASGI servers than the one that `fenix api` brings along.

```console
$ uvicorn --factory fenix.service.asgi:create
$ hypercorn 'fenix.service.asgi:create()'
```
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from fenix.api import UnsafeListen, check_listen, create_app
from fenix.service.errors import explained
from fenix.service.parts import build, read_config
from fenix.service.running import check, set_up_log

CONFIG_FILES = "FENIX_CONFIG_FILES"
"""Variable with configuration files, separated as in PATH; without it oslo.config looks for them
where OpenStack's services have theirs, such as /etc/fenix/fenix.conf."""


def create() -> FastAPI:
    """Makes the API as the configuration says; engines are processes of their own.

    Its parts are closed when the server ends it (ASGI, "Lifespan Protocol").

    Raises:
        CannotStart: with what to change.
    """
    named = os.environ.get(CONFIG_FILES, "")
    conf = read_config([Path(file) for file in named.split(os.pathsep) if file])
    set_up_log(conf)
    with explained(UnsafeListen):
        # Nobody knows on which address the server listens.
        check_listen("0.0.0.0", conf.api.auth_strategy)
    parts = build(conf)
    check(parts, both=False)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await parts.close()

    app = create_app(parts.services(wake=None))
    app.router.lifespan_context = lifespan
    return app
