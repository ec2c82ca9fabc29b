"""All that an operator of the manager can choose, checked before anything starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, get_args

from fenix.manager.signatures import is_secret

Action = Literal["MIGRATE", "LIVE_MIGRATE", "OWN_ACTION"]
ACTIONS: tuple[Action, ...] = get_args(Action)


@dataclass(frozen=True, slots=True)
class ManagerSettings:
    """Settings of one manager, for one project. All times are in seconds.

    Attributes:
        fenix_url: Fenix's endpoint, with or without ``/v1``.
        host: address to listen on.
        port: port to listen on.
        callback_url: where Fenix reaches this manager; empty: made of `host` and `port`.
        body_format: the shape in which Fenix is asked to send messages.
        secret: what Fenix signs messages with, ``whsec_...``; others are refused. Empty: messages
            are taken from anybody.
        subscribe: whether to subscribe with Fenix; not needed behind Aodh.
        cloud: where the application runs.
        cloud_url: where the simulated cloud listens.
        os_cloud: name in clouds.yaml for OpenStack; None: the environment's ``OS_...``.
        auth: how Fenix knows who calls.
        project_id: the application's project; only OpenStack with Keystone knows it by itself.
        ca_file: certificates to trust besides the system's, for Fenix's HTTPS.
        action: what happens to an instance whose host is to be emptied.
        actions: other actions for instances whose name matches a pattern (``db-*``).
        removable: patterns of the names of instances, or of the ids of groups, that a scale-in
            may delete; empty: it is refused.
        scale_in: how many instances one SCALE_IN deletes.
        scale_in_max: how many may be missing at one time; None: all that are removable.
        register_constraints: whether to tell Fenix constraints for all instances and groups.
        lead_time: of the constraints: notice before an instance is impacted.
        max_interruption_time: of the constraints: interruption that goes unnoticed.
        recovery_time: of the constraints: how long a moved instance counts as impacted.
        max_impacted_members: of the constraints, for groups without anti-affinity.
        memory: file of what must survive a restart; ``:memory:``: nothing does.
        patience: how long Fenix or the cloud may be unavailable until a message is given up.
        cloud_timeout: how long the cloud may take to delete or create an instance.
        switch_over_timeout: how long to wait until a standby is free to become active.
        reorder: how long a message is held back for earlier ones that are still on their way.
        workers: threads for calls to the cloud.
    """

    fenix_url: str = "http://127.0.0.1:12347/v1"
    host: str = "127.0.0.1"
    port: int = 12348
    callback_url: str = ""
    body_format: Literal["aodh", "cloudevents"] = "cloudevents"
    secret: str = field(default="", repr=False)
    subscribe: bool = True
    cloud: Literal["simulated", "openstack"] = "simulated"
    cloud_url: str = "http://127.0.0.1:12349"
    os_cloud: str | None = None
    auth: Literal["none", "keystone"] = "none"
    project_id: str = ""
    ca_file: str | None = None
    action: Action = "MIGRATE"
    actions: Mapping[str, Action] = field(default_factory=dict)
    removable: tuple[str, ...] = ()
    scale_in: int = 2
    scale_in_max: int | None = None
    register_constraints: bool = False
    lead_time: int = 120
    max_interruption_time: int = 120
    recovery_time: int = 0
    max_impacted_members: int = 1
    memory: str = ":memory:"
    patience: float = 120.0
    cloud_timeout: float = 600.0
    switch_over_timeout: float = 60.0
    reorder: float = 0.1
    workers: int = 16

    def __post_init__(self) -> None:
        """Checks what the types do not say.

        Raises:
            ValueError: names the field, its value and what is allowed.
        """
        for name in ("fenix_url", "cloud_url", "callback"):
            if not getattr(self, name).startswith(("http://", "https://")):
                raise _invalid(name, getattr(self, name), "an http or https URL")
        for name, allowed in (
            ("body_format", ("aodh", "cloudevents")),
            ("cloud", ("simulated", "openstack")),
            ("auth", ("none", "keystone")),
            ("action", ACTIONS),
        ):
            if getattr(self, name) not in allowed:
                raise _invalid(name, getattr(self, name), ", ".join(allowed))
        for pattern, action in self.actions.items():
            if action not in ACTIONS:
                raise _invalid(f"actions.{pattern}", action, ", ".join(ACTIONS))
        for name in ("scale_in", "max_impacted_members", "workers"):
            if getattr(self, name) < 1:
                raise _invalid(name, getattr(self, name), "1 or more")
        if self.scale_in_max is not None and self.scale_in_max < 0:
            raise _invalid("scale_in_max", self.scale_in_max, "0 or more")
        if self.secret and not is_secret(self.secret):
            raise _invalid("secret", "***", "whsec_ and the base64 of 24 to 64 bytes")
        if (self.cloud == "simulated" or self.auth == "none") and not self.project_id:
            raise _invalid("project_id", self.project_id, "the id of the application's project")

    def action_for(self, name: str) -> Action:
        """What is to happen to an instance of this name."""
        fitting = (action for pattern, action in self.actions.items() if fnmatchcase(name, pattern))
        return next(fitting, self.action)

    def is_removable(self, name: str, group_id: str | None) -> bool:
        """Whether a scale-in may delete an instance of this name and group."""
        return any(
            fnmatchcase(candidate, pattern)
            for candidate in (name, group_id or "")
            for pattern in self.removable
        )

    @property
    def callback(self) -> str:
        """The URL that Fenix gets."""
        return self.callback_url or f"http://{self.host}:{self.port}/maintenance"


def _invalid(name: str, value: object, allowed: str) -> ValueError:
    return ValueError(f"{name}: {value!r} is not valid; allowed: {allowed}")
