"""Where in a notification an update stands: field, account, the contacts beside it. Contract §2 and §4."""

from functools import lru_cache
from typing import Any

import msgspec

from app.connectors.base import Address
from app.connectors.whatsapp_cloud.wire import an_object, digits, elements, member, string


class Known(msgspec.Struct, frozen=True):
    """One entry of `contacts`: as read, and as bytes."""

    names: dict[str, Any]
    raw: bytes


class Place(msgspec.Struct, frozen=True):
    """`account`: see `account_of`. `business`: digits of the business's number. `at`: the entry's time in ms, else 0."""

    field: str
    account: str = ""
    business: str = ""
    metadata: bytes = b"null"
    at: int = 0
    contacts: tuple[Known, ...] = ()


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


def contacts_in(raw: bytes | msgspec.Raw | None) -> tuple[Known, ...]:
    """The readable entries of a `contacts` list."""
    found = []
    for element in elements(raw):
        text = bytes(element)
        try:
            found.append(Known(an_object(text), text))
        except ValueError:
            continue
    return tuple(found)


def contact_for(contacts: tuple[Known, ...], user_id: str, number: str) -> Known | None:
    """The contact entry of one person, found by id and never by position.

    Only a message that names nobody may take the single entry beside it.
    """
    for known in contacts:
        if user_id and string(known.names, "user_id") == user_id:
            return known
    for known in contacts:
        if number and string(known.names, "wa_id") == number:
            return known
    return contacts[0] if len(contacts) == 1 and not user_id and not number else None


def person(user_id: str, parent: str, number: str, known: Known | None) -> Address:
    """Every name of one person, from the update and from the contact entry beside it; empty texts count as missing.

    Early roll-outs put the user id where the number belongs: what is no number is taken as a user id.
    """
    names = known.names if known else {}
    phone = digits(number)
    return Address(
        phone=phone,
        wa_id=digits(string(names, "wa_id")) or phone,
        user_id=user_id or string(names, "user_id") or ("" if phone else number),
        parent_user_id=parent or string(names, "parent_user_id"),
        username=string(member(names, "profile"), "username"),
    )


def profile_name(known: Known | None) -> str:
    """The name that the person shows to others."""
    return string(member(known.names, "profile"), "name") if known else ""


def raw_update(place: Place, key: str, update: bytes, known: Known | None = None) -> bytes:
    """What is kept of one update: its own bytes and those that say whose it is. `key`: `message`, `status`, `value`…"""
    contact = b',"contact":' + known.raw if known else b""
    field = msgspec.json.encode(place.field)
    return b'{"field":%b,"metadata":%b%b,"%b":%b}' % (field, place.metadata, contact, key.encode(), update)
