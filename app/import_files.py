"""A file of contacts to bring in: what its columns seem to be, and its rows from any byte on. Knows no database."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from app import people, sheets
from app.errors import Invalid
from app.said import N_, Sentence
from app.sheets import KNOWN, OURS, Row, Wrong
from app.store.imports import Import

LOOKED_AT: Final = 1000  # rows of a preview
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


def opened(path: Path) -> tuple[int, list[str], int, str]:
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
