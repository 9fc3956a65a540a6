"""Contacts as a CSV file: written in pages by key, and read with every row checked before anything is stored.

Columns are `phone`, `name`, `language`, `tags` (by comma) and `opted_out` (yes or no); in a file that is read, every
other column is a field of the contact. A cell that a spreadsheet would take for a formula is written with a ' before
it, which reading takes away again.
"""

import csv
import io
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import msgspec

from app import audit, people
from app.db import Database, Reader, Tx, Violation
from app.errors import Invalid, ParleyError
from app.said import N_, Sentence
from app.sending import digits
from app.store import contacts, tags
from app.store import people as store

PAGE: Final = 500
UNIT: Final = 200  # rows stored in one unit
MOST: Final = 10_000
LARGEST: Final = 900_000
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
KNOWN: Final = ("phone", "name", "language", "tags", "opted_out")
OURS: Final = ("id", "username", "fields", "created_at")  # written, and not read
# What address books call them, in the languages that the dashboard's users write in.
NAMES: Final = {
    alike: name
    for name, others in {
        "phone": "number telephone mobile cell tel whatsapp phone_number mobile_number telefon telefonnummer handy "
        "mobil telefone celular telefono teléfono móvil movil téléphone portable هاتف الهاتف telepon",
        "name": "full_name display_name nome nombre nom الاسم nama",
        "language": "lang sprache idioma língua langue bahasa",
        "tags": "tag labels label etiquetas étiquettes schlagworte",
        "opted_out": "opted",
    }.items()
    for alike in others.split()
}
YES: Final = frozenset({"yes", "y", "true", "1"})
COLUMNS: Final = ("id", "phone", "name", "username", "language", "tags", "opted_out", "created_at", "fields")


# ---- written --------------------------------------------------------------------------------------------------------


async def written(db: Reader, tag: str = "") -> AsyncIterator[str]:
    """The file in pieces of some hundred rows; only one piece is in memory. `tag`: only who has it."""
    yield line(COLUMNS)
    before = 2**62
    while rows := await (
        db.all(store.TAGGED, tag=tag, before=before, limit=PAGE)
        if tag
        else db.all(store.PEOPLE, before=before, limit=PAGE)
    ):
        yield "".join(line(cells(row)) for row in rows)
        before = rows[-1].id


def cells(row: store.Person) -> tuple[str, ...]:
    return (
        str(row.id), row.phone, row.name, row.username, row.language, ", ".join(people.decoded(row.tags)),
        "yes" if row.opted_out_at else "no", str(row.created_at), row.fields,
    )  # fmt: skip


def line(values: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([guarded(value) for value in values])
    return out.getvalue()


def guarded(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA) else value


def plain(value: str) -> str:
    value = value.strip()
    return value[1:] if value.startswith("'") and value[1:].startswith(FORMULA) else value


# ---- read -----------------------------------------------------------------------------------------------------------


class Row(msgspec.Struct, frozen=True):
    """One row that fits. `number` is its line in the file, `phone` digits."""

    number: int
    phone: str
    change: people.Change


class Wrong(msgspec.Struct, frozen=True):
    """One row that does not, and why."""

    number: int
    text: str
    why: Sentence


class Sheet(msgspec.Struct, frozen=True):
    """A file that was read. `fields`: columns that become fields; `ignored`: columns that are left out."""

    rows: list[Row]
    wrong: list[Wrong]
    fields: list[str]
    ignored: list[str]


class Stored(msgspec.Struct, frozen=True):
    made: int
    changed: int


def decode(data: bytes) -> str:
    """Raises `Invalid` for a file that is too large or no text."""
    if len(data) > LARGEST:
        raise Invalid(N_("The file is too large: at most {n} kB at a time.", n=LARGEST // 1000))
    try:
        return data.decode("utf-8-sig").replace("\0", "")
    except UnicodeDecodeError:
        raise Invalid(N_("The file is not UTF-8. Save it as “CSV UTF-8” and try again.")) from None


def read(text: str) -> Sheet:
    """Every row checked. Raises `Invalid` for a file without a phone column, or with more rows than are read."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    lines = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        header = [column(name) for name in next(lines, [])]
        if "phone" not in header:
            raise Invalid(N_("The first line must name the columns, and one of them must be “phone”."))
        fields = [name for name in header if name not in KNOWN + OURS and re.fullmatch(people.FIELD_NAME, name)]
        ignored = [name for name in header if name and name not in KNOWN and name not in fields]
        sheet = Sheet([], [], fields, ignored)
        for cells in lines:
            if any(cell.strip() for cell in cells):
                add(sheet, lines.line_num, dict(zip(header, map(plain, cells), strict=False)))
    except csv.Error as error:
        raise Invalid(N_("Line {line} cannot be read: {problem}.", line=lines.line_num, problem=str(error))) from None
    return sheet


def column(name: str) -> str:
    found = re.sub(r"\W+", "_", name.strip()).strip("_")
    folded = found.casefold()
    return NAMES.get(folded, folded if folded in KNOWN + OURS else found)


def add(sheet: Sheet, number: int, cells: dict[str, str]) -> None:
    if len(sheet.rows) + len(sheet.wrong) >= MOST:
        raise Invalid(N_("At most {n} rows at a time: split the file.", n=MOST))
    found = row_of(number, sheet.fields, cells)
    if isinstance(found, Row):
        sheet.rows.append(found)
    else:
        sheet.wrong.append(found)


def row_of(number: int, fields: list[str], cells: dict[str, str]) -> "Row | Wrong":
    """A row of a file, checked. `fields`: names in `cells` that are fields of the contact."""
    try:
        return Row(number, digits(cells.get("phone", "")), people.checked(wanted(fields, cells)))
    except Invalid as error:
        return Wrong(number, cells.get("phone", ""), next(iter(error.fields.values()), error.said))


def wanted(fields: list[str], cells: dict[str, str]) -> people.Change:
    """What the row says; an empty cell says nothing."""
    out = cells.get("opted_out", "").casefold()
    tags = people.tags_of(cells.get("tags", ""))
    filled: dict[str, Any] = {name: cells[name] for name in fields if cells.get(name)}
    return people.Change(
        cells.get("name") or None, cells.get("language") or None, tags or None, filled or None,
        out in YES if out else None,
    )  # fmt: skip


def store_rows(tx: Tx, rows: Sequence[Row]) -> Stored:
    """Make who is not there, complete who is: tags are added, and names and fields replaced. A number that comes twice
    is made once and completed then."""
    owners = contacts.owners_of_phones(tx, [row.phone for row in rows])
    new: dict[str, Row] = {}
    there = []
    for row in rows:
        if row.phone in owners or row.phone in new:
            there.append(row)
        else:
            new[row.phone] = row
    owners |= _make(tx, list(new.values()))
    for row in there:
        _complete(tx, owners[row.phone], row.change)
    return Stored(len(new), len(there))


def _make(tx: Tx, rows: list[Row]) -> dict[str, int]:
    """New contacts, a statement for all of them at a time."""
    made, marked, owners = [], [], dict[str, int]()
    for row in rows:
        change, id = row.change, tx.new_id()
        has = list(dict.fromkeys(change.tags or ()))
        fields = {name: value for name, value in (change.fields or {}).items() if value is not None}
        people.check(has, fields)
        made.append({
            "id": id, "phone": row.phone, "name": change.name or "", "language": change.language or "",
            "tags": people.encoded(has), "fields": people.encoded(fields), "now": tx.now,
            "opted_out_at": tx.now if change.opted_out else None,
        })  # fmt: skip
        owners[row.phone] = id
        marked += [{"tag": tag, "contact_id": id} for tag in has if len(tag) <= tags.LONGEST]
    tx.many(contacts.INSERT_WHOLE, made)
    tx.many(contacts.CLAIM_PHONE, made)
    if marked:
        tx.many(tags.ADD, marked)
    return owners


def _complete(tx: Tx, contact_id: int, change: people.Change) -> None:
    had = people.decoded(people.get(tx, contact_id).tags)
    both = None if change.tags is None else (*had, *change.tags)
    people.change(tx, contact_id, msgspec.structs.replace(change, tags=both))


async def bring_in(db: Database, sheet: Sheet) -> tuple[Stored, list[Wrong]]:
    """Store all rows that fit, some hundred at a time. Returns what was done, and the rows that did not fit what was
    there already."""
    made, changed, wrong = 0, 0, list[Wrong]()
    for start in range(0, len(sheet.rows), UNIT):
        part = sheet.rows[start : start + UNIT]
        try:
            stored = await db.bulk(store_rows, part)
        except (ParleyError, Violation):
            stored, late = await one_by_one(db, part)
            wrong += late
        made, changed = made + stored.made, changed + stored.changed
    line = audit.entry("contact.imported", detail=f"{made} made, {changed} changed")
    await db.write(audit.write, line)
    return Stored(made, changed), wrong


async def one_by_one(db: Database, rows: Sequence[Row]) -> tuple[Stored, list[Wrong]]:
    """Each row on its own, where one of them does not fit what is there."""
    made, changed, wrong = 0, 0, list[Wrong]()
    for row in rows:
        try:
            stored = await db.bulk(store_rows, [row])
            made, changed = made + stored.made, changed + stored.changed
        except ParleyError as error:
            wrong.append(Wrong(row.number, row.phone, error.said))
    return Stored(made, changed), wrong
