"""What the API works with: handed in, so that a server, a demo and a test differ only in this."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import Request
from oslo_config import cfg

from fenix.api.auth import Authenticator, NoAuthenticator
from fenix.api.policy import Policy
from fenix.clouds import Cloud
from fenix.config import session_options
from fenix.config.plan import TIME_LIMIT, assumptions
from fenix.domain import SessionOptions
from fenix.domain.assumptions import Assumptions
from fenix.engine.intake import IntakeRules
from fenix.messaging import Channel
from fenix.simulation.plan_process import PlanDesk
from fenix.store import Database


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """What an operator chooses.

    Attributes:
        public_endpoint: base URL of the API, ``/v1`` included.
        admin_project_id: of administrators without a project.
        max_body_bytes: of a request.
        subscriptions_per_project: how many there may be.
        engine_silence: seconds after which an engine that shows no life counts as gone.
        session_options: of sessions that choose none.
        assumptions: of plans that choose none.
        plan_time_limit: seconds that a plan may take to be made.
    """

    public_endpoint: str = "http://127.0.0.1:12347/v1"
    admin_roles: tuple[str, ...] = ("admin",)
    reader_roles: tuple[str, ...] = ("reader",)
    project_roles: tuple[str, ...] = ("member", "_member_")
    admin_project_id: str | None = None
    max_body_bytes: int = 1024 * 1024
    subscriptions_per_project: int = 16
    engine_silence: float = 30.0
    session_options: SessionOptions = field(default_factory=SessionOptions)
    rules: IntakeRules = field(default_factory=IntakeRules)
    assumptions: Assumptions = field(default_factory=Assumptions)
    plan_time_limit: float = TIME_LIMIT

    @classmethod
    def from_config(cls, conf: cfg.ConfigOpts) -> "ApiSettings":
        """As the configuration says."""
        api: Any = conf.api
        open_to_all = api.auth_strategy == "none"
        return cls(
            public_endpoint=api.public_endpoint,
            admin_roles=tuple(api.admin_roles),
            reader_roles=tuple(api.reader_roles),
            project_roles=tuple(api.project_roles),
            admin_project_id=api.admin_project_id or ("admin" if open_to_all else None),
            max_body_bytes=api.max_body_bytes,
            subscriptions_per_project=api.subscriptions_per_project,
            engine_silence=2 * conf.engine.lease_seconds,
            session_options=session_options(conf),
            assumptions=assumptions(conf),
            plan_time_limit=conf.plan.time_limit,
        )


@dataclass(frozen=True)
class Services:
    """Everything behind the API.

    Attributes:
        now: the time of day, naive UTC.
        wake: tells the engine in this process, if there is one, that something is new.
        plans: lets one plan at a time be made.
    """

    database: Database
    cloud: Cloud
    channels: Sequence[Channel]
    authenticator: Authenticator
    now: Callable[[], datetime]
    wake: Callable[[], None] = lambda: None
    settings: ApiSettings = field(default_factory=ApiSettings)
    plans: PlanDesk = field(default_factory=PlanDesk)

    @property
    def policy(self) -> Policy:
        """Who may do what."""
        chosen = self.settings
        return Policy(chosen.admin_roles, chosen.reader_roles, chosen.project_roles)


def authenticator(conf: cfg.ConfigOpts) -> Authenticator:
    """The strategy that the configuration names."""
    if conf.api.auth_strategy == "none":
        return NoAuthenticator(frozenset(conf.api.project_roles))
    # Only here: it needs a second to import.
    from fenix.api.keystone import KeystoneAuthenticator

    return KeystoneAuthenticator(conf, conf.api.auth_timeout)


def services_of(request: Request) -> Services:
    """The services of the application that a request came to."""
    found: Services = request.app.state.services
    return found
