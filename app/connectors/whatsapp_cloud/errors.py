"""What Meta's errors mean for a send. Contract §9: the code decides, then the HTTP status; titles are never read.

A code says how to go on (`Kind`); with it come how far it reaches, whether the channel has to wait for a person, and
for how long to leave it alone. Whatever came as Graph's JSON is a refusal: it was certainly not accepted.
"""

from enum import StrEnum
from typing import Any

import msgspec

from app.connectors.base import Problem, Scope, SendFailed
from app.connectors.wire import an_object, member, string


class Kind(StrEnum):
    """Classes of the contract."""

    RETRY = "retry"
    RATE = "rate"
    PAIR = "pair"
    WINDOW = "window"
    AUTH = "auth"
    ACCOUNT = "account"
    TEMPLATE = "template"
    PERMANENT = "permanent"


class Meaning(msgspec.Struct, frozen=True):
    """`after`: seconds to wait where the contract names them; otherwise the outbox doubles its own waits."""

    kind: Kind
    after: float | None = None


def _all(kind: Kind, *codes: int | range) -> dict[int, Meaning]:
    return {code: Meaning(kind) for entry in codes for code in (entry if isinstance(entry, range) else (entry,))}


CODES: dict[int, Meaning] = {
    **_all(Kind.RETRY, 1, 2, 131000, 131016, 133004, 139102, 139103),
    **_all(Kind.RATE, 4, 17, 32, 341, 613, range(80001, 80015), 130429, 131208, 132069, 131064),
    **_all(Kind.AUTH, 0, 3, 10, 102, 190, range(200, 300), 131005),
    **_all(Kind.ACCOUNT, 33, 368, 131031, 131037, 131042, 131044, 131045, 131207, 133000, 134011, 134102),
    **_all(Kind.ACCOUNT, 136024, 136025, 133005, 133006, 133008, 133009, 133010),
    **_all(Kind.TEMPLATE, 131063, 132000, 132001, 132005, 132007, 132012, 132015, 132016, 132018, 132068),
    **_all(Kind.TEMPLATE, range(139000, 139005)),
    **_all(Kind.PERMANENT, 100, 130472, 130497, 130501, 131008, 131009, 131014, 131021, 131026, 131030, 131035, 131036),
    **_all(Kind.PERMANENT, 131020, 131041, 131049, 131050, 131051, 131052, 131053, 131055, 131059, 131060, 131062),
    **_all(Kind.PERMANENT, 131201, 131202, 131204, range(131209, 131216), 134100, 135000, 137000),
    **_all(
        Kind.PERMANENT,
        range(138000, 138019),
        139100,
        139101,
        139200,
        range(147001, 147006),
        range(200005, 200008),
        1752041,
    ),
    **_all(Kind.PERMANENT, 2388001, 2388012, 2388019, 2388040, 2388047, 2388072, 2388073, 2388091, 2388093, 2388103),
    **_all(Kind.PERMANENT, 2388293, 2388299, 2388318, 2388330, range(2593107, 2593110)),
    131047: Meaning(Kind.WINDOW),
    131048: Meaning(Kind.RATE, 3600),
    131056: Meaning(Kind.PAIR),
    131057: Meaning(Kind.RATE, 60),
    133015: Meaning(Kind.RATE, 300),
    133016: Meaning(Kind.RATE, 3600),
    134101: Meaning(Kind.RETRY, 600),
    2494100: Meaning(Kind.RATE, 60),
}

_SCOPES = {Kind.RATE: Scope.CHANNEL, Kind.AUTH: Scope.CHANNEL, Kind.ACCOUNT: Scope.CHANNEL, Kind.PAIR: Scope.PAIR}
_TEMPORARY = {Kind.RETRY, Kind.RATE, Kind.PAIR, Kind.AUTH, Kind.ACCOUNT}


def meaning_of(code: int, status: int, *, transient: bool = False) -> Meaning:
    """What a code means; an unknown one by what Meta says of it and by the HTTP status."""
    known = CODES.get(code)
    if known:
        return known
    if transient:
        return Meaning(Kind.RETRY)
    return Meaning(by_status(status))


def by_status(status: int) -> Kind:
    """The class of an answer of which nothing but the HTTP status is understood."""
    if status == 429:
        return Kind.RATE
    if status in (401, 403):
        return Kind.AUTH
    return Kind.RETRY if status >= 500 else Kind.PERMANENT


def refusal(status: int, body: bytes) -> SendFailed:
    """The failure behind any answer but a success.

    A 5xx without Graph's JSON is from something between us and Graph, which may have passed the request on: uncertain.
    """
    error = graph_error(body)
    if error is None:
        problem = Problem(code=f"http.{status}", title=f"HTTP {status}", detail=body[:200].decode(errors="replace"))
        return failure(problem, Meaning(by_status(status)), certain=status < 500)
    code = error.get("code")
    meaning = meaning_of(code if isinstance(code, int) else -1, status, transient=error.get("is_transient") is True)
    return failure(_problem(error, status), meaning, certain=True)


def failure(problem: Problem, meaning: Meaning, *, certain: bool) -> SendFailed:
    """The contract's class as the outbox wants to know it. With a halt the message stays in the queue."""
    return SendFailed(
        problem,
        certain=certain,
        temporary=meaning.kind in _TEMPORARY,
        scope=_SCOPES.get(meaning.kind, Scope.MESSAGE),
        retry_after=meaning.after,
        halt=meaning.kind in (Kind.AUTH, Kind.ACCOUNT),
    )


def graph_error(body: bytes) -> dict[str, Any] | None:
    """Graph's error object; None if the body holds none."""
    try:
        error = member(an_object(body), "error")
    except ValueError:
        return None
    return error if "code" in error or "message" in error else None


def _problem(error: dict[str, Any], status: int) -> Problem:
    data = error.get("error_data")
    details = string(data, "details") if isinstance(data, dict) else data if isinstance(data, str) else ""
    return Problem(
        code=string(error, "code") or f"http.{status}",
        title=string(error, "message") or string(error, "error_user_title"),
        detail=details or string(error, "error_user_msg"),
        subcode=string(error, "error_subcode"),
    )
