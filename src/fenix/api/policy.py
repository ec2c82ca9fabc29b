"""Who may do what: the one place where it is decided, by oslo.policy."""

import logging
import time
from threading import Lock
from typing import Any

from oslo_config import cfg
from oslo_policy import policy

from fenix.api.auth import Caller
from fenix.api.policies import list_rules
from fenix.domain import Forbidden

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
"""Seconds between two looks whether a file has changed; a look costs a millisecond."""


class BadPolicy(Exception):
    """The policy files can't be read, or contradict themselves."""


def enforcer(conf: cfg.ConfigOpts | None = None) -> policy.Enforcer:
    """The defaults under what ``[oslo_policy]`` names; for oslo.policy's tools as well.

    Args:
        conf: None: whatever oslo.config finds for "fenix".
    """
    if conf is None:
        conf = cfg.ConfigOpts()
        conf([], project="fenix")
    made = policy.Enforcer(conf)
    made.register_defaults(list(list_rules()))
    return made


class Policy:
    """Lets callers pass or not; a policy file that changes is read again.

    Args:
        conf: with ``[oslo_policy]``; None: nothing but the defaults.
        admin_project_id: the administrators' project; None: role admin on any project makes one,
            unless Keystone says which project it is.
        look_every: seconds between two looks at the files.

    Raises:
        BadPolicy: the files can't be used.
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts | None = None,
        admin_project_id: str | None = None,
        look_every: float = LOOK_EVERY,
    ) -> None:
        if conf is None:
            conf = cfg.ConfigOpts()
            conf([], default_config_files=[], default_config_dirs=[])
        self._admin_project = admin_project_id
        self._enforcer = enforcer(conf)
        self._look_every = look_every
        self._looked_at = time.monotonic()
        self._one_at_a_time = Lock()  # it is asked in the threads of the database as well
        try:
            self._enforcer.load_rules()
            self._enforcer.check_rules(raise_on_violation=True)
            self._enforcer.use_conf = False  # by itself it would look each time that it is asked
        except Exception as error:  # oslo.policy lets through whatever reading files raises
            raise BadPolicy(f"the policy can't be used: {error}") from error
        for name in sorted(set(self._enforcer.file_rules) - set(self._enforcer.registered_rules)):
            log.warning("the policy file says who may do %r, which nobody ever asks", name)

    def allows(self, caller: Caller, rule: str, project_id: str | None = None) -> bool:
        """Whether a policy lets a caller pass.

        Args:
            rule: the policy's name, see `fenix.api.policies`.
            project_id: whose the thing is that is asked for; None: the cloud's.
        """
        if caller.trusted:
            return True
        target = {"project_id": project_id, "admin_project_id": self._admin_project}
        # Without a value a check that names it fails; None would equal a caller's None.
        target = {name: value for name, value in target.items() if value is not None}
        with self._one_at_a_time:
            if time.monotonic() - self._looked_at >= self._look_every:
                self._look()
            return bool(self._enforcer.enforce(rule, target, self._credentials(caller)))

    def authorize(self, caller: Caller, rule: str, project_id: str | None = None) -> None:
        """Lets a caller pass, see `allows`.

        Raises:
            Forbidden: the policy does not allow it.
        """
        if not self.allows(caller, rule, project_id):
            of = f" of project {project_id}" if project_id else ""
            raise Forbidden(f"The policy {rule!r}{of} does not allow this with your token.")
        if project_id is not None and project_id != caller.project_id:
            caller.elsewhere.append((rule, project_id))

    def _look(self) -> None:
        """Reads what has changed."""
        self._looked_at = time.monotonic()
        self._enforcer.use_conf = True
        try:
            self._enforcer.load_rules()
        except Exception as error:
            log.error("the policy can't be read, what was there before counts: %s", error)
        self._enforcer.use_conf = False

    def _credentials(self, caller: Caller) -> dict[str, Any]:
        """What checks can be about, by the names that OpenStack's services have for it."""
        admin_project = caller.project_id is not None and caller.is_admin_project
        if self._admin_project is not None:
            admin_project = admin_project and caller.project_id == self._admin_project
        return {
            "user_id": caller.user_id,
            "project_id": caller.project_id,
            "domain_id": caller.domain_id,
            "system_scope": "all" if caller.system else None,
            "roles": sorted(caller.roles),
            "is_admin_project": admin_project,
        }
