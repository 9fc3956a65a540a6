"""Where in a notification an update stands: field, account, the contacts beside it. Contract §2 and §4."""

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from app.connectors.base import Address
from app.connectors.wire import an_object, digits, member, string


class Known(msgspec.Struct, frozen=True):
    """One entry of `contacts`: what it says of the person, and its bytes. What it leaves out is empty."""

    wa_id: str
    user_id: str
    parent_user_id: str
    name: str
    username: str
    raw: bytes


class _Profile(msgspec.Struct, frozen=True):
    name: str = ""
    username: str = ""


class _Contact(msgspec.Struct, frozen=True):
    profile: _Profile = _Profile()
    wa_id: str = ""
    user_id: str = ""
    parent_user_id: str = ""


_usual = msgspec.json.Decoder(_Contact)
NOBODY = Known("", "", "", "", "", b"null")


class Place(msgspec.Struct, frozen=True):
    """`account`: see `account_of`. `business`: digits of the business's number. `at`: the entry's time in ms, else 0.

    `mended` and `received`: the body as read and as it came, of one length, where the two differ.
    """

    field: str
    account: str = ""
    business: str = ""
    metadata: bytes = b"null"
    at: int = 0
    contacts: tuple[Known, ...] = ()
    mended: bytes = b""
    received: bytes = b""


@lru_cache(maxsize=1024)
def account_of(metadata: bytes) -> tuple[str, str]:
    """Which of our numbers this is about, and its digits.

    The account is the phone number id. It is empty where Meta gives only the displayed number or nothing (security,
    quality, account fields): then the update belongs to the channel whose address was called.
    """
    try:
        told = an_object(metadata)
    except ValueError:
        return "", ""
    return string(told, "phone_number_id"), digits(string(told, "display_phone_number"))


def contacts_in(entries: Iterable[msgspec.Raw]) -> tuple[Known, ...]:
    """The readable entries of a `contacts` list."""
    return tuple([known for entry in entries if (known := _known(bytes(entry)))])


def _known(text: bytes) -> Known | None:
    try:
        found = _usual.decode(text)
    except (ValueError, RecursionError):
        return _known_oddly(text)
    profile = found.profile
    return Known(digits(found.wa_id), found.user_id, found.parent_user_id, profile.name, profile.username, text)


def _known_oddly(text: bytes) -> Known | None:
    """An entry whose members have other types than usual."""
    try:
        entry = an_object(text)
    except ValueError:
        return None
    profile = member(entry, "profile")
    return Known(
        wa_id=digits(string(entry, "wa_id")),
        user_id=string(entry, "user_id"),
        parent_user_id=string(entry, "parent_user_id"),
        name=string(profile, "name"),
        username=string(profile, "username"),
        raw=text,
    )


def contact_for(contacts: tuple[Known, ...], user_id: str, number: str) -> Known | None:
    """The contact entry of one person, found by id and never by position.

    Only a message that names nobody may take the single entry beside it.
    """
    if user_id:
        for known in contacts:
            if known.user_id == user_id:
                return known
    if number:
        for known in contacts:
            if known.wa_id == number:
                return known
    return contacts[0] if len(contacts) == 1 and not user_id and not number else None


def person(user_id: str, parent: str, number: str, known: Known | None) -> Address:
    """Every name of one person, from the update and from the contact entry beside it; empty texts count as missing.

    Early roll-outs put the user id where the number belongs: what is no number is taken as a user id.
    """
    if known is None:
        known = NOBODY
    phone = digits(number)
    bsuid = user_id or known.user_id or ("" if phone else number)
    return Address(phone, known.wa_id or phone, bsuid, parent or known.parent_user_id, username=known.username)


def raw_update(place: Place, key: str, update: bytes, known: Known | None = None) -> bytes:
    """What is kept of one update: its own bytes and those that say whose it is. `key`: `message`, `status`, `value`…"""
    contact = b',"contact":' + known.raw if known else b""
    if place.mended and (start := place.mended.find(update)) >= 0:
        update = place.received[start : start + len(update)]
    field = msgspec.json.encode(place.field)
    return b'{"field":%b,"metadata":%b%b,"%b":%b}' % (field, place.metadata, contact, key.encode(), update)
