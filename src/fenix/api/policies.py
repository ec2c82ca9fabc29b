"""The policies, in code: what each call needs by default, for oslo.policy and its tools.

The roles are those that Keystone makes (admin, member, reader; Keystone, "Default Roles"). An
operator changes a policy in ``policy.yaml``; what is not there is as here.
"""

from collections.abc import Iterator

from oslo_policy.policy import DocumentedRuleDefault, Operation, RuleDefault

ADMIN = "admin"
READER = "reader"
PROJECT_MEMBER = "project_member"
PROJECT_READER = "project_reader"
ADMIN_OR_MEMBER = "admin_or_project_member"
READER_OR_PROJECT_READER = "reader_or_project_reader"

_SCOPES = ["system", "project"]

_ROLES = (
    (
        ADMIN,
        "role:admin and (system_scope:all or is_admin_project:True)",
        "Who administers the cloud: role admin on the system or on an administrators' project. "
        "Every project is one, unless `[api] admin_project_id` or Keystone's own "
        "`[resource] admin_project_name` says which.",
    ),
    (
        READER,
        "rule:admin or (role:reader and (system_scope:all or project_id:%(admin_project_id)s))",
        "Who may see everything: role reader on the system or on the project that "
        "`[api] admin_project_id` names, and administrators.",
    ),
    (
        PROJECT_MEMBER,
        "project_id:%(project_id)s and (role:member or role:_member_ or role:admin)",
        "Who acts for a project: its members. `_member_` is what old clouds call the role.",
    ),
    (
        PROJECT_READER,
        "rule:project_member or (project_id:%(project_id)s and role:reader)",
        "Who may see what concerns a project.",
    ),
    (ADMIN_OR_MEMBER, "rule:admin or rule:project_member", "Administrators and members."),
    (
        READER_OR_PROJECT_READER,
        "rule:reader or rule:project_reader",
        "Who may see everything, or what concerns the project.",
    ),
)

_SESSION = "/v1/maintenance/{session}"
_PROJECT = f"{_SESSION}/{{project}}"
_SUBSCRIPTION = "/v1/subscription/{subscription}"
_CALLS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("session:create", ADMIN, "Create a session.", ("POST /v1/maintenance",)),
    ("session:list", READER, "List all sessions.", ("GET /v1/maintenance",)),
    (
        "session:show",
        READER,
        "See a session: state, detail, timeline, logs of actions, messages that nobody took.",
        (
            f"GET {_SESSION}",
            f"GET {_SESSION}/detail",
            f"GET {_SESSION}/timeline",
            f"GET {_SESSION}/actions/{{run}}",
            f"GET {_SESSION}/undelivered",
        ),
    ),
    ("session:continue", ADMIN, "Let a failed session go on.", (f"PUT {_SESSION}",)),
    (
        "session:send_again",
        ADMIN,
        "Have messages sent again that nobody took.",
        (f"POST {_SESSION}/undelivered",),
    ),
    ("session:delete", ADMIN, "End and forget a session.", (f"DELETE {_SESSION}",)),
    (
        "engine:list",
        READER,
        "List the engines and what each of them works on.",
        ("GET /v1/engine",),
    ),
    ("plan:create", ADMIN, "See beforehand what a session would do.", ("POST /v1/plan",)),
    (
        "project:show",
        READER_OR_PROJECT_READER,
        "List a project's instances that its last message concerns.",
        (f"GET {_PROJECT}",),
    ),
    (
        "project:reply",
        PROJECT_MEMBER,
        "Answer for a project. Not even an administrator does so without a role on the project.",
        (f"PUT {_PROJECT}", f"PUT {_PROJECT}/{{instance}}"),
    ),
    (
        "constraints:put",
        ADMIN_OR_MEMBER,
        "Create or replace constraints of a project's instances and groups.",
        ("PUT /v1/instance/{instance}", "PUT /v1/instance_group/{group}"),
    ),
    (
        "constraints:put_for_others",
        ADMIN,
        "Name in `project_id` another project as the owner of constraints; what others name "
        "there counts for nothing.",
        ("PUT /v1/instance/{instance}", "PUT /v1/instance_group/{group}"),
    ),
    (
        "constraints:show",
        READER_OR_PROJECT_READER,
        "See constraints of a project's instances and groups.",
        ("GET /v1/instance/{instance}", "GET /v1/instance_group/{group}"),
    ),
    (
        "constraints:delete",
        ADMIN_OR_MEMBER,
        "Forget constraints of a project's instances and groups.",
        ("DELETE /v1/instance/{instance}", "DELETE /v1/instance_group/{group}"),
    ),
    (
        "subscription:create",
        ADMIN_OR_MEMBER,
        "Have a project's messages posted to a URL.",
        ("POST /v1/subscription",),
    ),
    (
        "subscription:create_infrastructure",
        ADMIN,
        "Subscribe also to the events of hosts and sessions.",
        ("POST /v1/subscription",),
    ),
    (
        "subscription:list",
        READER_OR_PROJECT_READER,
        "List a project's subscriptions.",
        ("GET /v1/subscription",),
    ),
    (
        "subscription:list_all",
        READER,
        "List the subscriptions of all projects.",
        ("GET /v1/subscription",),
    ),
    (
        "subscription:show",
        READER_OR_PROJECT_READER,
        "See a project's subscription.",
        (f"GET {_SUBSCRIPTION}",),
    ),
    (
        "subscription:delete",
        ADMIN_OR_MEMBER,
        "End a project's subscription.",
        (f"DELETE {_SUBSCRIPTION}",),
    ),
    (
        "subscription:replace_secret",
        ADMIN_OR_MEMBER,
        "Give a project's subscription another secret.",
        (f"POST {_SUBSCRIPTION}/secret",),
    ),
    (
        "subscription:test",
        ADMIN_OR_MEMBER,
        "Have a test message sent to a project's subscription.",
        (f"POST {_SUBSCRIPTION}/test",),
    ),
)


def list_rules() -> Iterator[RuleDefault]:
    """All defaults, for the entry point ``oslo.policy.policies``."""
    for name, check, description in _ROLES:
        yield RuleDefault(name, check, description)
    for name, who, description, calls in _CALLS:
        operations = [
            Operation(method=method, path=path)
            for method, path in (call.split(" ", 1) for call in calls)
        ]
        yield DocumentedRuleDefault(
            name, f"rule:{who}", description, operations, scope_types=_SCOPES
        )
