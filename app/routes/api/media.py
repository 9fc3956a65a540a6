"""Files over the API: sent here before a message names them, and fetched."""

from typing import Annotated, Final

import msgspec

from app import media
from app.db.rows import channels
from app.errors import Forbidden, NotFound
from app.looking import sniff
from app.models import MediaRow
from app.routes.api.endpoint import AnyUpload, Binary, Call, Query
from app.routes.media import POLICY, disposition, download_name
from app.routes.site import UPLOAD
from app.said import N_
from app.store import media as store
from app.views import Id

LARGEST: Final = UPLOAD + 1  # one byte more, so that the refusal says why


class File(msgspec.Struct, frozen=True):
    """`mime` is what its first bytes say; `state`: stored, wanted (on its way from the network), failed or
    expired (no longer kept)."""

    id: Id
    mime: str
    filename: str
    size: int
    sha256: str
    state: str
    message_id: Id | None


class Named(Query, frozen=True):
    filename: Annotated[str, msgspec.Meta(max_length=240)] = ""


async def take(call: Call, query: Named, body: AnyUpload) -> File:
    """The body is the file, up to 32 MB. Its id is the `media_id` of a message. It is kept for 30 days; a
    message that goes out takes it along."""
    if channels.get() is not None:
        raise Forbidden(N_("A file sent here belongs to no channel: this is for those who see every channel."))
    kept = await call.rt.media.take(body.pieces, UPLOAD)
    id = await call.rt.db.write(media.uploaded, kept, query.filename, sniff(kept.head))
    return shown(await find(call, id))


async def show(call: Call) -> File:
    return shown(await find(call, call.id))


async def fetch(call: Call) -> Binary:
    """The file itself, as a download, whatever it is."""
    row = await find(call, call.id)
    path = await call.rt.media.local(row.sha256) if row.state == "stored" else None
    if path is None:
        raise NotFound(N_("This file is not here."))
    headers = {
        "Content-Security-Policy": POLICY,
        "Content-Disposition": disposition("attachment", download_name(row.filename, row.id, row.mime)),
        "Cache-Control": "private, no-store",
    }
    return Binary(path, media_type="application/octet-stream", headers=headers)


async def find(call: Call, id: int) -> MediaRow:
    row = await call.rt.db.reader.one(store.MEDIA, id=id)
    if row is None:
        raise NotFound(N_("There is no such file here."))
    return row


def shown(row: MediaRow) -> File:
    message_id = None if row.message_id is None else str(row.message_id)
    return File(str(row.id), row.mime, row.filename, row.size, row.sha256, row.state, message_id)
