"""Files of messages: fetched at once by a job that survives failure, kept under their hash in the data folder (P9).

A row says "stored" only after the file is complete, synced and renamed into place.
"""

import asyncio
import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from app.channels import Channels
from app.connectors.abilities import DeliversMedia, FetchesMedia, MediaFile
from app.connectors.base import SendFailed
from app.db import Database, Tx
from app.errors import Conflict, Invalid, NotFound
from app.events import MESSAGE_UPDATED, Event
from app.jobs import Later
from app.models import Job, MediaRow
from app.said import N_
from app.store import channels as channel_rows
from app.store import jobs as job_rows
from app.store import media as store
from app.store import messages
from app.system import sync_folder

BIGGEST = 100 * 1024 * 1024
DISK_RESERVE = 200 * 1024 * 1024
CHUNK = 256 * 1024
FULL_WAIT = 60.0
UPLOADS_KEPT = 30 * 86_400_000  # ms
KIND = "media.fetch"  # of the jobs that fetch
USER_AGENT = "Parley"
HOSTS = ("fbsbx.com", "whatsapp.net", "fbcdn.net", "facebook.com")


class Kept(msgspec.Struct, frozen=True):
    """A file that is in the folder; `head`: its first 16 bytes."""

    sha256: str
    size: int
    head: bytes


class Store:
    """The folder of files. Names are SHA-256, in 256 subfolders; nothing a customer sent becomes a name on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "part").mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256

    def free(self) -> int:
        return shutil.disk_usage(self.folder).free

    def sweep(self) -> None:
        """Parts that a killed download left behind."""
        for part in (self.folder / "part").iterdir():
            part.unlink(missing_ok=True)

    async def add(self, data: bytes) -> str:
        """Keep these bytes. Returns their hash."""
        sha256 = hashlib.sha256(data).hexdigest()
        await asyncio.to_thread(self._add, data, sha256)
        return sha256

    async def take(self, pieces: AsyncIterator[bytes], most: int) -> "Kept":
        """Keep what comes piece by piece. Raises `Invalid` for an empty file, or one over `most` bytes."""
        part = self.folder / "part" / secrets.token_hex(16)
        digest, size, head = hashlib.sha256(), 0, b""
        try:
            with part.open("wb") as file:
                async for piece in pieces:
                    size += len(piece)
                    if size > most:
                        raise Invalid(N_("The file is too large: at most {n} MB.", n=most // 1_000_000))
                    head = (head + piece[:16])[:16]
                    digest.update(piece)
                    await asyncio.to_thread(file.write, piece)
                if not size:
                    raise Invalid(N_("The file is empty."))
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
            await asyncio.to_thread(self.keep, part, digest.hexdigest())
        finally:
            part.unlink(missing_ok=True)
        return Kept(digest.hexdigest(), size, head)

    def _add(self, data: bytes, sha256: str) -> None:
        part = self.folder / "part" / f"{sha256}.{os.getpid()}"
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self.keep(part, sha256)

    def take_file(self, file: Path) -> str:
        """Keep a file that lies in the part folder; it is moved. Returns its hash."""
        with file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
            os.fsync(opened.fileno())
        self.keep(file, sha256)
        return sha256

    def keep(self, part: Path, sha256: str) -> None:
        """Rename a complete, synced part into place."""
        target = self.path(sha256)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        os.replace(part, target)
        sync_folder(target.parent)


class Fetcher:
    """The handler of the jobs that fetch."""

    def __init__(self, db: Database, files: Store, channels: Channels, allowed: Callable[[str], bool]) -> None:
        self._db = db
        self._files = files
        self._channels = channels
        self._allowed = allowed

    async def fetch(self, job: Job) -> None:
        """Fetch one file. A refusal that will not change marks it failed; anything else is tried again, as often as
        jobs are; after that, `given_up` marks it failed."""
        row = await self._db.reader.one(store.MEDIA, id=int(job.subject))
        if row is not None and row.state != "stored":
            await self._fetch(row)

    async def _fetch(self, row: MediaRow) -> None:
        if self._files.free() < DISK_RESERVE:
            raise Later(FULL_WAIT, "The disk is nearly full.", counts=False)
        live = self._channels.by_id.get(row.channel_id)
        if live is None and await self._db.reader.one(channel_rows.BY_ID, id=row.channel_id) is not None:
            raise Later(5, "The channel is being changed.", counts=False)
        session = live.session if live else None
        if not isinstance(session, FetchesMedia | DeliversMedia):
            return await self._db.write(failed, row, "The channel was removed.")
        mime = row.mime
        try:
            if isinstance(session, DeliversMedia):
                sha256, size = await self._take(row, await session.fetch_media(row.provider_id))
            else:
                source = await session.locate_media(row.provider_id)
                sha256, size = await self._download(row, source)
                mime = source.mime or row.mime
        except SendFailed as failure:
            if failure.certain and not failure.temporary:
                return await self._db.write(failed, row, str(failure.problem.title) or failure.problem.code)
            raise Later(failure.retry_after or 30, str(failure.problem.title)) from failure
        except _Refused as refused:
            return await self._db.write(failed, row, str(refused))
        if not await self._db.write(stored, row, sha256, size, mime):
            self._files.path(sha256).unlink(missing_ok=True)

    async def _take(self, row: MediaRow, data: bytes) -> tuple[str, int]:
        """Keep what the session delivered."""
        if len(data) > BIGGEST:
            raise _Refused("The file is over 100 MB.")
        sha256 = await self._files.add(data)
        if row.sha256 and row.sha256 != sha256:
            raise Later(30, "The file is not the one that was announced.")
        return sha256, len(data)

    async def _download(self, row: MediaRow, source: MediaFile) -> tuple[str, int]:
        if not self._allowed(source.url):
            raise _Refused("The network named an address that is not its own.")
        part = self._files.folder / "part" / str(row.id)
        try:
            return await self._into(part, row, source)
        finally:
            part.unlink(missing_ok=True)

    async def _into(self, part: Path, row: MediaRow, source: MediaFile) -> tuple[str, int]:
        import httpx  # only when the first file is fetched

        async with httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(60, connect=5)) as client:
            headers = {"User-Agent": USER_AGENT, **source.headers}
            async with client.stream("GET", source.url, headers=headers) as answer:
                if answer.status_code != 200:
                    raise Later(5, f"The network answered {answer.status_code}.")
                sha256, size = await _write(part, answer.aiter_bytes(CHUNK))
        if row.sha256 and row.sha256 != sha256:
            raise Later(30, "The file is not the one that was announced.")
        await asyncio.to_thread(self._files.keep, part, sha256)
        return sha256, size


def may_fetch(networks: Collection[str], allowed: Collection[str], url: str) -> bool:
    """Whether a file may be fetched from there: the hosts of the networks as they are set, their own file hosts by
    https, or what the owner allowed. The address comes from an answer of a network, so it is not trusted (contract
    §10)."""
    try:
        parts = urlsplit(url)
        ours = {(own.scheme, (own.hostname or "").lower(), own.port) for own in map(urlsplit, networks)}
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return False
    host = (parts.hostname or "").lower()
    if parts.username or parts.password or not host or parts.scheme not in ("http", "https"):
        return False
    if (parts.scheme, host, parts.port) in ours or f"{host}:{port}" in allowed:
        return True
    return parts.scheme == "https" and port == 443 and any(host == name or host.endswith(f".{name}") for name in HOSTS)


class _Refused(Exception):
    """This file will not be fetched."""


async def _write(part: Path, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with part.open("wb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > BIGGEST:
                raise _Refused("The file is over 100 MB.")
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        await asyncio.to_thread(os.fsync, file.fileno())
    return digest.hexdigest(), size


def uploaded(tx: Tx, kept: Kept, filename: str, mime: str) -> int:
    """A file that a program sent here, before any message names it. Returns its id."""
    id = tx.new_id()
    tx.run(
        store.UPLOADED, id=id, sha256=kept.sha256, size=kept.size, mime=mime, filename=filename, now=tx.now
    )  # fmt: skip
    return id


def forget_uploads(tx: Tx) -> list[str]:
    """Files that programs sent here long ago go. Returns the hashes of those that nothing names any more."""
    old = tx.all(store.OLD_UPLOADS, before=tx.now - UPLOADS_KEPT)
    tx.many(store.DROP, [{"id": id} for id, _sha256 in old])
    return [sha256 for sha256 in {sha256 for _id, sha256 in old} if tx.one(store.KNOWN_FILE, sha256=sha256) is None]


async def sweep_uploads(db: Database, files: Store) -> None:
    for sha256 in await db.bulk(forget_uploads):
        files.path(sha256).unlink(missing_ok=True)


def stored(tx: Tx, row: MediaRow, sha256: str, size: int, mime: str) -> bool:
    """The file is there. False if nobody wants it any more: its message was erased, and no other has the same file."""
    if tx.run(store.STORED, id=row.id, sha256=sha256, size=size, mime=mime, now=tx.now):
        _changed(tx, row)
        return True
    return tx.one(store.KNOWN_FILE, sha256=sha256) is not None


def failed(tx: Tx, row: MediaRow, problem: str) -> None:
    tx.run(store.FAILED, id=row.id, state="failed", problem=problem)
    _changed(tx, row)


def given_up(tx: Tx, job: Job, said: str) -> None:
    """The job that was to fetch it is dead: nobody waits for the file any more, and people see why."""
    row = tx.one(store.MEDIA, id=int(job.subject))
    if row is not None and row.state == "wanted":
        failed(tx, row, said)


def want_again(tx: Tx, media_id: int) -> int | None:
    """A person asks for a failed file once more, with all attempts. Returns its conversation, if it has one.

    Raises `NotFound`, and `Conflict` if it is not failed.
    """
    row = tx.one(store.MEDIA, id=media_id)
    if row is None:
        raise NotFound(N_("There is no such file here."))
    if not tx.run(store.WANTED, id=media_id):
        raise Conflict(N_("This file is here or on its way."))
    job = {"kind": KIND, "subject": str(media_id), "now": tx.now}
    if not tx.run(job_rows.REVIVE, **job):
        tx.run(job_rows.INSERT, id=tx.new_id(), payload="{}", due_at=tx.now, conversation_id=None, lane="net", **job)
    return _changed(tx, row)


def _changed(tx: Tx, row: MediaRow) -> int | None:
    """Tell whoever looks at its conversation, which is returned."""
    message = tx.one(messages.MESSAGE, id=row.message_id) if row.message_id else None
    if message:
        data = msgspec.json.encode({"conversation_id": str(message.conversation_id), "id": str(message.id)})
        tx.publish(Event(MESSAGE_UPDATED, (f"conversation-{message.conversation_id}",), data))
    return message.conversation_id if message else None
