"""The API described: for programs as OpenAPI 3.1, for people as one page. Both are made of the table of endpoints."""

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.routes.api import ENDPOINTS, openapi
from app.routes.respond import page

KINDS: Final = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


class Field(msgspec.Struct, frozen=True):
    """A value of a body, an address or an answer, as people read it."""

    name: str
    kind: str
    required: bool
    note: str


class Described(msgspec.Struct, frozen=True):
    """One endpoint. `example` is a command that can be copied."""

    name: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    parameters: list[Field]
    body: list[Field]
    answer: list[Field]
    status: str
    example: str


@lru_cache(maxsize=1)
def document() -> openapi.Json:
    return openapi.document(ENDPOINTS)


async def schema(request: Request) -> Response:
    return Response(msgspec.json.encode(document()), media_type="application/json")


async def show(request: Request) -> Response:
    base = f"{request.state.origin.scheme}://{request.state.origin.host}"
    return await page(request, "api.html", groups=groups(base), base=base)


def groups(base: str) -> dict[str, list[Described]]:
    """Endpoints by noun, in the order of the table."""
    found: dict[str, list[Described]] = {}
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            found.setdefault(operation["tags"][0], []).append(described(base, path, method.upper(), operation))
    return found


def described(base: str, path: str, method: str, operation: openapi.Json) -> Described:
    status, success = next(iter(operation["responses"].items()))
    body = schema_in(operation.get("requestBody", {}))
    parameters = [
        Field(each["name"], kind(each["schema"]), each["required"], each["schema"].get("description", ""))
        for each in operation.get("parameters", [])
    ]
    return Described(
        operation["operationId"], method, path, operation["summary"], operation.get("description", ""),
        operation.get("x-scope", ""), parameters, fields(body), fields(schema_in(success)), status,
        example(base, path, method, body),
    )  # fmt: skip


def schema_in(holder: openapi.Json) -> openapi.Json:
    found: openapi.Json = holder.get("content", {}).get("application/json", {}).get("schema", {})
    return resolved(found)


def resolved(schema: openapi.Json) -> openapi.Json:
    reference = schema.get("$ref", "")
    if not reference:
        return schema
    found: openapi.Json = document()["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def fields(schema: openapi.Json) -> list[Field]:
    required = schema.get("required", [])
    return [
        Field(name, kind(each), name in required, each.get("description", ""))
        for name, each in schema.get("properties", {}).items()
    ]


def kind(schema: openapi.Json) -> str:
    """What a value is, in words."""
    if "anyOf" in schema:
        return " or ".join(unique(kind(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join("null" if value is None else str(value) for value in schema["enum"])
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if schema.get("type") == "array":
        items = schema.get("items") or (schema.get("prefixItems") or [{}])[0]
        return f"list of {kind(items)}"
    return KINDS.get(schema.get("type", ""), str(schema.get("type", "anything")))


def unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def example(base: str, path: str, method: str, body: openapi.Json) -> str:
    parts = ["curl", f"-X {method}" if method not in ("GET", "POST") or (not body and method == "POST") else ""]
    parts.append(f'-H "Authorization: Bearer $TOKEN" {base}{path}')
    if body:
        parts.append(f"--json '{json.dumps(sample(body))}'")
    return " ".join(part for part in parts if part)


def sample(schema: openapi.Json) -> Any:
    """A body with what is required, and with a text where one of several is."""
    required = schema.get("required", [])
    names = [*required, *(["text"] if "to" in required and "text" in schema["properties"] else [])]
    return {name: a_value(name, schema["properties"][name]) for name in names}


def a_value(name: str, schema: openapi.Json) -> Any:
    known = {"to": "+5511999990000", "channel": "Shop", "text": "Hi", "email": "you@example.com", "scopes": ["read"]}
    if name in known:
        return known[name]
    return {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}.get(schema.get("type", ""), "…")
