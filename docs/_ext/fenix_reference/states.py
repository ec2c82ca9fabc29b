"""All states: tables from the enums, and diagrams.

The ways between a session's states are read from the source of workflow `default`; those between
the states of hosts and instances are said here, and checked to name every state.
"""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from enum import StrEnum

from fenix.clouds import MovePhase
from fenix.domain import (
    ActionState,
    ActionType,
    DeliveryState,
    Ending,
    HostState,
    HostType,
    InstanceState,
    InstanceStatus,
    MoveAction,
    MoveState,
    SessionState,
    SilentPolicy,
    UnmanagedPolicy,
)
from fenix.workflows.default import DefaultWorkflow
from fenix_reference.diagram import Edge, svg
from fenix_reference.markdown import check, described, first_line, table

TEXTS: Mapping[type[StrEnum], Mapping[str, str]] = {
    SessionState: {
        "MAINTENANCE": "announced; all projects are asked, then waits for `maintenance_at` and "
        "runs the `pre` actions",
        "SCALE_IN": "room is short, projects are asked to give capacity back",
        "PREPARE_MAINTENANCE": "hosts are emptied to hosts that are not yet maintained",
        "START_MAINTENANCE": "empty hosts are worked on",
        "PLANNED_MAINTENANCE": "instances move to maintained hosts",
        "MAINTENANCE_COMPLETE": "all hosts are done: `post` actions, projects scale back out",
        "MAINTENANCE_DONE": "the end",
        "MAINTENANCE_FAILED": "the other end; `reason` says why. It can be continued or deleted",
    },
    Ending: {
        "failed": "it has failed, and what is under way is brought to an end",
        "deleted": "an administrator wants it gone, and what is under way is brought to an end",
    },
    HostState: {
        "PENDING": "nothing was done with it yet",
        "DRAINING": "its instances are asked for and moved away; it is disabled",
        "EMPTY": "no instance is left on it",
        "IN_MAINTENANCE": "its actions run",
        "MAINTAINED": "its actions are done and it is up",
        "FAILED": "its maintenance failed; it stays disabled",
        "SKIPPED": "left as it is, since a project did not agree (`silent_projects = skip_host`)",
    },
    InstanceState: {
        "PENDING": "nothing was done with it yet",
        "ASKED": "its project is asked",
        "AGREED": "its project has agreed, or need not be asked",
        "MOVING": "the cloud moves it",
        "MOVED": "it runs elsewhere",
        "FAILED": "its move failed; another try may follow",
        "GONE": "it does not exist any more; `replaced_by` names its successor, if known",
    },
    InstanceStatus: {
        "ACTIVE": "it runs",
        "STOPPED": "it does not run, and so can only be migrated cold",
        "ERROR": "it is broken; a session that must move it fails",
        "BUSY": "the cloud is doing something with it",
    },
    HostType: {
        "compute": "instances run on it",
        "controller": "it runs services of the cloud, and no instances",
    },
    ActionType: {
        "pre": "once, before the first host",
        "host": "on each host of the session",
        "compute": "after those, on each compute host",
        "controller": "after those, on each controller",
        "post": "once, after the last host",
    },
    MoveAction: {
        "MIGRATE": "cold migration, confirmed by Fenix",
        "LIVE_MIGRATE": "live migration",
        "OWN_ACTION": "the application gets the instance away by itself",
    },
    MoveState: {
        "INTENDED": "written down; whether the cloud was asked for it yet is found out there",
        "DONE": "it has ended well",
        "FAILED": "`error` says why",
    },
    MovePhase: {
        "NOT_STARTED": "the cloud knows nothing of such a move",
        "RUNNING": "it goes on",
        "AWAITING_CONFIRM": "a cold migration waits for its confirmation",
        "DONE": "it has ended well",
        "FAILED": "it has ended, and the instance was not moved",
        "GONE": "the instance does not exist any more",
    },
    ActionState: {
        "INTENDED": "written down, or running",
        "DONE": "the plug-in returned",
        "FAILED": "`error` says why",
    },
    DeliveryState: {
        "PENDING": "on its way",
        "DELIVERED": "the channel has brought it to its receiver",
        "GIVEN_UP": "nobody took it for `delivery_give_up` seconds, or its receiver is gone",
        "SENT_AGAIN": "it was given up, and an administrator had the message sent again",
    },
    SilentPolicy: {
        "fail": "silence fails the session",
        "proceed": "silence counts as an agreement",
        "skip_host": "workflow `vnf`: the host is left as it is, also after a NACK",
    },
    UnmanagedPolicy: {
        "move": "its instances are moved without asking",
        "refuse": "the session fails at its start",
    },
}

HOSTS: list[Edge] = [
    ("PENDING", "DRAINING"),
    ("PENDING", "IN_MAINTENANCE"),
    ("PENDING", "SKIPPED"),
    ("DRAINING", "PENDING"),
    ("DRAINING", "EMPTY"),
    ("DRAINING", "IN_MAINTENANCE"),
    ("DRAINING", "SKIPPED"),
    ("EMPTY", "IN_MAINTENANCE"),
    ("EMPTY", "PENDING"),
    ("IN_MAINTENANCE", "PENDING"),
    ("IN_MAINTENANCE", "MAINTAINED"),
    ("IN_MAINTENANCE", "FAILED"),
    ("FAILED", "PENDING"),
    ("SKIPPED", "PENDING"),
]
INSTANCES: list[Edge] = [
    ("PENDING", "ASKED"),
    ("PENDING", "AGREED"),
    ("ASKED", "AGREED"),
    ("ASKED", "MOVING"),
    ("ASKED", "MOVED"),
    ("ASKED", "GONE"),
    ("AGREED", "ASKED"),
    ("AGREED", "MOVING"),
    ("MOVING", "MOVED"),
    ("MOVING", "FAILED"),
    ("MOVING", "GONE"),
    ("FAILED", "ASKED"),
    ("FAILED", "AGREED"),
    ("FAILED", "MOVING"),
    ("FAILED", "GONE"),
    ("MOVED", "ASKED"),
    ("MOVED", "AGREED"),
]


def page() -> str:
    """A section for each enum."""
    parts = []
    for enum, texts in TEXTS.items():
        rows = described(enum.__name__, texts, [member.value for member in enum])
        heading = f"## {enum.__name__}\n\n{first_line(enum)}\n"
        parts.append(f"{heading}\n{table(('value', 'meaning'), rows)}")
    return "\n".join(parts)


def session_diagram() -> str:
    """The ways of a session of workflow `default`, besides those to MAINTENANCE_FAILED."""
    found = session_edges()
    states = [state.value for state in SessionState if state.value != "MAINTENANCE_FAILED"]
    check("states of workflow default", {one for edge in found for one in edge}, states)
    return svg(states, found, ["MAINTENANCE_DONE"])


def host_diagram() -> str:
    """The ways of a host."""
    return _checked(HostState, HOSTS, ["MAINTAINED"])


def instance_diagram() -> str:
    """The ways of an instance."""
    return _checked(InstanceState, INSTANCES, ["MOVED", "GONE"])


def _checked(enum: type[StrEnum], edges: list[Edge], ends: list[str]) -> str:
    states = [member.value for member in enum]
    check(enum.__name__, {one for edge in edges for one in edge}, states)
    return svg(states, edges, ends)


def session_edges() -> list[Edge]:
    """From each state the states that its method can return, in the source."""
    edges = []
    for state in DefaultWorkflow.states():
        found = _returned(state.lower(), set())
        if state.value in ("PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE"):
            found.add(state.value)  # the state that `_drain` was called with, once more
        edges += [(state.value, following) for following in sorted(found)]
    return edges


def _returned(method: str, seen: set[str]) -> set[str]:
    """The members of SessionState in a method and in those that its result may come from."""
    seen.add(method)
    source = textwrap.dedent(inspect.getsource(getattr(DefaultWorkflow, method)))
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "SessionState":
                found.add(node.attr)
            called = node.value.id == "self" and node.attr in ("first", "_next", "_drain")
            if called and node.attr not in seen:
                found |= _returned(node.attr, seen)
    return found
