"""The OpenAPI 3.1 document, made of the table of endpoints and their handlers' signatures."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from app import views
from app.routes.api import events
from app.routes.api.endpoint import Binary, Endpoint, Rows, Shape, is_file, is_upload
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
    for stream in STREAMS:
        paths[PREFIX + stream.path] = {"get": streaming(stream, named)}
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
    return kind is not None and not is_file(kind) and not is_upload(kind)


class StreamLine(msgspec.Struct, frozen=True):
    """An address that goes on answering. `query`: what may stand behind the `?`."""

    path: str
    name: str
    summary: str
    description: str
    answer: Json
    query: Any = None


STREAMS: Final = (
    StreamLine(
        "/events", "streamEvents", "What happens, as Server-Sent Events",
        "Each event has its `seq` as `id`, its type as `event`, and `{seq, type, at, data}` as `data`. With"
        " `Last-Event-ID` or `after` it goes on where a program was. `docs/api.md` has the types.",
        {
            "200": {
                "description": "A stream without end",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            }
        },
        events.Filter,
    ),
    StreamLine(
        "/socket", "openSocket", "The same, and acting, over a WebSocket",
        "Ask for a WebSocket (`Upgrade: websocket`). Each frame is a JSON object: `do` is `subscribe`, `send`, `take`,"
        " `give_back`, `close` or `ping`. `docs/api.md` has examples of them all.",
        {"101": {"description": "The connection is a WebSocket now"}},
    ),
)  # fmt: skip


def streaming(line: StreamLine, named: dict[str, Json]) -> Json:
    """`x-stream`: no client should wait for the end of the answer."""
    return {
        "operationId": line.name, "tags": ["events"], "summary": line.summary, "description": line.description,
        "security": [{"bearer": []}], "x-scope": "read", "x-stream": True,
        "parameters": in_query(Shape(line.query, None, None, False)),
        "responses": {**line.answer, **problems(named)},
    }  # fmt: skip


def scope_of(action: Action) -> str:
    return next(scope for scope, actions in SCOPES.items() if action in actions)


def success(endpoint: Endpoint, shape: Shape, named: dict[str, Json]) -> Json:
    if shape.answer is None:
        return {"description": "Done"}
    if is_file(shape.answer):
        return {"description": "Done", "content": {kind: {"schema": schema} for kind, schema in files(shape.answer)}}
    return {"description": "Done", "content": {"application/json": {"schema": named[repr(shape.answer)]}}}


def files(kind: Any) -> Iterator[tuple[str, Json]]:
    """What kinds of file an answer may be."""
    if kind is Binary:
        yield "*/*", {"type": "string", "format": "binary"}
    elif kind is Rows:
        yield from ((each, {"type": "string"}) for each in Rows.media_types.values())
    else:
        yield "text/csv", {"type": "string"}


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
    if endpoint.changes_one:
        return [{"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"}}]
    if not shape.idempotent:
        return []
    schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
    return [{"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema}]
