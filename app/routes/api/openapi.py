"""The OpenAPI 3.1 document, made of the table of endpoints and their handlers' signatures."""

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from app import views
from app.routes.api.endpoint import Csv, Endpoint, Shape, is_upload
from app.security.access import SCOPES
from app.security.permissions import Action
from app.version import VERSION

Json = dict[str, Any]
PREFIX: Final = "/api/v1"
PLACE: Final = re.compile(r"\{(\w+):id\}")
REFERENCE: Final = "#/components/schemas/{name}"
ID: Final = {"type": "string", "pattern": views.ID}
ABOUT: Final = """Ids are texts of digits. Times are milliseconds since 1970, UTC. Lists come in pages: `next_cursor`
asks for what follows. Every error has the same shape. With an `Idempotency-Key`, a request that creates something can
be sent again for a day and is done once."""
PROBLEMS: Final = {"4XX": "The request was refused: the error says why", "5XX": "It cannot be done now; try again"}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """`code` is for programs and stays; `message` is for people; `fields` names what is wrong in the request."""

    code: str
    message: str
    request_id: str
    fields: dict[str, str] = {}


class Error(msgspec.Struct, frozen=True):
    error: Problem


def document(endpoints: Iterable[Endpoint]) -> Json:
    """The whole document as plain values."""
    lines = [(endpoint, endpoint.shape()) for endpoint in endpoints]
    kinds = [kind for _line, shape in lines for kind in (shape.body, shape.answer) if is_json(kind)]
    schemas, components = msgspec.json.schema_components([*kinds, Error], ref_template=REFERENCE)
    named = dict(zip(map(repr, [*kinds, Error]), schemas, strict=True))
    paths: dict[str, Json] = {}
    for endpoint, shape in lines:
        place = PREFIX + PLACE.sub(r"{\1}", endpoint.path)
        paths.setdefault(place, {})[endpoint.method.lower()] = operation(endpoint, shape, named)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Parley", "version": VERSION, "description": ABOUT.replace("\n", " ")},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def operation(endpoint: Endpoint, shape: Shape, named: dict[str, Json]) -> Json:
    found: Json = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "responses": {str(endpoint.status): success(endpoint, shape, named), **problems(named)},
    }
    if endpoint.has_tag:
        found["responses"]["304"] = {"description": "What `If-None-Match` names is still what there is"}
    if endpoint.handler.__doc__:
        found["description"] = " ".join(endpoint.handler.__doc__.split())
    if endpoint.may is not None:
        found["security"] = [{"bearer": []}]
        found["x-scope"] = scope_of(endpoint.may)
    if parameters := [*in_path(endpoint), *in_query(shape), *in_headers(endpoint, shape)]:
        found["parameters"] = parameters
    if is_upload(shape.body):
        content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in shape.body.kinds}
        found["requestBody"] = {"required": True, "content": content}
    elif shape.body is not None:
        content = {"application/json": {"schema": named[repr(shape.body)]}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def is_json(kind: Any) -> bool:
    return kind is not None and kind is not Csv and not is_upload(kind)


def scope_of(action: Action) -> str:
    return next(scope for scope, actions in SCOPES.items() if action in actions)


def success(endpoint: Endpoint, shape: Shape, named: dict[str, Json]) -> Json:
    if shape.answer is None:
        return {"description": "Done"}
    if shape.answer is Csv:
        return {"description": "Done", "content": {"text/csv": {"schema": {"type": "string"}}}}
    return {"description": "Done", "content": {"application/json": {"schema": named[repr(shape.answer)]}}}


def problems(named: dict[str, Json]) -> Json:
    content = {"application/json": {"schema": named[repr(Error)]}}
    return {status: {"description": said, "content": content} for status, said in PROBLEMS.items()}


def in_path(endpoint: Endpoint) -> list[Json]:
    return [{"name": name, "in": "path", "required": True, "schema": ID} for name in PLACE.findall(endpoint.path)]


def in_query(shape: Shape) -> list[Json]:
    if shape.query is None:
        return []
    _references, components = msgspec.json.schema_components([shape.query], ref_template=REFERENCE)
    described = components[shape.query.__name__]
    required = described.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in described["properties"].items()
    ]


def in_headers(endpoint: Endpoint, shape: Shape) -> list[Json]:
    if endpoint.has_tag:
        return [{"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}}]
    if not shape.idempotent:
        return []
    schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
    return [{"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema}]
