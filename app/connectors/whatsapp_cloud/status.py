"""One status object → `Receipt`. Contract §5."""

from typing import Any, Literal

import msgspec

from app.connectors.base import Address, Arrival, Malformed, Notice, Problem, Receipt, Status
from app.connectors.whatsapp_cloud.place import Place, contact_for, raw_update
from app.connectors.wire import LATEST, an_object, digits, member, milliseconds, objects, string

FREE_ENTRY = "free_entry_point"
STATUSES = {status.value: status for status in Status if status is not Status.ACCEPTED}


class _Pricing(msgspec.Struct):
    type: str = ""


class _PlainStatus(msgspec.Struct):
    """A delivery that went well, to one person. Whatever differs takes the tolerant road."""

    id: str
    status: Literal["sent", "delivered", "read", "played"]
    timestamp: str
    recipient_id: str = ""
    recipient_user_id: str = ""
    recipient_parent_user_id: str = ""
    recipient_type: Literal["individual"] = "individual"
    type: Literal["message"] = "message"
    biz_opaque_callback_data: str = ""
    pricing: _Pricing | None = None


_plain = msgspec.json.Decoder(_PlainStatus)


def status_arrival(place: Place, raw: bytes) -> Arrival:
    """The report in `raw`; a `Notice` for states that are not about delivery, a `Malformed` without an id."""
    return _plain_arrival(place, raw) or _read_status(place, raw)


def _plain_arrival(place: Place, raw: bytes) -> Receipt | None:
    try:
        found = _plain.decode(raw)
        at = int(found.timestamp) * 1000
    except (ValueError, RecursionError):
        return None
    number, user_id = found.recipient_id, found.recipient_user_id
    if found.pricing is not None and found.pricing.type == FREE_ENTRY:
        return None
    if not found.id or not 0 <= at <= LATEST or (number and not number.isdigit()):
        return None
    return Receipt(
        place.account,
        found.id,
        STATUSES[found.status],
        at,
        raw_update(place, "status", raw, contact_for(place.contacts, user_id, number)),
        found.biz_opaque_callback_data,
        Address("", number, user_id, found.recipient_parent_user_id) if number or user_id else None,
    )


def _read_status(place: Place, raw: bytes) -> Arrival:
    try:
        report = an_object(raw)
    except ValueError as problem:
        return Malformed(place.account, f"status: {problem}", raw_update(place, "status", raw))
    provider_id, word = string(report, "id"), string(report, "status")
    known = contact_for(place.contacts, string(report, "recipient_user_id"), string(report, "recipient_id"))
    kept = raw_update(place, "status", raw, known)
    if not provider_id or not word:
        return Malformed(place.account, "status without an id or a state", kept)
    at = milliseconds(report, "timestamp") or place.at
    status = STATUSES.get(word)
    if status is None or string(report, "type") in {"payment", "call"}:
        return Notice(place.account, place.field, at, kept)
    return Receipt(
        account=place.account,
        provider_id=provider_id,
        status=status,
        at=at,
        raw=kept,
        opaque=string(report, "biz_opaque_callback_data"),
        recipient=_recipient(report),
        problem=_problem(report) if status is Status.FAILED else None,
        free_until=_free_until(report),
    )


def _free_until(report: dict[str, Any]) -> int:
    """The end of the time after an ad in which nothing is charged."""
    free = string(member(report, "pricing"), "type") == FREE_ENTRY
    return milliseconds(member(report, "conversation"), "expiration_timestamp") if free else 0


def _recipient(report: dict[str, Any]) -> Address | None:
    """Who got it; in a group the participant, if the report names one."""
    role = "recipient_participant" if string(report, "recipient_type") == "group" else "recipient"
    address = Address(
        wa_id=digits(string(report, f"{role}_id")),
        user_id=string(report, f"{role}_user_id"),
        parent_user_id=string(report, f"{role}_parent_user_id"),
    )
    return address if address.aliases() else None


def _problem(report: dict[str, Any]) -> Problem:
    errors = objects(report, "errors")
    return problem_of(errors[0]) if errors else Problem(code="failed", title="The network gave no reason")


def problem_of(error: dict[str, Any]) -> Problem:
    """One error object as webhooks carry it."""
    return Problem(
        code=string(error, "code") or "failed",
        title=string(error, "title") or string(error, "message"),
        detail=string(member(error, "error_data"), "details") or string(error, "details"),
    )
