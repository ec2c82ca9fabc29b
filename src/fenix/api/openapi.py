"""The description of the API, complete with what FastAPI can't see for itself.

Bodies are read by dependencies of ours (`fenix.api.validation`), so their models are added here;
the answer 422, which FastAPI assumes, is taken out: it is always 400.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from fenix import __version__

REFERENCE = "#/components/schemas/{model}"
DESCRIPTION = """\
Rolling maintenance of a cloud while the applications on it keep running.

Every path answers with and without a slash at its end. Success is 200 with a JSON body. All times
are naive UTC. Errors have the body `{"error": {"code", "title", "message"}}`. Each answer has a
header `X-Openstack-Request-Id`.
"""

_models: list[type[BaseModel]] = []


def takes(model: type[BaseModel]) -> dict[str, Any]:
    """Arguments for a route whose body is of a model."""
    if model not in _models:
        _models.append(model)
    schema = {"$ref": REFERENCE.format(model=model.__name__)}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"openapi_extra": {"requestBody": body}}


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole description (OpenAPI 3.1)."""
    made = get_openapi(
        title="Fenix",
        version=__version__,
        description=DESCRIPTION,
        routes=app.routes,
        license_info={"name": "Apache-2.0"},
    )
    _, bodies = models_json_schema(
        [(model, "validation") for model in _models], ref_template=REFERENCE
    )
    components = made.setdefault("components", {})
    schemas = bodies.get("$defs", {}) | components.get("schemas", {})
    components["schemas"] = {
        name: schema
        for name, schema in sorted(schemas.items())
        if name not in ("HTTPValidationError", "ValidationError")
    }
    components["securitySchemes"] = {
        "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}
    }
    for path, operations in made["paths"].items():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            if path.startswith("/v1/"):
                operation["security"] = [{"token": []}]
    return made
