"""Addresses of WhatsApp (JIDs): by phone number, by LID, of groups, and those that are no person."""

from typing import Any, Final

from app.connectors.base import Address

PHONE: Final = "s.whatsapp.net"
LID: Final = "lid"
GROUP: Final = "g.us"


def address(*jids: Any) -> Address:
    """Everything these names of one person say."""
    numbers = [jid.User for jid in jids if jid.Server == PHONE and jid.User]
    lids = [jid.User for jid in jids if jid.Server == LID and jid.User]
    return Address(wa_id=numbers[0] if numbers else "", lid=lids[0] if lids else "")


def is_person(jid: Any) -> bool:
    """Not a group, a status, a broadcast or a newsletter."""
    return jid.Server in (PHONE, LID) and bool(jid.User)


def is_group(jid: Any) -> bool:
    return jid.Server == GROUP and bool(jid.User)


def jid_of(told: Any, to: Address) -> Any:
    """Where to write to: the group they wrote in, else the LID if it is known, as WhatsApp itself does. Raises
    `LookupError` without a name.

    `told`: the library's module of messages.
    """
    user, server = (to.lid, LID) if to.lid else (to.wa_id or to.phone, PHONE)
    if to.chat:
        user, _, server = to.chat.partition("@")
    if not user:
        raise LookupError("recipient")
    return told.JID(User=user, Server=server, RawAgent=0, Device=0, Integrator=0, IsEmpty=False)


def text_of(jid: Any) -> str:
    return f"{jid.User}@{jid.Server}"
