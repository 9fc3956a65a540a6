"""What an answer must be, and the value it gives. Pure and bounded: of an answer as much is read as rules read of
a message."""

import re
from datetime import datetime
from typing import Any

import msgspec

from app.bot.dates import read_date, read_moment, read_time
from app.bot.match import PATTERN_READS
from app.bot.values import LARGEST, MISSING
from app.bot.words import READ_LIMIT, fold, words
from app.content import Choice, Content, Location, Media
from app.content import kind as kind_of

YES = frozenset("yes y yeah yep ok okay si s sim oui ja da 👍 ✅ 👌".split())
NO = frozenset("no n nope nao non nein nie 👎 ❌".split())
PIECES = 200
LONGEST_NAME = 200

_NUMBER = re.compile(r"[-+]?\d[\d.,]*")
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:[.,]\d{3})+")
_MAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,63}")
_PHONE = re.compile(r"\+?\(?\d[\d\s()./-]{5,25}\d")


class Expected(msgspec.Struct, frozen=True):
    """`choices` for a choice, with the value each gives; `pattern` (RE2) for a regex; `low` and `high` for a number;
    `future`: a day or time that is past does not fit."""

    kind: str
    low: float = -LARGEST
    high: float = LARGEST
    pattern: Any = None
    choices: tuple[tuple[Choice, str], ...] = ()
    future: bool = False


class Here(msgspec.Struct, frozen=True):
    """When an answer is read, on the clock of the bot's zone, and in which language."""

    now: datetime
    language: str = ""


def read(expected: Expected, content: Content, text: str, button: list[str] | None, here: Here) -> Any:
    """The value of an answer; `MISSING` if it is not one. `button` are the words of a pressed button's id."""
    text = text[:READ_LIMIT].strip()
    match expected.kind:
        case "location":
            return place(content)
        case "media":
            return file(content)
        case "choice":
            return choice(expected, text, button)
        case "integer" | "decimal":
            return number(expected, text)
        case "email":
            return only(_mails(text))
        case "phone":
            return only([found for found in map(_digits, _PHONE.findall(fold(text))) if 7 <= _count(found) <= 15])
        case "yes_no":
            return yes_no(text)
        case "date" | "time" | "datetime":
            return moment(expected, text, here)
        case "regex":
            return pattern(expected.pattern, text)
        case _:
            return MISSING if isinstance(content, Media | Location) or not text else text


def chosen(expected: Expected, text: str, button: list[str] | None) -> bool:
    """Whether the answer is one of the choices, word for word."""
    return _same(expected, words(text), button) is not MISSING


def choice(expected: Expected, text: str, button: list[str] | None) -> Any:
    """A choice by its title or id; else the only one whose title is somewhere in the answer."""
    found = words(text)
    same = _same(expected, found, button)
    if same is not MISSING:
        return same
    named = [value for option, value in expected.choices if _within(words(option.title), found)]
    return only(named)


def _same(expected: Expected, found: list[str], button: list[str] | None) -> Any:
    for option, value in expected.choices:
        for own in (words(option.title) or [option.title], words(option.id) or [option.id]):
            if own in (found, button):
                return value
    return MISSING


def _within(part: list[str], whole: list[str]) -> bool:
    size = len(part)
    return bool(part) and any(whole[at : at + size] == part for at in range(min(len(whole), PIECES) - size + 1))


def number(expected: Expected, text: str) -> Any:
    """The one number in the answer, if it is within the bounds."""
    found = [token.rstrip(".,") for token in _NUMBER.findall(fold(text))]
    if len(found) != 1 or len(found[0]) > 20:
        return MISSING
    value = integer(found[0]) if expected.kind == "integer" else decimal(found[0])
    return value if value is not MISSING and expected.low <= value <= expected.high else MISSING


def integer(token: str) -> Any:
    """`1200`, `1,200` and `1.200` are the same whole number; `1.5` is none."""
    plain = re.sub(r"[.,]", "", token) if _GROUPED.fullmatch(token) else token
    return int(plain) if re.fullmatch(r"[-+]?\d{1,15}", plain) else MISSING


def decimal(token: str) -> Any:
    """The last point or comma begins the decimals, unless it stands more than once: `1,200.5`, `1.200,5`, `2,5`."""
    last = max(token.rfind("."), token.rfind(","))
    if last < 0 or token.count(token[last]) > 1:
        return integer(token)
    whole = re.sub(r"[.,]", "", token[:last])
    plain = f"{whole}.{token[last + 1 :]}"
    return float(plain) if re.fullmatch(r"[-+]?\d{1,15}\.\d{1,15}", plain) else MISSING


def yes_no(text: str) -> Any:
    """True or false by the first word, as long as the answer does not say both."""
    found = words(text)
    said = set(found)
    if not found or (said & YES and said & NO) or found[0] not in YES | NO:
        return MISSING
    return found[0] in YES


def moment(expected: Expected, text: str, here: Here) -> Any:
    """A day or time in words. They compare as texts."""
    value = {"date": read_date, "time": read_time, "datetime": read_moment}[expected.kind](
        text, here.now, here.language
    )
    if value is MISSING or not expected.future:
        return value
    now = f"{here.now:%Y-%m-%d}" if expected.kind == "date" else f"{here.now:%Y-%m-%d %H:%M}"
    return value if value >= now else MISSING


def pattern(compiled: Any, text: str) -> Any:
    """The whole answer, if all of it fits. RE2 reads UTF-8, which has no half characters."""
    clean = text.encode("utf-8", "replace").decode()
    return text if len(text) <= PATTERN_READS and compiled.fullmatch(clean) else MISSING


def place(content: Content) -> Any:
    if not isinstance(content, Location):
        return MISSING
    name, address = content.name[:LONGEST_NAME], content.address[:LONGEST_NAME]
    return {"latitude": content.latitude, "longitude": content.longitude, "name": name, "address": address}


def file(content: Content) -> Any:
    if not isinstance(content, Media):
        return MISSING
    filename = getattr(content, "filename", "")[:LONGEST_NAME]
    return {"kind": kind_of(content), "caption": content.caption[:READ_LIMIT], "filename": filename}


def only(found: list[str]) -> Any:
    """The one value that was found."""
    return found[0] if len(set(found)) == 1 else MISSING


def _mails(text: str) -> list[str]:
    pieces = [piece.strip(",;:()<>[]\"'!?.") for piece in text.split()[:PIECES]]
    return [piece for piece in pieces if len(piece) <= 320 and _MAIL.fullmatch(piece)]


def _digits(found: str) -> str:
    return ("+" if found.startswith("+") else "") + re.sub(r"\D", "", found)


def _count(phone: str) -> int:
    return len(phone.lstrip("+"))
