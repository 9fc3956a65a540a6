"""Files that customers sent (S21): from their own address, of a type that we name ourselves, in a sandbox.

The first bytes decide what a file is, never its name or what the network said. Only kinds in which no script can live
are shown in the page; everything else, PDF, HTML and SVG included, is a download.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import anyio
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from app.errors import NotFound
from app.i18n import _
from app.store import media as store

if TYPE_CHECKING:
    from app.runtime import Runtime

POLICY: Final = "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox"
FALLBACK: Final = "application/octet-stream"
EXTENSIONS: Final = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "video/mp4": "mp4",
    "audio/mp4": "m4a",
    "video/3gpp": "3gp",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "application/pdf": "pdf",
}
INLINE: Final = frozenset(EXTENSIONS) - {"application/pdf", "image/gif", "audio/amr", "video/3gpp"}


async def show(request: Request) -> Response:
    """The stored file, with `Range` for players. 404 until it is stored."""
    rt: Runtime = request.state.rt
    row = await rt.db.reader.one(store.MEDIA, id=request.path_params["id"])
    if row is None or row.state != "stored":
        raise NotFound(_("There is no such file here."))
    path = rt.media.path(row.sha256)
    try:
        kind = sniff(await anyio.to_thread.run_sync(_head, path))
    except FileNotFoundError:
        raise NotFound(_("This file is no longer here.")) from None
    name = download_name(row.filename, row.id, kind)
    headers = {
        "Content-Security-Policy": POLICY,
        "Content-Disposition": disposition("inline" if kind in INLINE else "attachment", name),
        "Cache-Control": "private, max-age=86400, immutable",
    }
    return FileResponse(path, media_type=kind, headers=headers)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def sniff(head: bytes) -> str:
    """What the first 16 bytes say; anything not known for sure is a stream of bytes."""
    for start, kind in (
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"OggS", "audio/ogg"),
        (b"ID3", "audio/mpeg"),
        (b"#!AMR", "audio/amr"),
        (b"%PDF-", "application/pdf"),
    ):
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return {b"3gp": "video/3gpp", b"M4A": "audio/mp4"}.get(head[8:11], "video/mp4")
    return _mpeg_audio(head)


def _mpeg_audio(head: bytes) -> str:
    """Audio without a container: a frame begins with eleven or twelve set bits. Of MPEG, layer III alone is meant."""
    if len(head) < 3 or head[0] != 0xFF:
        return FALLBACK
    if head[1] & 0xF6 == 0xF0:
        return "audio/aac"
    is_frame = head[1] & 0xE0 == 0xE0 and head[1] & 0x06 == 0x02 and head[2] & 0xF0 != 0xF0 and head[2] & 0x0C != 0x0C
    return "audio/mpeg" if is_frame else FALLBACK


def download_name(filename: str, id: int, kind: str) -> str:
    """A name that is safe to save under: the customer's without folders and control characters, else one of our own."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    clean = "".join(character for character in last if character.isprintable() and character not in '"<>:|?*').strip(
        ". "
    )
    return clean[:120] or f"{id}.{EXTENSIONS.get(kind, 'bin')}"


def disposition(kind: str, name: str) -> str:
    """RFC 6266: an ASCII name for all, the real one for those who read UTF-8."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace("%", "_")
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
