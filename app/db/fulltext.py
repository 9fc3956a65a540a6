"""Full-text search in the words of each database: FTS5 on SQLite, tsvector on Postgres.

A statement says `message_word match :wanted`, with the table's alias `w`. Both are given words that are ready
(`app.words`) and never read a text themselves, so both find the same; and since such a word holds letters and digits
only, nothing that somebody types can be an operator.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Phrase(NamedTuple):
    """Words that stand one after the other; `prefix`: of the last one only the beginning is known."""

    words: tuple[str, ...]
    prefix: bool = False


# All of these, each in one way or another.
Wanted = Sequence[Sequence[Phrase]]


def indexed(dialect: str, words: Sequence[str]) -> str:
    if dialect == "sqlite":
        return " ".join(words)
    return " ".join(f"'{word}':{place}" for place, word in enumerate(words, 1))


def wanted(dialect: str, all_of: Wanted) -> str:
    phrase, both, either = (_fts5, " AND ", " OR ") if dialect == "sqlite" else (_tsquery, " & ", " | ")
    return both.join(f"({either.join(map(phrase, ways))})" for ways in all_of)


def _fts5(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.words)}"{" *" if phrase.prefix else ""}'


def _tsquery(phrase: Phrase) -> str:
    return " <-> ".join(f"'{word}'" for word in phrase.words) + (":*" if phrase.prefix else "")
