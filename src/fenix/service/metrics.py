"""The listener of a process that has no API, for Prometheus."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fenix.metrics import CONTENT_TYPE, exposition


async def _metrics(_: Request) -> Response:
    return Response(exposition(), media_type=CONTENT_TYPE)


def metrics_app() -> Starlette:
    """An application that shows what the process has counted."""
    return Starlette(routes=[Route("/metrics", _metrics)])
