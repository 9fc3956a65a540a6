"""HTTP calls of bots as data: the job that a turn leaves, the request that is made of it, what the answer says.

Nothing here sends. A secret is put in where the request is built, and covered wherever an answer repeats it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from app.bot.request import HANDLER
from app.bot.scene import Call, CallError, CallResult, Effect
from app.db import Tx
from app.models import Job
from app.security.addresses import AUTHORITY, SHAPE
from app.security.outbound import Answer
from app.store import jobs

KIND: Final = "call"
# Methods that do the same when they are done twice (RFC 9110, 9.2.2): only these are repeated after bytes have left.
REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
HIDDEN: Final = "•••"
SHOWN: Final = 200  # characters of a path that people see
DEEPEST: Final = 32
MARKER: Final = re.compile("\0secret:([^\0]*)\0")
CHARSET: Final = re.compile(r"charset=\"?([\w.:-]{1,40})", re.IGNORECASE)
TEXTUAL: Final = re.compile(r"text/|application/(xml|javascript|x-www-form-urlencoded|x-yaml|yaml)|.*\+xml")

_call: msgspec.json.Decoder[Call] = msgspec.json.Decoder(Call)


class Request(msgspec.Struct, frozen=True):
    """What is sent, with the secrets in it."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


def lane(call: Call) -> str:
    """Who makes it: whoever calls hosts, or whoever asks programs."""
    return "ask" if call.method == HANDLER else "call"


def order(
    tx: Tx, turn_id: int, conversation_id: int, effects: Iterable[Effect], due: Callable[[str, int], None]
) -> None:
    """A job for each `Call`, in the unit of the turn that asks for it. `due` is told after the commit."""
    wanted = [effect for effect in effects if isinstance(effect, Call)]
    for call in wanted:
        tx.run(
            jobs.INSERT_CALL, id=tx.new_id(), kind=KIND, subject=f"{turn_id}.{call.token}",
            payload=msgspec.json.encode(call).decode(), now=tx.now, conversation_id=conversation_id,
            host=place(call), lane=lane(call),
        )  # fmt: skip
    for each in {lane(call) for call in wanted}:
        tx.after_commit(due, each, tx.now)


def turn_of(job: Job) -> int:
    """The turn that ordered it, which knows its conversation even if that was joined to another meanwhile."""
    return int(job.subject.partition(".")[0])


def read(payload: str) -> Call:
    return _call.decode(payload)


# ---- what people see ------------------------------------------------------------------------------------------------


def host(url: str) -> str:
    """Where it leads, in a few words: never empty, whatever was written."""
    found = SHAPE.fullmatch(url)
    place = AUTHORITY.fullmatch(MARKER.sub("x", found[2])) if found else None
    return place[0].lower()[:100] if place else "?"


def place(call: Call) -> str:
    """Who answers it: a host, or the programs for a handler."""
    return f"{HANDLER.lower()} {call.url}" if call.method == HANDLER else host(call.url)


def shown(call: Call) -> str:
    """Method, host and path: without the query, and with every secret covered."""
    if call.method == HANDLER:
        return place(call)
    found = SHAPE.fullmatch(MARKER.sub(HIDDEN, call.url))
    path = found[3].partition("?")[0] if found else ""
    return f"{call.method} {host(call.url)}{path[:SHOWN]}".replace("\0", "")


# ---- the request ----------------------------------------------------------------------------------------------------


def build(call: Call, secrets: Mapping[str, str], key: str) -> Request:
    """The request. `key` tells it apart from every other: a service that knows `Idempotency-Key` does it once."""
    names = {name.lower() for name in call.headers}
    headers = {name: fill(value, call, secrets) for name, value in call.headers.items()}
    body, kind = b"", ""
    if call.json is not None:
        body, kind = msgspec.json.encode(filled(call.json, call, secrets)), "application/json"
    elif call.form is not None:
        fields = {name: fill(value, call, secrets) for name, value in call.form.items()}
        body, kind = urlencode(fields).encode(), "application/x-www-form-urlencoded"
    own = {"Accept": "application/json, */*;q=0.8"}
    if kind:
        own["Content-Type"] = kind
    if call.method not in REPEATABLE:
        own["Idempotency-Key"] = key
    headers |= {name: value for name, value in own.items() if name.lower() not in names}
    return Request(call.method, fill(call.url, call, secrets, encoded), headers, body)


def fill(text: str, call: Call, secrets: Mapping[str, str], how: Callable[[str], str] = str) -> str:
    """The text with the secrets that the document names at this call, and with no other."""
    known = {name: secrets[name] for name in call.secrets}
    return MARKER.sub(lambda found: how(known[found[1]]) if found[1] in known else "", text)


def filled(value: Any, call: Call, secrets: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return fill(value, call, secrets)
    if isinstance(value, Mapping):
        return {fill(name, call, secrets): filled(inner, call, secrets) for name, inner in value.items()}
    return [filled(inner, call, secrets) for inner in value] if isinstance(value, list | tuple) else value


def encoded(value: str) -> str:
    return quote(value, safe="")


# ---- the answer -----------------------------------------------------------------------------------------------------


def failed(call: Call, error: CallError, took_ms: int = 0) -> CallResult:
    return CallResult(call.token, error=error, request=shown(call), took_ms=took_ms)


def heard(call: Call, status: int, body: Any, secrets: Mapping[str, str], took_ms: int) -> CallResult:
    """What the bot hears of a program."""
    body = covered(plain(body, DEEPEST), tuple(secrets[name] for name in call.secrets))
    return CallResult(call.token, status, body, "", shown(call), took_ms)


def result(call: Call, answer: Answer, secrets: Mapping[str, str], took_ms: int) -> CallResult:
    """What the bot hears: JSON decoded, text as text, other files as nothing; no secret in any of it."""
    error: CallError = ""
    body: Any = None
    try:
        body = covered(decoded(answer), tuple(secrets[name] for name in call.secrets))
    except ValueError:
        error = "bad_json"
    return CallResult(call.token, answer.status, body, error, shown(call), took_ms)


def decoded(answer: Answer) -> Any:
    """The body by its content type; without one, JSON if it is that. Raises ValueError for JSON that is none."""
    kind = answer.type.partition(";")[0].strip().lower()
    if not answer.body:
        return None
    if kind == "application/json" or kind.endswith("+json"):
        return json_of(answer.body)
    if not kind:
        try:
            return json_of(answer.body)
        except ValueError:
            return text_of(answer)
    return text_of(answer) if TEXTUAL.match(kind) else None


def json_of(body: bytes) -> Any:
    """Raises ValueError."""
    try:
        return plain(msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf")), DEEPEST)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None


def text_of(answer: Answer) -> str:
    named = CHARSET.search(answer.type)
    try:
        return plain_text(answer.body.decode(named[1] if named else "utf-8", "replace"))
    except LookupError:
        return plain_text(answer.body.decode("utf-8", "replace"))


def plain(value: Any, deep: int) -> Any:
    """The value as it can be stored: numbers that a computer's word holds, no NUL, not nested without end. Raises
    ValueError."""
    if deep < 0:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, dict):
        return {plain_text(name): plain(inner, deep - 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner, deep - 1) for inner in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value) if abs(value) < 10**300 else None
    return value


def plain_text(text: str) -> str:
    """Without NUL: what an answer says must never look like the marker of a secret."""
    return text.replace("\0", "\ufffd")


def covered(value: Any, hidden: tuple[str, ...]) -> Any:
    """The value with every secret in it replaced, also as an address or a form writes it."""
    if isinstance(value, str):
        for secret in hidden:
            for form in {secret, quote(secret, safe=""), quote(secret), urlencode({"": secret})[1:]}:
                value = value.replace(form, HIDDEN)
        return value
    if isinstance(value, dict):
        return {covered(name, hidden): covered(inner, hidden) for name, inner in value.items()}
    return [covered(inner, hidden) for inner in value] if isinstance(value, list) else value
