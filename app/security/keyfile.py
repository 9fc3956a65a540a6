"""Where the keys of an installation are kept (S30, S31): one small JSON file outside the database, for its owner alone.

The places in the order in which they count: the service manager's credential, `PARLEY_KEY_FILE`, `keys.json` in the
data folder. Whatever is written is on the disk before it is used.
"""

import os
import secrets
import stat
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from app.errors import Misconfigured
from app.said import N_
from app.settings import Settings

CREDENTIAL: Final = "parley-keys"
KEPT: Final = 86_400_000  # ms that a replaced key still reads cookies and tokens


class KeyFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """`current`: the key in use, by its fingerprint; `keys`: all of them, the oldest first, base64 of 32 bytes;
    `retired`: those that seal nothing any more, and since when (ms UTC)."""

    current: str
    keys: dict[str, str]
    retired: dict[str, int] = {}


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


def is_managed(path: Path) -> bool:
    """Is it the service manager's, which alone can change it."""
    return path.is_relative_to(os.environ.get("CREDENTIALS_DIRECTORY") or "//")


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
    if sys.platform != "win32" and not is_managed(path):
        if info.st_mode & 0o077:
            raise Misconfigured(
                N_("The key file {name} can be read by others. Run: chmod 600 {path}", name=path.name, path=path)
            )
        if info.st_uid not in (os.getuid(), 0):
            raise Misconfigured(N_("The key file {name} belongs to another user of this machine.", name=path.name))


def make_keys(settings: Settings) -> KeyFile:
    """The first key, on disk before it is used."""
    key = secrets.token_bytes(32)
    found = KeyFile(fingerprint(key), {fingerprint(key): encode(key)})
    write_keys(places(settings)[0][0], found)
    return found


def renewed(settings: Settings, file: KeyFile) -> KeyFile:
    """A new key, in use from now on, beside the ones that are there. Raises Misconfigured where they cannot change."""
    key = secrets.token_bytes(32)
    new = fingerprint(key)
    return replace_keys(settings, KeyFile(new, file.keys | {new: encode(key)}, file.retired))


def retire(settings: Settings, file: KeyFile, now: int) -> KeyFile:
    """Every key but the one in use seals nothing any more. A file of the service manager stays as it is."""
    if is_managed(places(settings)[0][0]):
        return file
    older = {kid: file.retired.get(kid, now) for kid in file.keys if kid != file.current}
    return file if older == file.retired else replace_keys(settings, KeyFile(file.current, file.keys, older))


def without_old(settings: Settings, file: KeyFile, now: int) -> KeyFile:
    """Without the keys that were retired long enough ago."""
    old = {kid for kid, since in file.retired.items() if now - since >= KEPT}
    if not old:
        return file
    left = {kid: key for kid, key in file.keys.items() if kid not in old}
    return replace_keys(settings, KeyFile(file.current, left, {k: v for k, v in file.retired.items() if k in left}))


def replace_keys(settings: Settings, file: KeyFile) -> KeyFile:
    """The file, old or new at any instant. Raises Misconfigured where it may not be written."""
    path, _must = places(settings)[0]
    if is_managed(path):
        raise Misconfigured(
            N_("The keys come from the service manager, which alone can change them. Give them by PARLEY_KEY_FILE.")
        )
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        write_keys(fresh, file)
        os.replace(fresh, path)
        sync_folder(path.parent)
    except OSError as error:
        raise Misconfigured(
            N_("The key file {name} cannot be made: {strerror}.", name=path.name, strerror=error.strerror)
        ) from None
    return file


def write_keys(path: Path, file: KeyFile) -> None:
    """A new file, for the owner alone, and its name safely in the folder. Raises Misconfigured where one is there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Misconfigured(
            N_("The key file {name} cannot be made: {strerror}.", name=path.name, strerror=error.strerror)
        ) from None
    with os.fdopen(handle, "wb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    if sys.platform != "win32":
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
