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
from app.looking import sniff
from app.models import MediaRow
from app.store import media as store

if TYPE_CHECKING:
    from app.runtime import Runtime

POLICY: Final = "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox"
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
    "audio/wav": "wav",
    "application/pdf": "pdf",
}
INLINE: Final = frozenset(EXTENSIONS) - {"application/pdf", "image/gif", "audio/amr", "video/3gpp"}


async def show(request: Request) -> Response:
    """The stored file, with `Range` for players. 404 until it is stored."""
    row = await read(request)
    path = await request.state.rt.media.local(row.sha256)
    if path is None:
        raise NotFound(_("This file is no longer here."))
    return await sent(path, row)


async def small(request: Request) -> Response:
    """Its thumbnail; the file itself where none was made."""
    row = await read(request)
    path = request.state.rt.media.small(row.sha256)
    return await sent(path, row) if path.is_file() else await show(request)


async def read(request: Request) -> MediaRow:
    rt: Runtime = request.state.rt
    row = await rt.db.reader.one(store.MEDIA, id=request.path_params["id"])
    if row is None or row.state != "stored":
        raise NotFound(_("There is no such file here."))
    return row


async def sent(path: Path, row: MediaRow) -> Response:
    try:
        kind = sniff(await anyio.to_thread.run_sync(_head, path))
    except FileNotFoundError:
        raise NotFound(_("This file is no longer here.")) from None
    headers = {
        "Content-Security-Policy": POLICY,
        "Content-Disposition": disposition(
            "inline" if kind in INLINE else "attachment", download_name(row.filename, row.id, kind)
        ),
        "Cache-Control": "private, max-age=86400, immutable",
    }
    return FileResponse(path, media_type=kind, headers=headers)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


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
