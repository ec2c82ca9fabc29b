"""The HTTP calls, from the description that the API itself serves."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from fenix.api import Services, create_app
from fenix.api.auth import NoAuthenticator
from fenix.clouds.simulated import SimulatedCloud, World
from fenix.store import Database
from fenix_reference.markdown import code, plain, table

Json = Mapping[str, Any]

TITLES = {
    "sessions": "Sessions, for administrators",
    "plans": "Plans, for administrators",
    "projects": "Messages and replies, for projects",
    "constraints": "Constraints",
    "subscriptions": "Subscriptions",
    "service": "The service itself",
}


def page() -> str:
    """The calls by subject, and then the bodies."""
    found = description()
    calls: dict[str, list[str]] = defaultdict(list)
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            calls[operation["tags"][0]].append("\n".join(_call(method, path, operation)))
    order = [tag for tag in TITLES if tag in calls] + [tag for tag in calls if tag not in TITLES]
    parts = [f"## {TITLES.get(tag, tag.capitalize())}\n\n" + "\n".join(calls[tag]) for tag in order]
    parts.append("## Bodies\n")
    schemas = found["components"]["schemas"]
    sent = _sent(found)
    parts += ["\n".join(_schema(name, one, name in sent)) for name, one in schemas.items()]
    return "\n".join(parts)


def description() -> Json:
    """The API's description (OpenAPI 3.1); nothing is served for it."""
    services = Services(
        database=Database("sqlite://"),
        cloud=SimulatedCloud(World((), (), ())),
        channels=(),
        authenticator=NoAuthenticator(),
        now=lambda: datetime.now(UTC).replace(tzinfo=None),
    )
    return create_app(services).openapi()


def _sent(found: Json) -> set[str]:
    """The names of the schemas that requests are made of; in them fields may be left out."""
    todo = [
        _content(operation["requestBody"])
        for operations in found["paths"].values()
        for operation in operations.values()
        if "requestBody" in operation
    ]
    names: set[str] = set()
    while todo:
        for name in re.findall(r"#/components/schemas/(\w+)", json.dumps(todo.pop())):
            if name not in names:
                names.add(name)
                todo.append(found["components"]["schemas"][name])
    return names


def _call(method: str, path: str, operation: Json) -> Iterator[str]:
    yield f"### {method.upper()} {path}\n"
    yield plain(operation.get("description", "")) + "\n"
    if body := operation.get("requestBody"):
        yield f"Body: {_kind(_content(body))}.\n"
    if queries := [one for one in operation.get("parameters", ()) if one["in"] == "query"]:
        rows = [(code(q["name"]), _kind(q["schema"]), q.get("description", "")) for q in queries]
        yield table(("query", "kind", "meaning"), rows)
    rows = []
    for status, answer in operation["responses"].items():
        schema = _content(answer)
        kind = _kind(schema) if schema and status == "200" else ""
        meaning = "success" if status == "200" else answer["description"]
        rows.append((status, kind, meaning))
    yield table(("answer", "body", "meaning"), rows)


def _schema(name: str, schema: Json, sent: bool) -> Iterator[str]:
    yield f"(schema-{name.lower()})=\n### {name}\n"
    yield plain(schema.get("description", "")) + "\n"
    if "enum" in schema:
        yield "One of " + ", ".join(code(value) for value in schema["enum"]) + ".\n"
    if properties := schema.get("properties"):
        required = schema.get("required", ())
        rows = []
        for field, inner in properties.items():
            default = ("required" if field in required else _default(inner),) if sent else ()
            rows.append((code(field), _kind(inner), *default, inner.get("description", "")))
        yield table(("field", "kind", *(("default",) if sent else ()), "meaning"), rows)


def _content(part: Json) -> Json:
    found: Json = part.get("content", {}).get("application/json", {}).get("schema", {})
    return found


def _default(schema: Json) -> str:
    if "default" not in schema:
        return ""
    value = schema["default"]
    if isinstance(value, dict) and value:
        return "each option's own"
    return code(
        {None: "null", True: "true", False: "false"}.get(value, value)
        if isinstance(value, bool | None)
        else '""'
        if value == ""
        else value
    )


def _kind(schema: Json) -> str:
    """What may be there, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#schema-{name.lower()})"
    if alternatives := schema.get("anyOf") or schema.get("allOf"):
        return " or ".join(_kind(one) for one in alternatives)
    if "const" in schema:
        return code(schema["const"])
    if "enum" in schema:
        return ", ".join(code(value) for value in schema["enum"])
    words = [str(schema.get("type", "any"))]
    if "items" in schema:
        words.append(f"of {_kind(schema['items'])}")
    for key, sign in (("minimum", "≥"), ("maximum", "≤"), ("maxLength", "length ≤")):
        if key in schema:
            words.append(f"{sign} {schema[key]:g}")
    return " ".join(words)
