"""The users on the other side: phone, business-scoped id, username, and what messages to them come to."""

import re
from hashlib import sha256
from typing import Any

import msgspec

BSUID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
COUNTRIES = {"1": "US", "31": "NL", "34": "ES", "44": "GB", "49": "DE", "52": "MX", "54": "AR", "55": "BR", "91": "IN"}


class Person(msgspec.Struct, kw_only=True):
    """One user. `phone` is digits; without one the user is known only by `bsuid`. Windows are ms by phone number id."""

    bsuid: str
    phone: str | None = None
    name: str = "Pablo Morales"
    username: str | None = None
    parent_bsuid: str | None = None
    phone_shown: bool = True  # webhooks carry the phone
    fails: int = 0  # sends to this user end as `failed` with this code, such as 131026
    read: bool = True  # read receipts on
    identity: str | None = None  # current identity key hash
    windows: dict[str, int] = {}

    @property
    def shown(self) -> str | None:
        return self.phone if self.phone_shown else None


def digits(text: str) -> str:
    plain = text[1:] if text[:1] == "+" else text
    if plain.isdecimal() and plain.isascii():
        return plain
    return re.sub(r"\D", "", text)


def bsuid_for(phone_or_name: str) -> str:
    """A made-up, stable id. The country is guessed from the calling code."""
    country = next((COUNTRIES[phone_or_name[:n]] for n in (2, 1) if phone_or_name[:n] in COUNTRIES), "US")
    number = int.from_bytes(sha256(phone_or_name.encode()).digest()[:8], "big")
    return f"{country}.{10**19 + number % (9 * 10**18)}"


class People:
    """Everyone met so far, found by phone, id or username."""

    def __init__(self) -> None:
        self.by_key: dict[str, Person] = {}

    def find(self, key: str) -> Person | None:
        return self.by_key.get(key) or self.by_key.get(digits(key) or key)

    def meet(self, key: str) -> Person:
        """The user of that phone, id or @username, new if need be."""
        if person := self.find(key):
            return person
        if BSUID.fullmatch(key):
            return self._keep(Person(bsuid=key))
        if key.startswith("@"):
            return self._keep(Person(bsuid=bsuid_for(key), username=key[1:]))
        if not digits(key):
            raise ValueError(f"neither a phone number, a user id nor an @username: {key!r}")
        return self._keep(Person(bsuid=bsuid_for(digits(key)), phone=digits(key)))

    def change(self, key: str, changes: dict[str, Any]) -> Person:
        """Sets members of a person, who is met first. Raises `ValueError` for unknown members."""
        person = self.meet(key)
        unknown = set(changes) - set(person.__struct_fields__)
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        fresh = msgspec.convert(msgspec.to_builtins(person) | changes, Person, strict=False)
        for name in person.__struct_fields__:
            setattr(person, name, getattr(fresh, name))
        return self._keep(person)

    def _keep(self, person: Person) -> Person:
        for key in (person.phone, person.bsuid, person.parent_bsuid, person.username and "@" + person.username):
            if key:
                self.by_key[key] = person
        return person
