"""All options of Fenix, in code, so that the reference and the sample file are made from them.

Drivers of clouds and channels keep options of their own in groups of their own; everything else
that an operator can choose is here.
"""

import importlib
import re
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from oslo_config import cfg

from fenix import __version__, logs
from fenix.config.checks import ConfigurationError, check_endpoint, check_timing
from fenix.config.options import API, DATABASE, DEFAULT, ENGINE, METRICS
from fenix.config.plan import plan_opts
from fenix.config.session import session_options, session_opts
from fenix.messaging import secrets as subscription_secrets

__all__ = [
    "ConfigurationError",
    "check_timing",
    "engine_options",
    "list_opts",
    "load",
    "session_options",
]

_GROUPS: list[tuple[cfg.OptGroup, list[cfg.Opt]]] = [
    (cfg.OptGroup("DEFAULT"), DEFAULT),
    (cfg.OptGroup("database", help="Where everything is kept."), DATABASE),
    (cfg.OptGroup("api", help="The HTTP API."), API),
    (cfg.OptGroup("engine", help="How the engine behaves in time."), ENGINE),
    (cfg.OptGroup("metrics", help="What engines show to Prometheus."), METRICS),
    (
        cfg.OptGroup("subscriptions", help="What messages by HTTP are signed with."),
        list(subscription_secrets.OPTS),
    ),
    (
        cfg.OptGroup("session", help="What a session does whose request does not say otherwise."),
        list(session_opts()),
    ),
    (
        cfg.OptGroup("plan", help="What a plan assumes whose request does not say otherwise."),
        list(plan_opts()),
    ),
]


def load(argv: Sequence[str] = (), files: Sequence[str | Path] | None = None) -> cfg.ConfigOpts:
    """Reads the configuration and checks all of it.

    Args:
        argv: arguments of the command line, without the program's name.
        files: configuration files; None: those that oslo.config finds for "fenix".

    Raises:
        ConfigurationError: a value is not allowed, or values contradict each other.
    """
    conf = cfg.ConfigOpts()
    logs.register(conf)
    for group, opts in _GROUPS:
        # A group keeps what is set in it: each configuration needs its own.
        own = cfg.OptGroup(group.name, help=group.help)
        conf.register_opts(opts, group=None if group.name == "DEFAULT" else own)
    try:
        conf(
            args=list(argv),
            project="fenix",
            version=__version__,
            default_config_files=None if files is None else [str(file) for file in files],
        )
    except (cfg.Error, ValueError) as error:
        raise ConfigurationError(_readable(error)) from error
    for group, opts in _GROUPS:
        for opt in opts:
            _value(conf, group.name, opt.dest)
    check_timing(conf)
    check_endpoint(conf.api.public_endpoint)
    return conf


def engine_options(conf: cfg.ConfigOpts) -> dict[str, Any]:
    """The arguments of `fenix.engine.settings.EngineSettings`."""
    named = {opt.dest: conf.engine[opt.dest] for opt in ENGINE}
    return named | {"public_endpoint": conf.api.public_endpoint, "machine": conf.machine}


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """All options, those of installed drivers included, for oslo-config-generator."""
    found = [(group.name, opts) for group, opts in _GROUPS]
    for kind in ("fenix.clouds", "fenix.channels"):
        for entry in sorted(entry_points(group=kind)):
            module = importlib.import_module(entry.module)
            if hasattr(module, "list_opts"):
                found += module.list_opts()
    return found


def _value(conf: cfg.ConfigOpts, group: str, name: str) -> Any:
    try:
        return conf[name] if group == "DEFAULT" else conf[group][name]
    except (cfg.Error, ValueError) as error:
        raise ConfigurationError(f"[{group}] {name}: {_readable(error)}") from error


def _readable(error: Exception) -> str:
    """oslo.config's words without its internals."""
    return re.sub(r"LocationInfo\(.*?detail='(.*?)'\)", r"\1", str(error))
