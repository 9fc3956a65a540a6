"""Stored files on their way out: which one a message names, and where it lies. They are kept by `media`."""

from pathlib import Path

import msgspec

from app.content import Content, Media, Template
from app.db import Reader
from app.models import MediaRow
from app.storage import Store
from app.store import media as store


class Kept(msgspec.Struct, frozen=True):
    """A file that is stored, but not yet of any message."""

    sha256: str
    size: int
    mime: str
    filename: str


async def stored(reader: Reader, media_id: str) -> MediaRow | None:
    """The file with this id, if it is here whole."""
    if not media_id.isascii() or not media_id.isdigit() or len(media_id) > 19:
        return None
    row = await reader.one(store.MEDIA, id=int(media_id))
    return row if row is not None and row.state == "stored" else None


async def named(reader: Reader, said: Content) -> Content:
    """A file that is named by an id of ours instead of the network's, with what is known of it."""
    if not isinstance(said, Media) or said.media_id or said.url:
        return said
    row = await stored(reader, said.provider_id)
    if row is None:
        return said
    return msgspec.structs.replace(said, provider_id="", media_id=str(row.id), mime=row.mime, size=row.size)


def file_in(said: Content) -> Media | None:
    """The file that a message shows."""
    found = said.file if isinstance(said, Template) else said
    return found if isinstance(found, Media) else None


def is_ours(said: Content) -> bool:
    """Whether the bytes have to go along, because the network has neither an id nor an address for them."""
    file = file_in(said)
    return file is not None and bool(file.media_id) and not file.provider_id and not file.url


async def path_of(reader: Reader, files: Store, said: Content) -> Path | None:
    """Where the bytes lie; None if they are not here any more. Raises `Unavailable` if their storage is."""
    file = file_in(said)
    row = await stored(reader, file.media_id) if file is not None else None
    return await files.local(row.sha256) if row else None
