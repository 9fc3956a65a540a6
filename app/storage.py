"""Where the bytes of files lie, under their SHA-256: in the data folder, or in S3-compatible storage by setting.

Everything else reads a file from a path. Of what lies in a storage the data folder holds copies, which are fetched when
they are asked for, proved by their hash, and cleared away when they take more than a gigabyte.
"""

import asyncio
import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final
from weakref import WeakValueDictionary

import msgspec

from app.errors import Invalid, Misconfigured, Unavailable
from app.said import N_
from app.settings import Settings
from app.system import sync_file, sync_folder

COPIES: Final = 1024**3  # bytes of copies that may stay
CONNECT: Final = "5s"
REQUEST: Final = "60s"
TRIES_AGAIN: Final = 2
LOOKED: Final = 30.0  # seconds for which it is believed how the storage answered
PATIENCE: Final = 5.0  # seconds in which it answers whoever asks whether it is there


class Kept(msgspec.Struct, frozen=True):
    """A file that was taken; `head`: its first 16 bytes."""

    sha256: str
    size: int
    head: bytes


def open_store(settings: Settings) -> "Store":
    """The store as it is set. Raises `Misconfigured`."""
    return Store(settings.data / "media", Bucket(settings) if settings.media_url else None)


class Store:
    """Names are SHA-256, in 256 subfolders; nothing a customer sent becomes a name on disk.

    Whoever keeps a file and writes its row, or looks that no row has it and drops it, does both under its `lock`.
    """

    def __init__(self, folder: Path, bucket: "Bucket | None" = None) -> None:
        self.folder = folder
        self.bucket = bucket
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        (folder / "part").mkdir(parents=True, exist_ok=True, mode=0o700)

    def lock(self, sha256: str) -> asyncio.Lock:
        found = self._locks.get(sha256)
        if found is None:
            self._locks[sha256] = found = asyncio.Lock()
        return found

    def path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256

    def small(self, sha256: str) -> Path:
        """Its thumbnail, where there is one."""
        return self.folder / "small" / sha256[:2] / sha256

    def part(self, name: str) -> Path:
        """Where something is written until it is whole."""
        return self.folder / "part" / name

    def _copy(self, sha256: str) -> Path:
        return self.folder / "copies" / sha256[:2] / sha256

    def free(self) -> int:
        return shutil.disk_usage(self.folder).free

    def sweep(self) -> None:
        """Parts that a killed download left behind."""
        for part in (self.folder / "part").iterdir():
            part.unlink(missing_ok=True)

    async def add(self, data: bytes) -> str:
        """Keep these bytes. Returns their hash. Raises `Unavailable`."""
        sha256 = hashlib.sha256(data).hexdigest()
        part = self.part(f"{sha256}.{os.getpid()}")
        try:
            await asyncio.to_thread(part.write_bytes, data)
            await self.keep(part, sha256)
        finally:
            part.unlink(missing_ok=True)
        return sha256

    async def take(self, pieces: AsyncIterator[bytes], most: int) -> "Kept":
        """Keep what comes piece by piece. Raises `Invalid` for an empty file or one over `most` bytes."""
        part = self.part(secrets.token_hex(16))
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
            await self.keep(part, digest.hexdigest())
        finally:
            part.unlink(missing_ok=True)
        return Kept(digest.hexdigest(), size, head)

    async def take_file(self, file: Path) -> str:
        """Keep a file that lies in the part folder; it is moved. Returns its hash. Raises `Unavailable`."""
        sha256 = await asyncio.to_thread(_hash_of, file)
        await self.keep(file, sha256)
        return sha256

    async def keep(self, part: Path, sha256: str) -> None:
        """A part that is whole goes into its place. Raises `Unavailable` if the storage does not take it."""
        if self.bucket is not None:
            await self.bucket.put(sha256, part)
        await asyncio.to_thread(settle, part, self._copy(sha256) if self.bucket else self.path(sha256))

    async def local(self, sha256: str) -> Path | None:
        """Where the file can be read now, None if it is nowhere. Raises `Unavailable` if the storage is."""
        for path in (self.path(sha256), self._copy(sha256)):
            if await asyncio.to_thread(path.is_file):
                return path
        if self.bucket is None:
            return None
        async with self.lock(sha256):
            return await self._fetch(sha256, self.bucket)

    async def _fetch(self, sha256: str, bucket: "Bucket") -> Path | None:
        copy = self._copy(sha256)
        if not copy.is_file():
            part = self.part(f"{sha256}.copy")
            try:
                if not await bucket.get(sha256, part):
                    return None
                await asyncio.to_thread(settle, part, copy)
            finally:
                part.unlink(missing_ok=True)
        return copy

    async def ready(self) -> bool:
        """Files can be kept: the storage answers, and takes the key, or there is none. Asked often, it is looked at
        twice a minute at most."""
        return self.bucket is None or await self.bucket.answers()

    async def drop(self, sha256: str) -> None:
        """The file and all that was made of it. One that is not there is gone already. Raises `Unavailable`."""
        for path in (self.path(sha256), self._copy(sha256), self.small(sha256)):
            path.unlink(missing_ok=True)
        if self.bucket is not None:
            await self.bucket.delete(sha256)

    def kept(self, since: float, until: float) -> list[str]:
        """Hashes of files whose place was taken in this time (seconds since the epoch)."""
        return [path.name for path, changed, _ in _files(self.folder, "[0-9a-f][0-9a-f]") if since <= changed < until]

    def trim(self, most: int = COPIES) -> None:
        """Clear copies away, the oldest first, until they take no more than this."""
        total = 0
        for path, _, size in sorted(_files(self.folder / "copies", "*"), key=lambda file: file[1], reverse=True):
            total += size
            if total > most:
                path.unlink(missing_ok=True)


def _files(folder: Path, names: str) -> Iterator[tuple[Path, float, int]]:
    for path in folder.glob(f"{names}/*"):
        try:
            found = path.stat()
        except FileNotFoundError:
            continue
        yield path, found.st_mtime, found.st_size


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def settle(part: Path, target: Path) -> None:
    """Sync a part that is whole and rename it into its place, so that a name never stands for half a file."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    sync_file(part)
    os.replace(part, target)
    sync_folder(target.parent)


class Bucket:
    """S3-compatible storage: each file is an object named by its hash, under the prefix of `PARLEY_MEDIA_URL`."""

    def __init__(self, settings: Settings) -> None:
        if not settings.s3_access_key or not settings.s3_secret_key:
            raise Misconfigured(N_("PARLEY_MEDIA_URL needs PARLEY_S3_ACCESS_KEY and PARLEY_S3_SECRET_KEY as well."))
        try:
            from obstore.store import S3Store
        except ImportError:
            raise Misconfigured(N_("PARLEY_MEDIA_URL needs the extra parley[s3], which is not installed.")) from None
        self._look_at, self._answered = 0.0, True
        name, _, prefix = settings.media_url.removeprefix("s3://").partition("/")
        options: dict[str, Any] = {"endpoint": settings.s3_endpoint} if settings.s3_endpoint else {}
        self._store = S3Store(
            name, prefix=prefix or None, region=settings.s3_region, access_key_id=settings.s3_access_key,
            secret_access_key=settings.s3_secret_key, **options,
            client_options={
                "connect_timeout": CONNECT, "timeout": REQUEST,
                "allow_http": settings.s3_endpoint.startswith("http://"),
            },
            retry_config={"max_retries": TRIES_AGAIN},
        )  # fmt: skip

    async def answers(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now >= self._look_at:
            self._look_at = now + LOOKED
            self._answered = await self._look()
        return self._answered

    async def _look(self) -> bool:
        """Ask for a file that nobody has."""
        import obstore

        try:
            async with asyncio.timeout(PATIENCE):
                await _reached(obstore.get_async(self._store, hashlib.sha256().hexdigest()))
        except FileNotFoundError:
            return True
        except (Unavailable, TimeoutError):
            return False
        return True

    async def put(self, sha256: str, path: Path) -> None:
        import obstore

        await _reached(obstore.put_async(self._store, sha256, path))

    async def get(self, sha256: str, part: Path) -> bool:
        """Write the object to this path. False if there is none, or if it is not what its name says."""
        import obstore

        try:
            found = await _reached(obstore.get_async(self._store, sha256))
        except FileNotFoundError:
            return False
        digest = hashlib.sha256()
        with part.open("wb") as file:
            chunks = found.stream().__aiter__()
            while (chunk := await _reached(anext(chunks, None))) is not None:
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
        return digest.hexdigest() == sha256

    async def delete(self, sha256: str) -> None:
        import obstore

        try:
            await _reached(obstore.delete_async(self._store, sha256))
        except FileNotFoundError:
            return


async def _reached(answer: Any) -> Any:
    """What the storage answers. Raises `Unavailable` for what it or the way there refuses; `FileNotFoundError`."""
    from obstore.exceptions import BaseError

    try:
        return await answer
    except BaseError as error:
        raise Unavailable(N_("The file storage cannot be reached."), code="storage") from error
