"""The options that say what session is meant: to create it, and to plan it."""

from typing import Annotated, Any

import typer

Many = list[str] | None

At = Annotated[
    str,
    typer.Option(
        metavar="TIME", help="When to begin: now, +30s (or m, h, d), or YYYY-MM-DD HH:MM:SS."
    ),
]
Workflow = Annotated[str, typer.Option(help="Name of an installed workflow.")]
Hosts = Annotated[Many, typer.Option(help="A host; repeatable. Default: all compute.")]
Actions = Annotated[
    Many,
    typer.Option(
        metavar="PLUGIN:TYPE[:JSON]",
        help="An action plug-in, when it runs (pre, host, compute, controller, post), and its "
        "metadata; repeatable.",
    ),
]
Metadata = Annotated[
    Many, typer.Option(metavar="KEY=VALUE|JSON", help="Told to the applications; repeatable.")
]
Options = Annotated[
    Many, typer.Option(metavar="NAME=VALUE", help="An option of the session; repeatable.")
]


def session_body(
    at: str, workflow: str, host: Many, action: Many, metadata: Many, option: Many
) -> dict[str, Any]:
    """The session in the API's form.

    Raises:
        typer.BadParameter: one of the options is in no known form.
    """
    from fenix.cli import session_request as request

    body = {
        "state": "MAINTENANCE",
        "workflow": workflow,
        "maintenance_at": request.start_time(at),
        "metadata": request.metadata(metadata or []),
        "hosts": host or [],
        "actions": [request.action(text) for text in action or []],
    }
    if option:
        body["options"] = request.options(option)
    return body
