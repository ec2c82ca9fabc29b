"""What each line of the log is about: ids that are set once, and hold for all that happens within.

oslo.log's own context belongs to a thread; here many sessions and requests share one. So the ids
are kept with the task, and every record gets them when it is made.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from oslo_config import cfg
from oslo_log import log as oslo_log

QUIET = ("httpx=WARNING", "httpcore=WARNING")
"""Libraries that would write a line for each message that is delivered."""

FORMAT = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [-] %(about)s%(message)s"
_SHOWN = ("request_id", "session", "host", "instance")
_about: ContextVar[Mapping[str, str]] = ContextVar("fenix_about", default={})  # noqa: B039
_make = logging.LogRecord


@contextmanager
def about(**ids: str | None) -> Iterator[None]:
    """Lets lines from within carry ids: `request_id`, `session`, `host`, `instance` and so on."""
    token = _about.set(_with(ids))
    try:
        yield
    finally:
        _about.reset(token)


def also_about(**ids: str | None) -> None:
    """Adds ids until the `about` around it ends."""
    _about.set(_with(ids))


def register(conf: cfg.ConfigOpts) -> None:
    """Registers oslo.log's options, with our defaults."""
    oslo_log.register_options(conf)
    conf.set_default("default_log_levels", [*oslo_log.get_default_log_levels(), *QUIET])
    for name in ("logging_default_format_string", "logging_context_format_string"):
        conf.set_default(name, FORMAT)


def set_up(conf: cfg.ConfigOpts) -> None:
    """Has the log written as the configuration says."""
    oslo_log.setup(conf, "fenix")
    logging.setLogRecordFactory(record)


def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    """A record with the ids: for JSON all of them, for people those that the text does not have."""
    made = _make(*args, **kwargs)
    ids = _about.get()
    made.about = ""
    if ids:
        made.context = dict(ids)
        text = made.getMessage()
        missing = [f"{name} {ids[name]}" for name in _SHOWN if ids.get(name, text) not in text]
        made.about = f"[{', '.join(missing)}] " if missing else ""
    return made


def _with(ids: Mapping[str, str | None]) -> Mapping[str, str]:
    return {**_about.get(), **{name: value for name, value in ids.items() if value is not None}}
