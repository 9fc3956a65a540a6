"""Files of messages: fetched at once by a job that survives failure, and kept under their hash (P9).

A row says "stored" only after the file is complete, synced and renamed into place. What fails for now is tried again
for a day, at growing distance, and the message says why it is not there yet.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from app import retention
from app.channels import Channels
from app.clock import Clock
from app.connectors.abilities import DeliversMedia, FetchesMedia, MediaFile
from app.connectors.base import SendFailed
from app.connectors.states import advice_for
from app.db import Database, Tx
from app.errors import Conflict, NotFound, Unavailable
from app.events import MESSAGE_UPDATED, Event
from app.jobs import Later
from app.looking import Seen, look
from app.models import Job, MediaRow
from app.said import N_, mark
from app.security.outbound import authorities
from app.storage import Kept, Store
from app.store import channels as channel_rows
from app.store import jobs as job_rows
from app.store import media as store
from app.store import messages

BIGGEST = 100 * 1024 * 1024
DISK_RESERVE = 200 * 1024 * 1024
CHUNK = 256 * 1024
SOONEST = 5.0  # seconds until it is tried again, and
LATEST = 900.0  # at most
PATIENCE = 86_400_000  # ms in which failures for now do not count
UPLOADS_KEPT = 30 * 86_400_000  # ms
KIND = "media.fetch"  # of the jobs that fetch, and
LOOK = "media.look"  # that look at what was fetched,
LOOKS = 2  # at a time
FULL = mark("The disk is nearly full.")
UNANSWERED = mark("The network does not answer.")
BROKEN_OFF = mark("The network has a problem.")
NOT_IT = mark("The file is not the one that was announced.")
TOO_LARGE = mark("The file is over 100 MB.")
USER_AGENT = "Parley"
HOSTS = ("fbsbx.com", "whatsapp.net", "fbcdn.net", "facebook.com")


class Fetcher:
    """The handler of the jobs that fetch, and of those that look."""

    def __init__(
        self, db: Database, files: Store, channels: Channels, allowed: Callable[[str], bool], clock: Clock
    ) -> None:
        self._db = db
        self._files = files
        self._channels = channels
        self._allowed = allowed
        self._clock = clock
        self._looks = asyncio.Semaphore(LOOKS)

    async def fetch(self, job: Job) -> None:
        """Fetch one file. A refusal that will not change marks it failed. A failure for now is written beside it, and
        does not count for a day; after that it is tried as often as jobs are, and `given_up` marks it failed."""
        row = await self._db.reader.one(store.MEDIA, id=int(job.subject))
        if row is None or row.state != "wanted":
            return
        try:
            await self._fetch(row)
        except _Refused as refused:
            await self._db.write(failed, row, str(refused))
        except _Troubled as trouble:
            await self._db.write(troubled, row, str(trouble))
            age = self._clock.now() - row.created_at
            wait = trouble.wait or min(LATEST, max(SOONEST, age / 2000))
            raise Later(wait, str(trouble), counts=age > PATIENCE) from trouble

    async def look(self, job: Job) -> None:
        """Thumbnail, size in pixels and duration of a stored file. What cannot be looked at stays without."""
        row = await self._db.reader.one(store.MEDIA, id=int(job.subject))
        if row is None or row.state != "stored":
            return
        try:
            path = await self._files.local(row.sha256)
        except Unavailable as error:
            raise Later(LATEST, str(error), counts=False) from error
        if path is not None:
            part, small = self._files.part(f"{row.id}.small"), self._files.small(row.sha256)
            async with self._looks:
                seen = await look(path, part, small)
            if not await self._db.write(looked, row, seen):
                small.unlink(missing_ok=True)

    async def _fetch(self, row: MediaRow) -> None:
        if self._files.free() < DISK_RESERVE:
            raise _Troubled(FULL)
        live = self._channels.by_id.get(row.channel_id)
        if live is None and await self._db.reader.one(channel_rows.BY_ID, id=row.channel_id) is not None:
            raise Later(SOONEST, "The channel is being changed.", counts=False)
        session = live.session if live else None
        if not isinstance(session, FetchesMedia | DeliversMedia):
            raise _Refused(mark("The channel was removed."))
        part = self._files.part(str(row.id))
        try:
            await self._keep(row, part, *await self._read(row, session, part))
        except SendFailed as failure:
            advice = advice_for(failure.problem.code)
            said = str(failure.problem.title) or (advice.sentence if advice else failure.problem.code)
            if failure.certain and not failure.temporary:
                raise _Refused(said) from failure
            raise _Troubled(said, failure.retry_after) from failure
        except Unavailable as error:
            raise _Troubled(str(error)) from error
        finally:
            part.unlink(missing_ok=True)

    async def _read(self, row: MediaRow, session: FetchesMedia | DeliversMedia, part: Path) -> tuple[str, int, str]:
        """Write the whole file to `part`. Returns hash, bytes and type."""
        if isinstance(session, DeliversMedia):
            return *await _write(part, _whole(await session.fetch_media(row.provider_id))), row.mime
        source = await session.locate_media(row.provider_id)
        if not self._allowed(source.url):
            raise _Refused(mark("The network named an address that is not its own."))
        if source.size > BIGGEST:
            raise _Refused(TOO_LARGE)
        if self._files.free() - source.size < DISK_RESERVE:
            raise _Troubled(FULL)
        return *await _download(part, source), source.mime or row.mime

    async def _keep(self, row: MediaRow, part: Path, sha256: str, size: int, mime: str) -> None:
        if row.sha256 and row.sha256 != sha256:
            raise _Troubled(NOT_IT)
        async with self._files.lock(sha256):
            await self._files.keep(part, sha256)
            if not await self._db.write(stored, row, sha256, size, mime):
                await self._files.drop(sha256)


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


class _Troubled(Exception):
    """Not now. `wait`: seconds that the network asked for."""

    def __init__(self, said: str, wait: float | None = None) -> None:
        super().__init__(said)
        self.wait = wait


async def _download(part: Path, source: MediaFile) -> tuple[str, int]:
    import httpx  # only when the first file is fetched

    trust = await asyncio.to_thread(authorities)
    try:
        async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=httpx.Timeout(60, connect=5)) as client:
            headers = {"User-Agent": USER_AGENT, **source.headers}
            async with client.stream("GET", source.url, headers=headers) as answer:
                if answer.status_code != 200:
                    raise _Troubled(BROKEN_OFF)
                return await _write(part, answer.aiter_bytes(CHUNK))
    except httpx.TransportError as error:
        raise _Troubled(UNANSWERED) from error


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _write(part: Path, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
    """Hash and size of what was written."""
    digest, size = hashlib.sha256(), 0
    with part.open("wb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > BIGGEST:
                raise _Refused(TOO_LARGE)
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
    """Files that programs sent here long ago go. Returns their hashes."""
    old = tx.all(store.OLD_UPLOADS, before=tx.now - UPLOADS_KEPT)
    tx.many(store.DROP, [{"id": id} for id, _sha256 in old])
    for sha256 in (gone := sorted({sha256 for _id, sha256 in old})):
        retention.release(tx, sha256)
    return gone


async def sweep_uploads(db: Database, files: Store) -> None:
    for sha256 in await db.bulk(forget_uploads):
        with suppress(Unavailable, OSError):  # its job tries again
            await retention.forget(db, files, sha256)


def stored(tx: Tx, row: MediaRow, sha256: str, size: int, mime: str) -> bool:
    """The file is there. False if nobody wants it any more: its message was erased, and no other has the same file."""
    if tx.run(store.STORED, id=row.id, sha256=sha256, size=size, mime=mime, now=tx.now):
        _job(tx, LOOK, row.id)
        _changed(tx, row)
        return True
    return tx.one(store.KNOWN_FILE, sha256=sha256) is not None


def looked(tx: Tx, row: MediaRow, seen: Seen) -> bool:
    """False if the file is not kept any more."""
    if tx.run(store.SEEN, id=row.id, width=seen.width, height=seen.height, duration=seen.duration):
        _changed(tx, row)
        return True
    return False


def troubled(tx: Tx, row: MediaRow, problem: str) -> None:
    """It is still wanted; people see why it is not there yet."""
    if problem != row.problem and tx.run(store.TROUBLED, id=row.id, problem=problem):
        _changed(tx, row)


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
    _job(tx, KIND, media_id)
    return _changed(tx, row)


def _job(tx: Tx, kind: str, media_id: int) -> None:
    """To be done now, with all attempts."""
    job = {"kind": kind, "subject": str(media_id), "now": tx.now}
    tx.run(job_rows.REPLACE, id=tx.new_id(), payload="{}", due_at=tx.now, conversation_id=None, lane="net", **job)


def _changed(tx: Tx, row: MediaRow) -> int | None:
    """Tell whoever looks at its conversation, which is returned."""
    message = tx.one(messages.MESSAGE, id=row.message_id) if row.message_id else None
    if message:
        data = msgspec.json.encode({"conversation_id": str(message.conversation_id), "id": str(message.id)})
        tx.publish(Event(MESSAGE_UPDATED, (f"conversation-{message.conversation_id}",), data))
    return message.conversation_id if message else None
