"""Secrets at rest (S29, S30, P37): AES-256-GCM under keys that never enter the database.

A sealed text reads `v1.kid.nonce.ciphertext` and opens only at its place (`table|column|row`), so that it cannot be
moved to another row. The keys are in a file (`keyfile.py`). The database holds a canary for each key; a key that is
missing or different stops the start, a new one is never made over old data.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.db import Database
from app.errors import Misconfigured
from app.said import N_
from app.security import keyfile
from app.security.keyfile import encode, fingerprint, raw
from app.settings import Settings
from app.store import keys as rows

log = logging.getLogger(__name__)

VERSION: Final = "v1"
CANARY: Final = "parley"
CANARY_PLACE: Final = "encryption_key|canary|"


class Unreadable(Exception):
    """A sealed text does not open: another key, another place, or changed."""


class Keyring:
    """The keys of this installation. `seal` uses the current one, `open` any."""

    def __init__(self, current: str, keys: Mapping[str, bytes]) -> None:
        self.turn(current, keys)

    def turn(self, current: str, keys: Mapping[str, bytes]) -> None:
        """Other keys from now on, for whoever holds this ring."""
        self._keys = dict(keys)
        self._ciphers = {kid: AESGCM(key) for kid, key in keys.items()}
        self._derived: dict[str, list[bytes]] = {}
        self.current = current

    def let_go(self, settings: Settings, now: int) -> None:
        """The keys that were replaced a day ago leave the file, and read no cookie and no token from now on."""
        if keyfile.is_managed(keyfile.places(settings)[0][0]):
            return
        try:
            file = keyfile.read_keys(settings)
            if file is not None and file.current == self.current:
                left = keyfile.without_old(settings, file, now)
                if left is not file:
                    self.turn(left.current, keyfile.decode(left))
        except (Misconfigured, OSError) as error:
            log.warning("keys: a replaced key stays in the file: %s", error)

    @classmethod
    async def load(cls, settings: Settings, db: Database) -> "Keyring":
        """Find the keys and prove them on the canaries; make the first where none was. Raises Misconfigured."""
        known = await db.reader.all(rows.ALL)
        found = keyfile.read_keys(settings)
        if found is None:
            if known:
                raise Misconfigured(missing(settings, known))
            found = keyfile.make_keys(settings)
        ring = cls(found.current, keyfile.decode(found))
        for row in known:
            ring.prove(row)
        if ring.current not in {row.kid for row in known}:
            await db.write(rows.insert, ring.current, ring.seal(CANARY, CANARY_PLACE + ring.current))
        return ring

    def prove(self, row: rows.Canary) -> None:
        """Raises Misconfigured unless the key of this canary is here and is the right one."""
        try:
            if self.open(row.canary, CANARY_PLACE + row.kid) == CANARY:
                return
        except Unreadable:
            pass
        have = ", ".join(self.fingerprint(kid) for kid in self._keys)
        raise Misconfigured(
            N_(
                "The database was encrypted with the key {kid}, which the key file does not hold "
                "(it holds {have}). Put the right key file in place; nothing was changed.",
                kid=row.kid,
                have=have,
            )
        )

    def fingerprint(self, kid: str) -> str:
        """The key's name, which is a fingerprint of the key itself: safe to show."""
        return fingerprint(self._keys[kid])

    def seal(self, text: str, place: str) -> str:
        kid, nonce = self.current, secrets.token_bytes(12)
        sealed = self._ciphers[kid].encrypt(nonce, text.encode(), bound(place, kid))
        return ".".join((VERSION, kid, encode(nonce), encode(sealed)))

    def open(self, sealed: str, place: str) -> str:
        """The text. Raises Unreadable."""
        try:
            version, kid, nonce, body = sealed.split(".")
            if version != VERSION:
                raise Unreadable(f"sealed by an unknown method {version[:8]}")
            opened = self._ciphers[kid].decrypt(raw(nonce), raw(body), bound(place, kid))
        except (KeyError, ValueError, InvalidTag) as error:
            raise Unreadable(f"the secret at {place} does not open: {type(error).__name__}") from None
        return opened.decode()

    def renew(self, sealed: str, place: str) -> str:
        """The same text under the current key. Raises Unreadable."""
        return sealed if kid_of(sealed) == self.current else self.seal(self.open(sealed, place), place)

    def derive(self, label: str) -> list[bytes]:
        """Keys of their own for another purpose (cookies, tokens), of 32 bytes, the same for the same label: the last
        one signs, all of them verify, so that a rotation logs nobody out."""
        if label not in self._derived:
            keys = [*(key for kid, key in self._keys.items() if kid != self.current), self._keys[self.current]]
            self._derived[label] = [HKDF(SHA256(), 32, None, label.encode()).derive(key) for key in keys]
        return self._derived[label]

    def derives(self, label: str) -> Callable[[], list[bytes]]:
        """`derive` for whoever outlives a rotation."""
        return partial(self.derive, label)


def kid_of(sealed: str) -> str:
    """The name of the key under which a text is sealed; "" where it says none."""
    return sealed.split(".")[1] if sealed.count(".") == 3 else ""


def bound(place: str, kid: str) -> bytes:
    return f"{place}|{kid}".encode()


def missing(settings: Settings, known: list[rows.Canary]) -> str:
    wanted = ", ".join(row.kid for row in known)
    path, _must = keyfile.places(settings)[0]
    return (
        f"The key file {path.name} is missing, but the data was encrypted with the key {wanted}. Put the file back, or "
        "set PARLEY_KEY_FILE to where it is; without it the stored secrets cannot be read."
    )
