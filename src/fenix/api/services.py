"""What the API works with: handed in, so that a server, a demo and a test differ only in this."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import Request
from oslo_config import cfg

from fenix.api.auth import Authenticator, NoAuthenticator
from fenix.api.owners import Owners
from fenix.api.policy import Policy
from fenix.api.rates import Rates, Tests
from fenix.clouds import Cloud
from fenix.config import session_options
from fenix.config.plan import TIME_LIMIT, assumptions
from fenix.domain import SessionOptions
from fenix.domain.assumptions import Assumptions
from fenix.engine.intake import IntakeRules
from fenix.messaging import Channel
from fenix.messaging.secrets import SecretBox
from fenix.simulation.plan_process import PlanDesk
from fenix.store import Database, EngineRow


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """What an operator chooses.

    Attributes:
        public_endpoint: base URL of the API, ``/v1`` included.
        admin_project_id: the administrators' project.
        max_body_bytes: of a request.
        body_timeout: seconds that a body may take to come.
        subscriptions_per_project: how many there may be.
        constraints_per_project: how many there may be, of instances and groups together.
        tests_at_once: how many tests of subscriptions may be under way.
        tests_at_once_per_project: how many of these for one project.
        keep_old_secret: seconds for which a subscription's secret counts after it was replaced.
        delivery_give_up: seconds after which a subscription that takes nothing counts as dead.
        engine_silence: seconds after which an engine that shows no life counts as gone.
        session_options: of sessions that choose none.
        assumptions: of plans that choose none.
        plan_time_limit: seconds that a plan may take to be made.
    """

    public_endpoint: str = "http://127.0.0.1:12347/v1"
    admin_project_id: str | None = None
    max_body_bytes: int = 1024 * 1024
    body_timeout: float = 30.0
    subscriptions_per_project: int = 16
    constraints_per_project: int = 10_000
    tests_at_once: int = 20
    tests_at_once_per_project: int = 4
    keep_old_secret: int = 86400
    delivery_give_up: float = 3600.0
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
            admin_project_id=api.admin_project_id or ("admin" if open_to_all else None),
            max_body_bytes=api.max_body_bytes,
            body_timeout=api.body_timeout,
            subscriptions_per_project=api.subscriptions_per_project,
            constraints_per_project=api.constraints_per_project,
            tests_at_once=api.tests_at_once,
            tests_at_once_per_project=api.tests_at_once_per_project,
            rules=IntakeRules(sessions=api.sessions, hosts=api.hosts_per_session),
            keep_old_secret=conf.subscriptions.keep_old_secret,
            delivery_give_up=conf.engine.delivery_give_up,
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
        policy: who may do what.
        rates: how often somebody may call.
        wake: tells the engine in this process, if there is one, that something is new.
        plans: lets one plan at a time be made.
        secrets: keeps the secrets of subscriptions; None: there are none.
        owners: whose instances and groups are, as the cloud says.
        tests: how many tests of subscriptions may be under way.
    """

    database: Database
    cloud: Cloud
    channels: Sequence[Channel]
    authenticator: Authenticator
    now: Callable[[], datetime]
    wake: Callable[[], None] = lambda: None
    settings: ApiSettings = field(default_factory=ApiSettings)
    plans: PlanDesk = field(default_factory=PlanDesk)
    policy: Policy = field(default_factory=Policy)
    rates: Rates = field(default_factory=lambda: Rates(0, 0))
    secrets: SecretBox | None = None
    owners: Owners = field(init=False)
    tests: Tests = field(init=False)

    def __post_init__(self) -> None:
        """Makes what follows from the rest."""
        object.__setattr__(self, "owners", Owners(self.cloud))
        settings = self.settings
        tests = Tests(settings.tests_at_once, settings.tests_at_once_per_project)
        object.__setattr__(self, "tests", tests)


def authenticator(conf: cfg.ConfigOpts) -> Authenticator:
    """The strategy that the configuration names."""
    if conf.api.auth_strategy == "none":
        return NoAuthenticator()
    # Only here: it needs a second to import.
    from fenix.api.keystone import KeystoneAuthenticator

    return KeystoneAuthenticator(conf, conf.api.auth_timeout)


def alive(engine: EngineRow, services: Services) -> bool:
    """Whether an engine has shown life lately; clocks of machines may differ a little."""
    silence = abs((services.now() - engine.seen_at).total_seconds())
    return silence <= services.settings.engine_silence


def services_of(request: Request) -> Services:
    """The services of the application that a request came to."""
    found: Services = request.app.state.services
    return found
