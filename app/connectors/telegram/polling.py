"""Asking Telegram for updates, again and again, and what its refusals say about the channel. Contract §2.1, §5."""

import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from app.connectors.base import Arrival, Malformed, SendFailed, SessionFailed, State, StatusChange
from app.connectors.telegram.api import Api, Refused
from app.connectors.telegram.place import Me
from app.connectors.telegram.update import WANTED, parse_update
from app.connectors.wire import an_object

HOLD: Final = 30  # seconds that Telegram may hold a poll; it would not hold one longer than 50
MOST: Final = 100
CONFLICT_WAIT: Final = 15.0

Take = Callable[[StatusChange | None, Iterable[bytes]], Awaitable[None]]

_updates = msgspec.json.Decoder(list[msgspec.Raw])


class Offset:
    """The first update that is not confirmed yet, 0 before any is known. `conflicts`: another program was met."""

    def __init__(self) -> None:
        self.next = 0
        self.conflicts = False


async def poll(api: Api, offset: Offset, name: str, take: Take) -> None:
    """For ever; raises `SessionFailed`. The first answer comes at once and shows that the connection is good. After a
    conflict only a poll that was held to its end shows that."""
    connected, hold = False, HOLD if offset.conflicts else 0
    while True:
        updates = _updates.decode(await _ask(api, offset, hold))
        change = None if connected else StatusChange(State.CONNECTED, "connected", name)
        await take(change, (bytes(update) for update in updates))
        connected, hold, offset.conflicts = True, HOLD, False
        if updates:
            # Telegram numbers upwards; what carries no number would be told for ever if it alone were waited for.
            offset.next = max([offset.next, *(number_of(bytes(update)) + 1 for update in updates)])


async def _ask(api: Api, offset: Offset, hold: int) -> bytes:
    values: dict[str, Any] = {"timeout": hold, "limit": MOST, "allowed_updates": WANTED}
    if offset.next:
        values["offset"] = offset.next
    try:
        return await api.ask("getUpdates", values)
    except Refused as refused:
        offset.conflicts = offset.conflicts or refused.refusal.status == 409
        raise


def number_of(update: bytes) -> int:
    try:
        number = an_object(update).get("update_id")
    except ValueError:
        return -1
    return number if isinstance(number, int) else -1


def readable(update: bytes, me: Me) -> list[Arrival]:
    """What an update tells; one that cannot be read is quarantined, and its neighbours go on."""
    try:
        return parse_update(update, me)
    except ValueError as problem:
        return [Malformed("", f"update: {problem}", update)]


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Refusals and silence become states with words for people."""
    try:
        yield
    except Refused as refused:
        raise session_failure(refused) from None
    except SendFailed as failed:
        raise SessionFailed(StatusChange(State.RECONNECTING, "reconnecting", failed.problem.detail)) from None


def session_failure(refused: Refused) -> SessionFailed:
    status, text, after = refused.refusal.status, refused.refusal.text, refused.refusal.retry_after
    if status in (401, 404, 421) and refused.refusal.genuine:
        return SessionFailed(StatusChange(State.BROKEN, "telegram.token"))
    if status == 409:
        code = "telegram.webhook_elsewhere" if "webhook" in text.casefold() else "telegram.other_program"
        return SessionFailed(StatusChange(State.RECONNECTING, code), CONFLICT_WAIT)
    if status == 400 and "webhook" in text.casefold():
        return SessionFailed(StatusChange(State.BROKEN, "telegram.webhook_refused", text))
    return SessionFailed(StatusChange(State.RECONNECTING, "reconnecting", f"{status} {text}".strip()[:200]), after)
