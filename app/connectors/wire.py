"""JSON as a network sends it, read without trust: typed where a payload is plain, tolerant everywhere else.

Bytes stay bytes until one update is looked at, so that a broken update cannot take its neighbours along and every
update keeps the form in which it came. U+0000 and lone surrogates become U+FFFD: no database stores them.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

LATEST: Final = 4_102_444_800_000  # 2100-01-01, so that a broken clock does not sort above everything for ever
_MILLISECONDS_FROM: Final = 100_000_000_000  # as seconds this would be the year 5138

_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(\\u(?:[dD][89a-fA-F][0-9a-fA-F]{2}|0000))"
    rb"|\\.",
    re.DOTALL,
)

Object = Mapping[str, Any]
RawObject = dict[str, msgspec.Raw]

_anything = msgspec.json.Decoder()
_raw_object = msgspec.json.Decoder(RawObject)
_raw_list = msgspec.json.Decoder(list[msgspec.Raw])


def mended(text: bytes) -> bytes:
    """The same JSON, of the same length, with U+FFFD for U+0000 and for surrogates that have no partner."""
    return _ESCAPE.sub(lambda found: b"\\ufffd" if found[1] else found[0], text)


def anything(text: bytes) -> Any:
    """Any JSON value. Raises `ValueError` where nothing can be read from it."""
    try:
        return _anything.decode(text)
    except UnicodeDecodeError:
        return _anything.decode(text.decode(errors="replace").encode())
    except RecursionError:
        raise ValueError("nested too deeply") from None


def an_object(text: bytes) -> dict[str, Any]:
    """A JSON object. Raises `ValueError` on anything else."""
    value = anything(text)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def parts(text: bytes | msgspec.Raw) -> RawObject:
    """The members of an object, each still as bytes; none if it is something else."""
    try:
        return _raw_object.decode(text)
    except (ValueError, RecursionError):
        return {}


def elements(text: bytes | msgspec.Raw | None) -> list[msgspec.Raw]:
    """The elements of a list, each still as bytes. Anything else counts as a list of one, so that it is not lost."""
    if not text or bytes(text) == b"null":
        return []
    try:
        return _raw_list.decode(text)
    except (ValueError, RecursionError):
        return [msgspec.Raw(bytes(text))]


def string(value: Object, key: str) -> str:
    """The member as text. Numbers are written out, anything else counts as missing."""
    found = value.get(key)
    if isinstance(found, str):
        return found
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else ""


def number(value: Object, key: str) -> float | None:
    """The member as a finite number, also from text."""
    found = value.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        result = float(found)
    except (ValueError, OverflowError):
        return None
    return result if abs(result) < float("inf") else None


def member(value: Object, key: str) -> dict[str, Any]:
    """The member as an object, empty if it is none."""
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def objects(value: Object, key: str) -> list[dict[str, Any]]:
    """The objects in a list member; whatever else the list holds is left to the raw form."""
    found = value.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def milliseconds(value: Object, key: str) -> int:
    """Unix seconds, as text or number, in milliseconds between 1970 and 2100; 0 if missing."""
    seconds = number(value, key)
    if seconds is None:
        return 0
    at = seconds if seconds >= _MILLISECONDS_FROM else seconds * 1000
    return int(min(max(at, 0), LATEST))


def digits(text: str) -> str:
    """A phone number without its dressing; empty if there is more than digits, `+`, spaces, dots, dashes, brackets."""
    if text.isdigit() and text.isascii():
        return text
    bare = text.translate(_DRESSING)
    return bare if bare.isascii() and bare.isdigit() else ""


_DRESSING = {ord(sign): None for sign in "+ -().\u00a0"}
