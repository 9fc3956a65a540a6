"""Contacts from files of any size, brought in by a job that a restart does not stop.

A file is taken in and looked at first (`import_files`); then somebody says what each column is and begins. Some hundred
rows and how far the job is are one commit, so every row is brought in once whatever happens to the machine. Rows that
do not fit are kept in a file of their own beside it. Nothing but some thousand rows is ever in memory. What was brought
in is deleted with the last row, everything else after a week.
"""

import asyncio
import codecs
import csv
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from app import audit, people, sheets
from app.db import Database, Tx, Violation
from app.errors import Conflict, NotFound, ParleyError
from app.import_files import Look, Piece, checked, look, opened, read, suggested, wrong_file
from app.jobs import Ending, Later
from app.models import Job
from app.said import N_
from app.sheets import Stored, Wrong
from app.store import imports as store
from app.store import jobs as job_rows
from app.store.imports import Import
from app.system import make_private_folder, open_private, sync_file

if TYPE_CHECKING:
    from app.runtime import Runtime

KIND: Final = "contacts.import"
LARGEST: Final = 256_000_000  # bytes
UNIT: Final = 200  # rows in one unit of work
AHEAD: Final = 20  # units that wait for the writer at once
RUN: Final = 2.0  # seconds of one run of the job
KEPT: Final = 7 * 86_400_000


def folder(rt: "Runtime") -> Path:
    return rt.settings.data / "imports"


def path_of(rt: "Runtime", id: int) -> Path:
    return folder(rt) / f"{id}.csv"


def wrong_path(rt: "Runtime", id: int) -> Path:
    return folder(rt) / f"{id}.wrong.csv"


# ---- taking a file in -----------------------------------------------------------------------------------------------


async def take(rt: "Runtime", name: str, pieces: AsyncIterator[bytes], user_id: int | None) -> int:
    """Keep a file and look at its first line. Returns the import's id. Raises `Invalid` for what is no such file."""
    make_private_folder(folder(rt))
    id = await rt.db.write(_new_id)
    path = path_of(rt, id)
    try:
        await _write(path, pieces)
        size, header, begin, delimiter = await asyncio.to_thread(opened, path)
        await rt.db.write(_add, id, user_id, " ".join(name.split())[:200], size, header, begin, delimiter)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return id


async def _write(path: Path, pieces: AsyncIterator[bytes]) -> None:
    size = 0
    with open(open_private(path), "wb") as file:
        async for piece in pieces:
            size += len(piece)
            if size > LARGEST:
                raise wrong_file(N_("The file is too large: at most {n} MB.", n=LARGEST // 1_000_000))
            await asyncio.to_thread(file.write, piece)
    await asyncio.to_thread(sync_file, path)


async def preview(rt: "Runtime", one: Import, mapping: list[str]) -> Look:
    return await asyncio.to_thread(look, path_of(rt, one.id), one, mapping)


# ---- the job --------------------------------------------------------------------------------------------------------


async def get(db: Database, id: int) -> Import:
    found = await db.reader.one(store.BY_ID, id=id)
    if found is None:
        raise NotFound(N_("There is no such import. It may have been deleted after a week."))
    return found


async def begin(rt: "Runtime", id: int, mapping: list[str] | None) -> None:
    """Begin, or go on where it failed. `mapping`: as `checked` takes it, None as it is. Raises `Invalid`, `NotFound`,
    `Conflict`."""
    one = await get(rt.db, id)
    wanted = checked(decoded(one.columns), decoded(one.mapping) if mapping is None else mapping)
    await rt.db.write(audit.logged, audit.entry("contact.imported", one.name), _begin, id, people.encoded(wanted))
    rt.jobs.wake()


async def drop(rt: "Runtime", id: int) -> None:
    """Forget the file; one that is being brought in stops where it is."""
    await get(rt.db, id)
    await rt.db.write(_drop, id)
    remove(rt, id)


async def work(rt: "Runtime", job: Job) -> Ending | None:
    """Bring in the next pieces."""
    id, until = int(job.subject), time.monotonic() + RUN
    while True:
        one = await rt.db.reader.one(store.BY_ID, id=id)
        if one is None or one.state != "running":
            return None
        pieces = await asyncio.to_thread(_ahead, path_of(rt, id), one)
        if not pieces:
            await asyncio.to_thread(path_of(rt, id).unlink, True)
            return lambda tx: _ended(tx, id, "done")
        await _bring_in(rt, one, pieces)
        if time.monotonic() > until:
            raise Later(0, "There is more of it.", counts=False)


def _ahead(path: Path, one: Import) -> list[Piece]:
    """The next pieces, each of a commit at most; none at the end."""
    mapping, pieces = decoded(one.mapping), list[Piece]()
    while len(pieces) < AHEAD:
        piece = read(path, one, mapping, UNIT)
        if piece.at_byte == one.at_byte:
            break
        pieces.append(piece)
        one = _after(one, piece, one.wrong_bytes)
    return pieces


def _after(one: Import, piece: Piece, wrong_bytes: int) -> Import:
    return msgspec.structs.replace(one, at_byte=piece.at_byte, lines=piece.lines, wrong_bytes=wrong_bytes)


async def _bring_in(rt: "Runtime", one: Import, pieces: list[Piece]) -> None:
    """Pieces that follow each other wait for the writer together. Behind one that fails the others do nothing, for the
    job is not where they begin; that one is then stored row by row, and the next run goes on from there."""
    befores, waiting = list[Import](), []
    for piece in pieces:
        size = await asyncio.to_thread(_keep_wrong, wrong_path(rt, one.id), one, piece.wrong)
        waiting.append(rt.db.bulk(_store, one, piece, size, len(piece.wrong), None))
        befores.append(one)
        one = _after(one, piece, size)
    for before, piece, done in zip(
        befores, pieces, await asyncio.gather(*waiting, return_exceptions=True), strict=True
    ):
        if isinstance(done, ParleyError | Violation):
            return await _row_by_row(rt, before, piece)
        if isinstance(done, BaseException):
            raise done


async def _row_by_row(rt: "Runtime", one: Import, piece: Piece) -> None:
    stored, wrong = await sheets.one_by_one(rt.db, piece.rows)
    late = [(why, ["", why.text]) for why in wrong]
    size = await asyncio.to_thread(_keep_wrong, wrong_path(rt, one.id), one, [*piece.wrong, *late])
    await rt.db.bulk(_store, one, piece, size, len(piece.wrong) + len(late), stored)


def _keep_wrong(path: Path, one: Import, wrong: list[tuple[Wrong, list[str]]]) -> int:
    """Write rows that do not fit behind those of the commits before; what a run that was killed left behind goes.
    Returns the size of the file."""
    if not wrong:
        return one.wrong_bytes
    text = io.StringIO()
    out = csv.writer(text)
    if not one.wrong_bytes:
        out.writerow(["line", "why", *decoded(one.columns)])
    for why, cells in wrong:
        out.writerow([why.number, str(why.why), *map(sheets.guarded, cells)])
    with open(open_private(path), "r+b") as file:
        file.truncate(one.wrong_bytes)
        file.seek(one.wrong_bytes)
        file.write(text.getvalue().encode())
        size = file.tell()
    sync_file(path)
    return size


async def wrong_rows(rt: "Runtime", one: Import) -> AsyncIterator[str]:
    """The file of the rows that did not fit, as far as it was committed, in pieces of whole lines or parts of them."""
    left = one.wrong_bytes
    with wrong_path(rt, one.id).open("rb") as file:
        text = codecs.getincrementaldecoder("utf-8")()
        while left > 0 and (piece := await asyncio.to_thread(file.read, min(left, 65_536))):
            left -= len(piece)
            yield text.decode(piece)


def remove(rt: "Runtime", id: int) -> None:
    for path in (path_of(rt, id), wrong_path(rt, id)):
        path.unlink(missing_ok=True)


async def sweep(rt: "Runtime") -> None:
    """What is older than a week goes, and files that belong to nothing."""
    for id in await rt.db.bulk(_sweep):
        remove(rt, id)


def given_up(tx: Tx, job: Job, _said: str) -> None:
    """It failed too often: somebody may let it go on."""
    _ended(tx, int(job.subject), "failed")


def decoded(text: str) -> list[str]:
    return msgspec.json.decode(text, type=list[str])


# ---- units of work --------------------------------------------------------------------------------------------------


def _new_id(tx: Tx) -> int:
    return tx.new_id()


def _add(tx: Tx, id: int, user_id: int | None, name: str, size: int, columns: list[str], at: int, by: str) -> None:
    tx.run(
        store.INSERT, id=id, user_id=user_id, name=name, size=size, delimiter=by, columns=people.encoded(columns),
        mapping=people.encoded(suggested(columns)), at_byte=at, lines=1, now=tx.now,
    )  # fmt: skip


def _begin(tx: Tx, id: int, mapping: str) -> None:
    if not tx.run(store.BEGIN, id=id, mapping=mapping):
        raise Conflict(N_("It has begun already."))
    tx.run(
        job_rows.REPLACE, id=tx.new_id(), kind=KIND, subject=str(id), payload="{}", due_at=tx.now, now=tx.now,
        conversation_id=None, lane="net",
    )  # fmt: skip


def _drop(tx: Tx, id: int) -> None:
    tx.run(store.DROP, id=id)
    tx.run(job_rows.CANCEL, kind=KIND, subject=str(id))


def _store(tx: Tx, one: Import, piece: Piece, wrong_bytes: int, wrong: int, stored: Stored | None) -> None:
    """Rows and how far the job is; nothing if another run did it, or it was deleted. `stored`: the rows are there
    already."""
    if tx.run(
        store.WORKED_OFF, id=one.id, at_byte=piece.at_byte, lines=piece.lines, wrong=wrong, wrong_bytes=wrong_bytes,
        from_byte=one.at_byte,
    ):  # fmt: skip
        done = sheets.store_rows(tx, piece.rows) if stored is None else stored
        tx.run(store.COUNT, id=one.id, made=done.made, changed=done.changed)


def _ended(tx: Tx, id: int, state: str) -> None:
    tx.run(store.ENDED, id=id, state=state, now=tx.now)


def _sweep(tx: Tx) -> list[int]:
    old = tx.all(store.OLD, before=tx.now - KEPT)
    for id in old:
        _drop(tx, id)
    return old
