"""How a channel stands, in a badge and a sentence: for Home, the list of channels and a channel's page."""

from typing import Protocol

import msgspec

from app.connectors import CONNECTORS
from app.connectors.abilities import LinksPhones, Webhook
from app.connectors.states import SENTENCES
from app.i18n import _


class Stands(Protocol):
    """What of a channel decides how it is shown."""

    @property
    def connector(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def detail(self) -> str: ...
    @property
    def halted_at(self) -> int | None: ...
    @property
    def verified_at(self) -> int | None: ...
    @property
    def heard_at(self) -> int | None: ...


class Stood(msgspec.Struct, frozen=True):
    """A channel's row in the shape that `states.shown` reads."""

    connector: str
    state: str
    code: str
    detail: str
    halted_at: int | None
    verified_at: int | None
    heard_at: int | None


class Shown(msgspec.Struct, frozen=True):
    """`tone` colours the badge, `dot` its dot; `sentence` says what is wrong, '' if nothing is."""

    tone: str
    dot: str
    label: str
    sentence: str = ""


def has_webhook(connector: str) -> bool:
    """The network calls us, and a person has to enter the address there."""
    known = CONNECTORS.get(connector)
    return isinstance(known, Webhook) and known.by_hand


def is_linked(connector: str) -> bool:
    """The account is a phone that has to be linked; there is a risk to tell of before."""
    return isinstance(CONNECTORS.get(connector), LinksPhones)


def shown(channel: Stands) -> Shown:
    """The worst that is true of it."""
    sentence = _(SENTENCES.get(channel.code, channel.code))
    if channel.detail and channel.state != "pairing":  # there it only counts the codes
        sentence = f"{sentence} {channel.detail}"
    if channel.halted_at is not None:
        return Shown("bad", "bad", _("Stopped"), sentence)
    if channel.state == "connected" and has_webhook(channel.connector) and channel.heard_at is None:
        waits = _("The network has not sent anything yet.") if channel.verified_at else _("The set-up is not finished.")
        return Shown("warn", "warn", _("Waiting") if channel.verified_at else _("Set up"), waits)
    known = {
        "connected": Shown("ok", "ok", _("Connected")),
        "starting": Shown("", "", _("Starting")),
        "pairing": Shown("accent", "live", _("Pairing"), sentence),
        "reconnecting": Shown("warn", "warn", _("Reconnecting"), sentence),
        "logged_out": Shown("bad", "bad", _("Logged out"), sentence),
        "broken": Shown("bad", "bad", _("Broken"), sentence),
    }
    return known.get(channel.state, Shown("", "", channel.state, sentence))
