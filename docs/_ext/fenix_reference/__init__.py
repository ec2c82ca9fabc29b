"""Makes the reference from the code at each build, so that the two can't contradict each other.

Each maker returns the Markdown of one page's generated part; the pages under `docs/reference`
include them. A maker fails the build when the code has something that nobody has described.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from fenix_reference import (
    cli,
    configuration,
    events,
    http_api,
    messages,
    metrics,
    plugins,
    policies,
    reports,
    scenarios,
    session_options,
    states,
)

log = logging.getLogger(__name__)

MAKERS: dict[str, Callable[[], str]] = {
    "cli.md": cli.page,
    "configuration.md": configuration.page,
    "events.md": events.page,
    "http-api.md": http_api.page,
    "messages.md": messages.page,
    "metrics.md": metrics.page,
    "plugins.md": plugins.page,
    "policies.md": policies.page,
    "reports.md": reports.page,
    "scenarios.md": scenarios.page,
    "session-options.md": session_options.page,
    "states.md": states.page,
    "session-states.svg": states.session_diagram,
    "host-states.svg": states.host_diagram,
    "instance-states.svg": states.instance_diagram,
}


def setup(app: Sphinx) -> dict[str, Any]:
    """Has everything made before pages are read."""
    app.connect("builder-inited", _make)
    app.connect("env-get-outdated", lambda *_: ["index"])
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _make(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "reference" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    for name, maker in MAKERS.items():
        text = maker().rstrip() + "\n"
        path = folder / name
        # Left alone where nothing has changed, so that only changed pages are built anew.
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            log.info("made reference/generated/%s", name)
