"""Files of the interface: read once, compressed once, kept for ever by the browser when asked with their hash."""

import gzip
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from starlette.types import Receive, Scope, Send

FOLDER: Final = (Path(__file__).parent.parent / "static").resolve()
TYPES: Final = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".png": b"image/png",
    ".ico": b"image/x-icon",
    ".woff2": b"font/woff2",
    ".json": b"application/json",
}
COMPRESSED: Final = frozenset({".css", ".js", ".svg", ".json"})
FOR_EVER: Final = b"public, max-age=31536000, immutable"
ASK_AGAIN: Final = b"public, no-cache"


class File(msgspec.Struct, frozen=True):
    """One file as it is served. `packed` is empty where packing gains nothing."""

    body: bytes
    packed: bytes
    type: bytes
    tag: str


@lru_cache(maxsize=256)
def load(name: str) -> File | None:
    """The file of this name below static/, or None: unknown kind, not there, or outside."""
    path = FOLDER.joinpath(name).resolve()
    # Only under its plain path: no dots, no doubled or closing slashes, no link to elsewhere.
    plain = path.is_relative_to(FOLDER) and path.relative_to(FOLDER).as_posix() == name
    if not plain or path.suffix not in TYPES or not path.is_file():
        return None
    body = path.read_bytes()
    packed = gzip.compress(body, 6, mtime=0) if path.suffix in COMPRESSED else b""
    tag = sha256(body).hexdigest()[:16]
    return File(body, packed if len(packed) < len(body) else b"", TYPES[path.suffix], tag)


def static_url(name: str) -> str:
    """The address of a file with its hash: a changed file has a new address."""
    file = load(name)
    if file is None:
        raise LookupError(f"static/{name} does not exist")
    return f"/static/{name}?v={file.tag}"


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application mounted at /static."""
    name = scope["path"].removeprefix("/static/")
    file = load(name) if scope["method"] in ("GET", "HEAD") and len(name) < 200 and "\0" not in name else None
    asked = dict(scope["headers"])
    if file is None:
        await answer(send, 404, [(b"content-type", b"text/plain; charset=utf-8")], b"There is no such file.\n")
        return
    etag = f'"{file.tag}"'.encode()
    current = scope["query_string"] == b"v=" + file.tag.encode()
    headers = [(b"etag", etag), (b"cache-control", FOR_EVER if current else ASK_AGAIN), (b"vary", b"accept-encoding")]
    if asked.get(b"if-none-match") == etag:
        await answer(send, 304, headers, b"")
        return
    body = file.body
    if file.packed and b"gzip" in asked.get(b"accept-encoding", b""):
        body = file.packed
        headers.append((b"content-encoding", b"gzip"))
    headers += [(b"content-type", file.type), (b"content-length", str(len(body)).encode())]
    await answer(send, 200, headers, body if scope["method"] == "GET" else b"")


async def answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
