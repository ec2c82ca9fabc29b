"""The form of scenario files, from the models that read them."""

import inspect
from enum import EnumType
from typing import Annotated, Any, Union, get_args, get_origin

from annotated_types import Ge, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fenix.simulation import scenario
from fenix_reference.markdown import NotDescribed, code, plain, table

MODELS: dict[str, type[BaseModel]] = {
    "the file": scenario.Scenario,
    "limits": scenario.LimitsModel,
    "hosts": scenario.HostModel,
    "projects": scenario.ProjectModel,
    "projects: manager": scenario.ManagerModel,
    "projects: manager: scale_in": scenario.ScaleInModel,
    "groups": scenario.GroupModel,
    "instances": scenario.InstanceModel,
    "session": scenario.SessionModel,
    "session: actions": scenario.ActionModel,
    "faults": scenario.FaultModel,
}
TEXTS = {
    "name": "its name",
    "description": "for people",
    "seed": "for random choices; a simulation makes none so far, so each seed plays alike",
    "limits": "what the cloud and the operator allow",
    "hosts": "the hosts; in `session`: names of those to be worked on, empty: all compute hosts",
    "projects": "who owns instances",
    "groups": "groups of instances and their constraints",
    "instances": "the instances; in `scale_in`: how many one SCALE_IN deletes",
    "session": "what is to be carried out",
    "faults": "what goes wrong",
    "parallel_hosts": "hosts in maintenance at one time",
    "parallel_migrations": "moves at one time in the whole cloud",
    "parallel_migrations_per_host": "moves at one time that a host is source or target of",
    "vcpus": "virtual CPUs",
    "memory_mb": "memory, MiB",
    "disk_gb": "disk, GiB",
    "zone": "availability zone",
    "type": "of a host: what it is for; of an action: when it runs",
    "id": "a name that no other of its kind has",
    "manager": "its application manager; null: there is none, and nobody can be asked",
    "reply_seconds": "from a message to its reply",
    "scale_in": "how it scales in; null: it refuses",
    "max": "how many may be missing at one time",
    "seconds": "of a scale-in: until its reply; of an action: how long it takes",
    "scale_out_seconds": "until it has scaled out again",
    "project": "id of the project",
    "max_impacted_members": "members that may be impacted at one time",
    "recovery_time": "how long a member stays impacted after its move",
    "anti_affinity": "no two members on one host, or no more than `max_instances_per_host`",
    "max_instances_per_host": "members on one host; 0: no limit",
    "removable": "whether a scale-in deletes members, those that stand last in the file first",
    "host": "name of the host",
    "group": "id of the group",
    "floating_ip": "whether users reach it",
    "migration_type": "what happens to it when its host is to be emptied",
    "live_migration_seconds": "how long a live migration takes",
    "migration_seconds": "how long a cold migration takes",
    "lead_time": "notice that its application wants",
    "max_interruption_time": "interruption that goes unnoticed",
    "workflow": "name of an installed workflow",
    "notice_seconds": "from the start of the session to `maintenance_at`",
    "actions": "how each host is worked on",
    "plugin": "the action plug-in",
    "instance": "id of the instance whose next moves are disturbed",
    "move": "what its moves do",
    "times": "how many of them",
    "at": "when it happens, from the start",
    "until": "when the host is back, from the start; null: never",
}


def page() -> str:
    """A table for each level."""
    return "\n".join(_section(title, model) for title, model in MODELS.items())


def _section(title: str, model: type[BaseModel]) -> str:
    text = plain(inspect.getdoc(model) or "")
    rows = [_row(name, field, text) for name, field in model.model_fields.items()]
    return f"## {title}\n\n{text}\n\n" + table(("key", "kind", "default", "meaning"), rows)


def _row(name: str, field: FieldInfo, text: str) -> tuple[str, str, str, str]:
    """A key; one that is not known here must be told of in the model's docstring."""
    meaning = field.description or TEXTS.get(name) or (code(name) in text and "see above")
    if not meaning:
        raise NotDescribed(f"scenario files: nobody describes the key {name}")
    default = "required" if field.is_required() else _value(field.default)
    return code(name), _kind(field.annotation, field.metadata), default, meaning


def _value(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, tuple):
        return "see below" if value else "empty"
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(value) if value != "" else "empty"


def _kind(kind: Any, notes: Any = ()) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _kind(parts[0], parts[1:])
    if origin is Union or (parts and type(None) in parts):
        return " or ".join(_kind(part) for part in parts if part is not type(None)) + " or null"
    if origin is tuple:
        return f"list of {_kind(parts[0])}"
    if origin is not None:  # Literal
        return ", ".join(code(part) for part in parts)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "mapping"
    if isinstance(kind, EnumType):
        members: Any = kind
        return ", ".join(code(member.value) for member in members)
    word = {int: "integer", float: "number", str: "text", bool: "true or false"}[kind]
    flat = [one for note in notes for one in getattr(note, "metadata", [note])]
    low = next((note.ge for note in flat if isinstance(note, Ge)), None)
    short = next((note.min_length for note in flat if isinstance(note, MinLen)), None)
    return word + (f" ≥ {low:g}" if low is not None else "") + (", not empty" if short else "")
