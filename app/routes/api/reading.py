"""What a program sent, read strictly (S17): a body that two readers could take for different things is refused."""

import json
import re
from collections import Counter
from math import isfinite
from typing import Any, Final, NoReturn

import msgspec

from app.errors import Invalid, ParleyError
from app.said import N_, Sentence

DEEPEST: Final = 64
LONGEST_NUMBER: Final = 400  # digits; anything this long is no quantity
LARGEST: Final = 2**63 - 1
NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
NOT_TEXT: Final = N_("A text holds what is no character.")


class BadRequest(ParleyError):
    """The request cannot be read at all."""

    status = 400
    code = "bad_request"


class NotJson(ParleyError):
    """The body is of another kind than JSON."""

    status = 415
    code = "not_json"


class WrongKind(ParleyError):
    """The body is a file of another kind than is taken here."""

    status = 415
    code = "wrong_kind"


def read(body: bytes, content_type: str, kind: Any) -> Any:
    """The body as `kind`, a msgspec struct. Raises `NotJson`, `BadRequest` for what is no plain JSON, `Invalid` with
    the field for what does not fit."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise NotJson(N_("Send the body as JSON, with Content-Type: application/json."))
    return fit(plain(body), kind)


def plain(body: bytes) -> Any:
    """Plain values from JSON: at most 64 levels, no key twice, no NaN, no number that the database cannot hold."""
    if NUL.search(body):
        raise BadRequest(NOT_TEXT)  # Postgres cannot hold it
    if too_deep(body):
        raise BadRequest(N_("The JSON is nested more than {most} levels deep.", most=DEEPEST))
    try:
        text = body.decode("utf-8")
        found = json.loads(
            text, object_pairs_hook=once_each, parse_constant=no_constant, parse_int=whole, parse_float=finite
        )
        if SURROGATE.search(body):
            json.dumps(found, ensure_ascii=False).encode()
        return found
    except UnicodeEncodeError:
        raise BadRequest(NOT_TEXT) from None  # half of a pair
    except UnicodeDecodeError:
        raise BadRequest(N_("The body is not UTF-8.")) from None
    except json.JSONDecodeError as error:
        raise BadRequest(
            N_("The body is not JSON: line {line}, column {column}.", line=error.lineno, column=error.colno)
        ) from None


def too_deep(body: bytes) -> bool:
    """Nesting, counted without reading the values: brackets in texts do not count."""
    depth, in_text, escaped = 0, False, False
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    for byte in body:
        if in_text:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_text = False
        elif byte == 0x22:
            in_text = True
        elif byte in b"[{":
            depth += 1
            if depth > DEEPEST:
                return True
        elif byte in b"]}":
            depth -= 1
    return False


def once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise BadRequest(N_("“{key}” is there twice.", key=twice[:100]))
    return found


def no_constant(name: str) -> NoReturn:
    raise BadRequest(N_("{name} is not JSON.", name=name))


def whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise BadRequest(N_("A number has more than {most} digits.", most=LONGEST_NUMBER))
    value = int(digits)
    if not -LARGEST <= value <= LARGEST:
        raise Invalid(N_("A number is too large."))
    return value


def finite(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise Invalid(N_("A number is too large."))
    return value


def fit(value: Any, kind: Any, *, loose: bool = False) -> Any:
    """The value as `kind`; `loose` reads numbers and truth from texts, as addresses have them."""
    try:
        return msgspec.convert(value, kind, strict=not loose)
    except msgspec.ValidationError as error:
        said, field = told(str(error))
        fields: dict[str, Sentence] = {field: said} if field else {}
        raise Invalid(said, fields=fields) from None


def told(problem: str) -> tuple[str, str]:
    """msgspec's “Expected `str`, got `int` - at `$.to`” as a sentence and the field's path."""
    said, _, place = problem.partition(" - at `")
    return said.replace("`", "") + ".", place.rstrip("`").removeprefix("$.").removeprefix("$")
