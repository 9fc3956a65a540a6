"""Turn the loaded client library to the fake: constants are overwritten in the memory of this process.

The address of the server and the root key of its certificates. Each must be there exactly once, or another version of
the library was installed, and the tests say so. Linux only: it reads `/proc/self/maps`.
"""

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

LIBRARY = "neonize-linux"
URL = b"wss://web.whatsapp.com/ws/chat"
ROOT_KEY = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")
# Whose certificates are trusted: the file named in the environment, else this one.
AUTHORITIES = b"/etc/ssl/certs/ca-certificates.crt"
VARIABLE = b"\0SSL_CERT_FILE="
PAGE = 4096
READ_WRITE, READ = 3, 1

# Where each constant is, and what stands there now: a second fake in the same process is found again.
_places: dict[bytes, tuple[int, bool]] = {}


def address_of(port: int) -> bytes:
    """The fake's address in as many bytes as the real one has."""
    url = b"ws://127.0.0.1:%d/ws/chat" % port
    return url + b"/" + b"x" * (len(URL) - len(url) - 1)


def redirect(port: int, root: bytes) -> None:
    """Point the library at a fake on this port. Raises `LookupError` if a constant is not there exactly once."""
    for constant, value in ((URL, address_of(port)), (ROOT_KEY, root)):
        if constant not in _places:
            _places[constant] = find(constant)
        _write(*_places[constant], value)


@contextlib.contextmanager
def trust(authority: Path) -> Iterator[None]:
    """While it lasts the library is loaded, and from then on it trusts this authority. Raises `LookupError`.

    It copies the environment with which the process began, whatever was set in it since: so the path is overwritten
    where it stands, there or in the library, by one as long (slashes in front do not matter).
    """
    value = _in_environment()
    if value:
        ctypes.memmove(value[0], _as_long(authority, value[1]), value[1])
    yield
    if not value:
        _write(*find(AUTHORITIES), _as_long(authority, len(AUTHORITIES)))


def _as_long(path: Path, length: int) -> bytes:
    if len(bytes(path)) > length:
        raise LookupError(f"{path} is longer than the path it replaces")
    return bytes(path).rjust(length, b"/")


def _in_environment() -> tuple[int, int] | None:
    """Address and length of the variable's value in the block that the process was given."""
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    start, end = int(fields[47]), int(fields[48])
    block = b"\0" + ctypes.string_at(start, end - start)
    place = block.find(VARIABLE)
    if place < 0:
        return None
    value = block[place + len(VARIABLE) :].partition(b"\0")[0]
    return start + place + len(VARIABLE) - 1, len(value)


def find(constant: bytes) -> tuple[int, bool]:
    """Where it is in memory, and whether the page can be written."""
    found: list[tuple[int, bool]] = []
    with open("/proc/self/maps", encoding="utf-8") as maps:
        lines = [line.split() for line in maps if LIBRARY in line]
    for span, rights, *_ in lines:
        start, end = (int(part, 16) for part in span.split("-"))
        memory = ctypes.string_at(start, end - start) if "r" in rights else b""
        place = memory.find(constant)
        while place >= 0:
            found.append((start + place, "w" in rights))
            place = memory.find(constant, place + 1)
    if len(found) != 1:
        raise LookupError(f"{constant!r} is {len(found)} times in the library")
    return found[0]


def _write(address: int, writable: bool, value: bytes) -> None:
    if not writable:
        _protect(address, len(value), READ_WRITE)
    ctypes.memmove(address, value, len(value))
    if not writable:
        _protect(address, len(value), READ)


def _protect(address: int, length: int, rights: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    page = address - address % PAGE
    size = -(-(address + length - page) // PAGE) * PAGE
    if libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(size), rights):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
