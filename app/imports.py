"""Contacts from files of any size, brought in by a job that a restart does not stop.

A file is taken in and looked at first; then somebody says what each column is and begins. Some hundred rows and how far
the job is are one commit, so every row is brought in once whatever happens to the machine. Rows that do not fit are
kept in a file of their own beside it. Nothing but some thousand rows is ever in memory. What was brought in is deleted
with the last row, everything else after a week.
"""

import asyncio
import codecs
import csv
import io
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from app import audit, people, sheets
from app.db import Database, Tx, Violation
from app.errors import Conflict, Invalid, NotFound, ParleyError
from app.jobs import Ending, Later
from app.models import Job
from app.said import N_, Sentence
from app.sheets import KNOWN, OURS, Row, Stored, Wrong
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
LOOKED_AT: Final = 1000  # rows of a preview
RUN: Final = 2.0  # seconds of one run of the job
KEPT: Final = 7 * 86_400_000
LONGEST_LINE: Final = 1_000_000
SAMPLE: Final = 5
MOST_COLUMNS: Final = 100


class Piece(NamedTuple):
    """Some rows of a file, and the byte and line behind them. `wrong`: with their cells."""

    rows: list[Row]
    wrong: list[tuple[Wrong, list[str]]]
    at_byte: int
    lines: int


class Look(NamedTuple):
    """What the first rows would do."""

    sample: list[Row]
    fit: int
    wrong: list[Wrong]
    more: bool


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
        size, header, begin, delimiter = await asyncio.to_thread(_open, path)
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


def _open(path: Path) -> tuple[int, list[str], int, str]:
    """Size, columns, where the rows begin, and what separates cells. The whole file is read once as UTF-8."""
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            for raw in iter(lambda: file.readline(LONGEST_LINE), b""):
                raw.decode("utf-8")
        except UnicodeDecodeError:
            if len(raw) == LONGEST_LINE:
                raise wrong_file(N_("A line is longer than anything that could be a contact.")) from None
            raise wrong_file(N_("The file is not UTF-8. Save it as “CSV UTF-8” and try again.")) from None
        file.seek(0)
        first = file.readline(LONGEST_LINE).decode("utf-8-sig").replace("\0", "")
        begin = file.tell()
    delimiter = max(",;\t", key=first.count)
    header = next(csv.reader([first], delimiter=delimiter), [])
    if not any(cell.strip() for cell in header) or len(header) > MOST_COLUMNS:
        raise wrong_file(N_("The first line must name the columns, at most {n}.", n=MOST_COLUMNS))
    return size, [" ".join(cell.split())[:100] for cell in header], begin, delimiter


def wrong_file(said: Sentence) -> Invalid:
    return Invalid(said, fields={"file": said})


def suggested(columns: list[str]) -> list[str]:
    """What each column seems to be: one of `KNOWN`, the name of a field, or '' to leave it out."""
    found: list[str] = []
    for name in map(sheets.column, columns):
        fits = name in KNOWN or (name not in OURS and people.is_field(name))
        found.append(name if fits and name not in found else "")
    return found


def checked(columns: list[str], mapping: list[str]) -> list[str]:
    """Raises `Invalid` unless each column is something, none twice, and one is the number."""
    wrong = None
    if len(mapping) != len(columns):
        wrong = N_("Say for each of the {n} columns what it is.", n=len(columns))
    elif "phone" not in mapping:
        wrong = N_("One column must be the phone number.")
    used = [name for name in mapping if name]
    for name in used:
        if used.count(name) > 1:
            wrong = N_("Two columns cannot both be “{name}”.", name=name[:100])
        if name not in KNOWN and not people.is_field(name):
            wrong = N_("The name of a field has letters, digits and _, and begins with a letter.")
    if wrong is not None:
        raise Invalid(wrong, fields={"mapping": wrong})
    return mapping


# ---- reading --------------------------------------------------------------------------------------------------------


class _Lines:
    """The lines of a file from a byte on, counted as they are taken."""

    def __init__(self, file: io.BufferedReader, at_byte: int, lines: int) -> None:
        self.file, self.at_byte, self.lines = file, at_byte, lines
        file.seek(at_byte)

    def __iter__(self) -> Iterator[str]:
        while raw := self.file.readline(LONGEST_LINE):
            self.at_byte += len(raw)
            self.lines += 1
            yield raw.decode("utf-8", "replace").replace("\0", "")


def read(path: Path, one: Import, mapping: list[str], most: int) -> Piece:
    """The next rows, each checked. A piece without any is the end."""
    piece = Piece([], [], one.at_byte, one.lines)
    fields = [name for name in mapping if name and name not in KNOWN]
    with path.open("rb") as file:
        lines = _Lines(file, one.at_byte, one.lines)
        reader = csv.reader(lines, delimiter=one.delimiter)
        while len(piece.rows) + len(piece.wrong) < most:
            number = lines.lines + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                said = N_("Line {line} cannot be read: {problem}.", line=number, problem=str(error))
                piece.wrong.append((Wrong(number, "", said), []))
                reader = csv.reader(lines, delimiter=one.delimiter)
                continue
            if cells is None:
                break
            if any(cell.strip() for cell in cells):
                named = {name: sheets.plain(cell) for name, cell in zip(mapping, cells, strict=False) if name}
                found = sheets.row_of(number, fields, named)
                if isinstance(found, Row):
                    piece.rows.append(found)
                else:
                    piece.wrong.append((found, cells))
        return piece._replace(at_byte=lines.at_byte, lines=lines.lines)


def look(path: Path, one: Import, mapping: list[str]) -> Look:
    piece = read(path, one, mapping, LOOKED_AT)
    wrong = [why for why, _cells in piece.wrong]
    return Look(piece.rows[:SAMPLE], len(piece.rows), wrong, piece.at_byte < one.size)


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
