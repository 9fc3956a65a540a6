"""What an event of the library means for the channel: the table of §2.2, in our states."""

import datetime
import time
from typing import Any, Final

from app.connectors.base import State, StatusChange
from app.connectors.whatsapp_web import engine

# Reasons of a log-out and of a refused connection, by the library's numbers.
MAIN_DEVICE_GONE: Final = 4
LOGIN: Final = {
    b"timeout": StatusChange(State.LOGGED_OUT, "web.expired"),
    b"passkey-request": StatusChange(State.BROKEN, "web.passkey"),
    b"passkey-confirmation": StatusChange(State.BROKEN, "web.passkey"),
    b"err-client-outdated": StatusChange(State.BROKEN, "web.outdated"),
    b"err-scanned-without-multidevice": StatusChange(State.BROKEN, "web.multidevice"),
    b"err-unexpected-state": StatusChange(State.BROKEN, "web.link_failed"),
    b"error": StatusChange(State.BROKEN, "web.link_failed"),
}
CONNECTED: Final = StatusChange(State.CONNECTED, "connected")
LINKED: Final = StatusChange(State.STARTING, "web.linked")
RECONNECTING: Final = StatusChange(State.RECONNECTING, "reconnecting")


def change_of(told: Any, number: int, data: bytes) -> StatusChange | None:
    """The state that this event leads to; None if it says nothing about it. `told`: the library's module."""
    match number:
        case engine.LOGIN:
            return LOGIN.get(data)
        case engine.CONNECTED | engine.KEEP_ALIVE_BACK:
            return CONNECTED
        case engine.DISCONNECTED | engine.KEEP_ALIVE_LOST:
            return RECONNECTING
        case engine.LOGGED_OUT:
            gone = told.LoggedOut.FromString(data).Reason == MAIN_DEVICE_GONE
            return StatusChange(State.LOGGED_OUT, "web.phone_gone" if gone else "logged_out")
        case engine.REPLACED:
            return StatusChange(State.BROKEN, "web.replaced")
        case engine.OUTDATED:
            return StatusChange(State.BROKEN, "web.outdated")
        case engine.BANNED:
            ban = told.TemporaryBan.FromString(data)
            reason = told.TemporaryBan.TempBanReason.Name(ban.Code).replace("_", " ").capitalize()
            left = datetime.timedelta(seconds=ban.Expire)
            until = (int(time.time()) + ban.Expire) * 1000
            return StatusChange(State.BROKEN, "web.banned", f"{reason}: {left}.", until)
        case engine.REFUSED:
            refused = told.ConnectFailure.FromString(data)
            return StatusChange(State.BROKEN, "web.refused", str(refused.Message).strip())
    return None


def is_final(change: StatusChange) -> bool:
    """Nothing gets better by itself: a person has to act."""
    return change.state in (State.LOGGED_OUT, State.BROKEN)
