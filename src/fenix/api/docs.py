"""The API's description as one page of HTML that needs nothing from elsewhere.

FastAPI's own page loads its scripts from a server on the Internet, which a cloud's control plane
often can't reach.
"""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
body { font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h3 code { background: #eef; padding: .2rem .4rem; }
table { border-collapse: collapse; width: 100%; }
td, th { border: 1px solid #ccc; padding: .2rem .5rem; text-align: left; vertical-align: top; }
code { font-size: .9em; } details { margin: .5rem 0; } p { white-space: pre-line; }
"""


def page(description: Mapping[str, Any]) -> str:
    """A page for people.

    Args:
        description: the API's description (OpenAPI 3.1).
    """
    info = description["info"]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}'
        f"</title><style>{_STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>"
        f"<p>{escape(info['description'])}</p>"
        '<p>For programs: <a href="openapi.json">openapi.json</a></p>'
        f"<h2>Calls</h2>{''.join(_calls(description))}"
        f"<h2>Bodies</h2>{''.join(_schemas(description))}</html>"
    )


def _calls(description: Mapping[str, Any]) -> Iterator[str]:
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            yield f"<h3><code>{method.upper()} {escape(path)}</code></h3>"
            yield f"<p>{escape(operation.get('description', ''))}</p>"
            if parameters := operation.get("parameters"):
                yield "<table><tr><th>parameter<th>in<th>kind<th>meaning"
                for one in parameters:
                    yield _row(one["name"], one["in"], _kind(one["schema"]), _meaning(one))
                yield "</table>"
            if body := operation.get("requestBody"):
                yield f"<p>Body: {_kind(_schema(body))}</p>"
            yield "<table><tr><th>answer<th>body<th>meaning"
            for code, answer in operation["responses"].items():
                yield _row(code, _kind(_schema(answer)), escape(answer["description"]))
            yield "</table>"


def _schemas(description: Mapping[str, Any]) -> Iterator[str]:
    for name, schema in description["components"]["schemas"].items():
        yield f'<h3 id="{escape(name)}"><code>{escape(name)}</code></h3>'
        yield f"<p>{escape(schema.get('description', ''))}</p>"
        if "enum" in schema:
            yield f"<p>{', '.join(f'<code>{escape(str(v))}</code>' for v in schema['enum'])}</p>"
        if properties := schema.get("properties"):
            required = schema.get("required", ())
            yield "<table><tr><th>field<th>kind<th>default<th>meaning"
            for field, inner in properties.items():
                default = "required" if field in required else _default(inner)
                yield _row(field, _kind(inner), default, _meaning(inner))
            yield "</table>"


def _row(name: str, *cells: str) -> str:
    return f"<tr><td><code>{escape(name)}</code>" + "".join(f"<td>{cell}" for cell in cells)


def _schema(content: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (
        content.get("content", {}).get("application/json", {}).get("schema", {})
    )
    return found


def _meaning(schema: Mapping[str, Any]) -> str:
    return escape(schema.get("description", ""))


def _default(schema: Mapping[str, Any]) -> str:
    return f"<code>{escape(repr(schema['default']))}</code>" if "default" in schema else ""


def _kind(schema: Mapping[str, Any]) -> str:
    """What may be there, in a few words."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    if alternatives := schema.get("anyOf") or schema.get("allOf"):
        return " or ".join(_kind(one) for one in alternatives)
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    words = [escape(str(schema.get("type", "any")))]
    if "items" in schema:
        words.append(f"of {_kind(schema['items'])}")
    for key, sign in (("minimum", "≥"), ("maximum", "≤"), ("maxLength", "length ≤")):
        if key in schema:
            words.append(f"{sign} {schema[key]:g}")
    return " ".join(words)
