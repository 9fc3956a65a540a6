"""Holds an answer against the OpenAPI document: its status, its content type, and its body with no field more."""

import re
from functools import lru_cache
from typing import Any, Final

import httpx
import jsonschema_rs

from app.routes.api import openapi
from app.routes.docs import document

Json = dict[str, Any]
# Streams and what describes the API itself.
OTHERS: Final = ("/api/v1/events", "/api/v1/socket", "/api/v1/openapi.json", "/api/v1/bot.schema.json")
ERROR: Final = {"$ref": openapi.REFERENCE.format(name="Error")}


def check(answer: httpx.Response) -> None:
    """Raises AssertionError where the answer is not what the document says."""
    path = answer.request.url.path
    if not path.startswith(f"{openapi.PREFIX}/") or path in OTHERS:
        return
    place = f"{answer.request.method} {path} {answer.status_code}"
    operation = find(answer.request.method, path)
    if operation is None:
        assert answer.status_code in (404, 405), f"{place}: not in the document"
        check_body(place, answer, ERROR)
        return
    responses = operation["responses"]
    said = responses.get(str(answer.status_code)) or responses.get(f"{answer.status_code // 100}XX")
    assert said is not None, f"{place}: this status is not in the document"
    kinds = said.get("content", {})
    if kinds and "application/json" not in kinds:
        kind = answer.headers["content-type"].partition(";")[0]
        assert "*/*" in kinds or kind in kinds, f"{place}: {kind}"
    elif "content" in said:
        check_body(place, answer, said["content"]["application/json"]["schema"])
    else:
        assert not answer.content, f"{place}: there is a body where none is described"


def check_body(place: str, answer: httpx.Response, schema: Json) -> None:
    kind = answer.headers.get("content-type")
    assert kind == "application/json", f"{place}: its content type is {kind}"
    wrong = [
        f"{error.instance_path}: {error.message}" for error in validator(schema["$ref"]).iter_errors(answer.json())
    ]
    assert not wrong, f"{place}: {wrong}"


@lru_cache
def validator(reference: str) -> Any:
    components = openapi.Json(document()["components"])
    exact = {name: closed(each) for name, each in components["schemas"].items()}
    return jsonschema_rs.Draft202012Validator({"$ref": reference, "components": {"schemas": exact}})


def closed(schema: Json) -> Json:
    """A field that is not described is an error, too."""
    return {"additionalProperties": False} | schema if "properties" in schema else schema


@lru_cache
def patterns() -> list[tuple[re.Pattern[str], Json]]:
    return [
        (re.compile(re.sub(r"\{\w+\}", "[0-9]{1,19}", path)), methods) for path, methods in document()["paths"].items()
    ]


def find(method: str, path: str) -> Json | None:
    for pattern, methods in patterns():
        if pattern.fullmatch(path):
            found: Json | None = methods.get(method.lower())
            return found
    return None
