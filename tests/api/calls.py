"""Every call that needs a token, and which callers may make it: complete against the routes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from fenix.engine import intake
from fenix.store import constraints, progress, subscriptions
from tests.api.harness import NOW, Api, session_body
from tests.factories import (
    make_action,
    make_group_constraints,
    make_instance,
    make_instance_constraints,
    make_request,
    make_subscription,
)

ADMINS = frozenset({"admin", "p1-admin", "system-admin"})
READERS = ADMINS | {"system-reader"}
MEMBERS = frozenset({"p1", "p1-admin"})
PROJECT_READERS = MEMBERS | {"p1-reader"}
STRANGERS = ("p2", "p2-reader")
"""Callers of another project, who may never see or touch what is p1's."""

SUBSCRIPTION = "5f1f4f7e-0000-4000-8000-000000000001"
SECRETS = ("secret-of-p1", "i-of-p1", "g-of-p1", SUBSCRIPTION)
"""What only p1 and administrators may read."""


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        route: method and path as the application has it.
        path: with `{session}` for the one of p1's.
        allowed: the names of the callers who may make it.
    """

    route: str
    path: str
    allowed: frozenset[str]
    body: Any = None

    @property
    def method(self) -> str:
        return self.route.split()[0]

    def make(self, api: Api, session_id: str, as_: str | None, **more: Any) -> Any:
        """Makes the call as somebody."""
        path = self.path.format(session=session_id)
        return api.call(self.method, path, self.body, as_=as_, **more)


_SESSION = "/v1/maintenance/{session}"
_SUBSCRIPTION = "/v1/subscription/{subscription}"
CALLS = [
    Call("POST /v1/maintenance", "/v1/maintenance", ADMINS, session_body(workflow="nonesuch")),
    Call("POST /v1/plan", "/v1/plan", ADMINS, session_body(workflow="nonesuch")),
    Call("GET /v1/maintenance", "/v1/maintenance", READERS),
    Call("GET /v1/engine", "/v1/engine", READERS),
    Call(f"GET {_SESSION}", _SESSION, READERS),
    Call(f"GET {_SESSION}/detail", f"{_SESSION}/detail", READERS),
    Call(f"GET {_SESSION}/timeline", f"{_SESSION}/timeline", READERS),
    Call(f"GET {_SESSION}/actions/{{run}}", f"{_SESSION}/actions/r1", READERS),
    Call(f"GET {_SESSION}/undelivered", f"{_SESSION}/undelivered", READERS),
    Call(f"POST {_SESSION}/undelivered", f"{_SESSION}/undelivered", ADMINS, {}),
    Call(f"PUT {_SESSION}", _SESSION, ADMINS, {"state": "SCALE_IN"}),
    Call(f"DELETE {_SESSION}", _SESSION, ADMINS),
    Call(f"GET {_SESSION}/{{project}}", f"{_SESSION}/p1", READERS | PROJECT_READERS),
    Call(f"PUT {_SESSION}/{{project}}", f"{_SESSION}/p1", MEMBERS, {"state": "ACK_MAINTENANCE"}),
    Call(
        f"PUT {_SESSION}/{{project}}/{{instance}}",
        f"{_SESSION}/p1/i-of-p1",
        MEMBERS,
        {"state": "ACK_PLANNED_MAINTENANCE"},
    ),
    Call(
        "PUT /v1/instance/{instance}",
        "/v1/instance/i-of-p1",
        ADMINS | MEMBERS,
        {"group_id": "g-of-p1", "project_id": "p1"},
    ),
    Call("GET /v1/instance/{instance}", "/v1/instance/i-of-p1", READERS | PROJECT_READERS),
    Call("DELETE /v1/instance/{instance}", "/v1/instance/i-of-p1", ADMINS | MEMBERS),
    Call(
        "PUT /v1/instance_group/{group}",
        "/v1/instance_group/g-of-p1",
        ADMINS | MEMBERS,
        {"project_id": "p1"},
    ),
    Call("GET /v1/instance_group/{group}", "/v1/instance_group/g-of-p1", READERS | PROJECT_READERS),
    Call("DELETE /v1/instance_group/{group}", "/v1/instance_group/g-of-p1", ADMINS | MEMBERS),
    Call(
        "POST /v1/subscription",
        "/v1/subscription",
        ADMINS | MEMBERS,
        {"url": "http://127.0.0.1:9/", "project_id": "p1"},
    ),
    Call("GET /v1/subscription", "/v1/subscription?project_id=p1", READERS | PROJECT_READERS),
    Call(f"GET {_SUBSCRIPTION}", f"/v1/subscription/{SUBSCRIPTION}", READERS | PROJECT_READERS),
    Call(f"POST {_SUBSCRIPTION}/test", f"/v1/subscription/{SUBSCRIPTION}/test", ADMINS | MEMBERS),
    Call(
        f"POST {_SUBSCRIPTION}/secret",
        f"/v1/subscription/{SUBSCRIPTION}/secret",
        ADMINS | MEMBERS,
        {},
    ),
    Call(f"DELETE {_SUBSCRIPTION}", f"/v1/subscription/{SUBSCRIPTION}", ADMINS | MEMBERS),
]
OPEN = ("/", "/v1", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs")
"""What anybody may ask."""


def routes(app: FastAPI) -> set[str]:
    """All calls that the application has."""
    return {
        f"{method} {route.path}"
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
        if method != "HEAD"
    }


def fill(api: Api) -> str:
    """Puts something of project p1 behind each call; gives the session's id."""
    request = make_request(hosts=("compute-1",), maintenance_at=NOW + timedelta(hours=1))
    made = intake.create_session(api.database, api.cloud, request, "cloud", NOW)
    session_id = api.runner.run(made).id
    api.add_project(session_id, "p1", "i-of-p1")
    instance = make_instance("i-of-p1", project_id="p1", name="secret-of-p1")
    run = make_action(id="r1", log="secret-of-p1")
    api.write(
        progress.save_instance(session_id, instance),
        progress.save_action(session_id, run, "engine-1"),
        lambda c: subscriptions.add(
            c,
            make_subscription(
                id=SUBSCRIPTION, project_id="p1", url="http://127.0.0.1:9/secret-of-p1"
            ),
        ),
        lambda c: constraints.put_instance(
            c,
            make_instance_constraints(
                "i-of-p1", project_id="p1", group_id="g-of-p1", instance_name="secret-of-p1"
            ),
        ),
        lambda c: constraints.put_group(
            c, make_group_constraints("g-of-p1", project_id="p1", group_name="secret-of-p1")
        ),
    )
    return session_id
