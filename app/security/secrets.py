"""Secrets at rest (S29, S30, P37): AES-256-GCM under keys that never enter the database.

A sealed text reads `v1.kid.nonce.ciphertext` and opens only at its place (`table|column|row`), so that it cannot be
moved to another row. Keys come from the service manager's credential, else `PARLEY_KEY_FILE`, else `keys.json` in the
data folder. The database holds a canary for each key; a key that is missing or different stops the start, a new one is
never made over old data.
"""

import json
import os
import secrets
import stat
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.db import Database
from app.errors import Misconfigured
from app.said import N_
from app.settings import Settings
from app.store import keys as rows

VERSION: Final = "v1"
CREDENTIAL: Final = "parley-keys"
CANARY: Final = "parley"
CANARY_PLACE: Final = "encryption_key|canary|"


class Unreadable(Exception):
    """A sealed text does not open: another key, another place, or changed."""


class KeyFile(msgspec.Struct, frozen=True):
    """`keys.json`: the current key's name and every key, base64 of 32 bytes."""

    current: str
    keys: dict[str, str]


class Keyring:
    """The keys of this installation. `seal` uses the current one, `open` any."""

    def __init__(self, current: str, keys: Mapping[str, bytes]) -> None:
        self.current: Final = current
        self._keys: Final = dict(keys)
        self._ciphers: Final = {kid: AESGCM(key) for kid, key in keys.items()}

    @classmethod
    async def load(cls, settings: Settings, db: Database) -> "Keyring":
        """Find the keys and prove them on the canaries; make the first where none was. Raises Misconfigured."""
        known = await db.reader.all(rows.ALL)
        found = read_keys(settings)
        if found is None:
            if known:
                raise Misconfigured(missing(settings, known))
            found = make_keys(settings)
        ring = cls(found.current, decode(found))
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
        nonce = secrets.token_bytes(12)
        sealed = self._ciphers[self.current].encrypt(nonce, text.encode(), bound(place, self.current))
        return ".".join((VERSION, self.current, encode(nonce), encode(sealed)))

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

    def derive(self, label: str) -> bytes:
        """A key of its own for another purpose (cookies, tokens): 32 bytes, the same for the same label."""
        return HKDF(SHA256(), 32, None, label.encode()).derive(self._keys[self.current])


def bound(place: str, kid: str) -> bytes:
    return f"{place}|{kid}".encode()


def fingerprint(key: bytes) -> str:
    return sha256(b"parley key " + key).hexdigest()[:12]


def encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def raw(text: str) -> bytes:
    """Strict: nothing but the alphabet, so that one sealed text has one spelling."""
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        raise ValueError("not canonical base64")
    return data


# ---- where keys are kept ---------------------------------------------------------------------------------------------


def places(settings: Settings) -> list[tuple[Path, bool]]:
    """(file, must it exist) in the order in which they count."""
    found = []
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder and (Path(folder) / CREDENTIAL).exists():
        found.append((Path(folder) / CREDENTIAL, True))
    if settings.key_file:
        found.append((Path(settings.key_file).expanduser(), True))
    found.append((settings.data / "keys.json", False))
    return found


def read_keys(settings: Settings) -> KeyFile | None:
    """The keys of the first place that counts; None only where the data folder simply has no file yet."""
    path, _must = places(settings)[0]
    if not os.path.lexists(path):
        return None
    check_file(path)
    try:
        found = msgspec.json.decode(path.read_bytes(), type=KeyFile)
        decode(found)
    except (msgspec.DecodeError, ValueError, KeyError, OSError) as error:
        raise Misconfigured(
            N_("The key file {name} cannot be read: {error}. Restore it from a copy.", name=path.name, error=error)
        ) from None
    return found


def decode(file: KeyFile) -> dict[str, bytes]:
    keys = {kid: raw(text) for kid, text in file.keys.items()}
    for kid, key in keys.items():
        if len(key) != 32 or fingerprint(key) != kid:
            raise ValueError(f"the key {kid} is damaged")
    if file.current not in keys:
        raise ValueError("the current key is not in it")
    return keys


def check_file(path: Path) -> None:
    """A key file others may read or that is not a plain file is refused (S30)."""
    info = path.lstat()
    if not stat.S_ISREG(info.st_mode):
        raise Misconfigured(
            N_("The key file {name} is not a plain file. Put the file itself there, not a link.", name=path.name)
        )
    if sys.platform != "win32" and not path.is_relative_to(os.environ.get("CREDENTIALS_DIRECTORY") or "//"):
        if info.st_mode & 0o077:
            raise Misconfigured(
                N_("The key file {name} can be read by others. Run: chmod 600 {path}", name=path.name, path=path)
            )
        if info.st_uid not in (os.getuid(), 0):
            raise Misconfigured(N_("The key file {name} belongs to another user of this machine.", name=path.name))


def make_keys(settings: Settings) -> KeyFile:
    """The first key, on disk before it is used."""
    path, _must = places(settings)[0]
    key = secrets.token_bytes(32)
    found = KeyFile(fingerprint(key), {fingerprint(key): encode(key)})
    write_keys(path, found)
    return found


def write_keys(path: Path, file: KeyFile) -> None:
    """A new file, for the owner alone, and its name safely in the folder. Raises Misconfigured where one is there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Misconfigured(
            N_("The key file {name} cannot be made: {strerror}.", name=path.name, strerror=error.strerror)
        ) from None
    with os.fdopen(handle, "wb") as out:
        out.write(json.dumps({"current": file.current, "keys": file.keys}, indent=2).encode() + b"\n")
        out.flush()
        os.fsync(out.fileno())
    if sys.platform != "win32":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def missing(settings: Settings, known: list[rows.Canary]) -> str:
    wanted = ", ".join(row.kid for row in known)
    path, _must = places(settings)[0]
    return (
        f"The key file {path.name} is missing, but the data was encrypted with the key {wanted}. Put the file back, or "
        "set PARLEY_KEY_FILE to where it is; without it the stored secrets cannot be read."
    )
