"""One connection to Postgres: the same SQL text, the same types as on SQLite, and what its errors mean."""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import errors as pg
from psycopg.adapt import AdaptersMap
from psycopg.types.numeric import Int8Dumper

from app.db.errors import Broken, DatabaseError, Full, Locked, Violation

CONNECT_TIMEOUT = 2  # s
LOCK_TIMEOUT = 2400  # ms; callers are promised an answer within 2.5 s
# What a unit survives by running again: nothing of it was committed.
REPEATABLE = (pg.SerializationFailure, pg.DeadlockDetected, pg.AdminShutdown, pg.CrashShutdown, pg.CannotConnectNow)

_TOKEN = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|::)|:([A-Za-z_]\w*)|(%)", re.DOTALL)
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@lru_cache(maxsize=4096)
def translate(sql: str) -> str:
    """`:name` becomes `%(name)s`. Quotes, comments and casts keep their colons; every `%` is doubled. Asking for words
    is the one condition that the two databases write differently."""

    def token(match: re.Match[str]) -> str:
        kept, name, percent = match.groups()
        return f"%({name})s" if name else "%%" if percent else kept.replace("%", "%%")

    return _TOKEN.sub(token, sql.replace("message_word match :wanted", "w.words @@ cast(:wanted as tsquery)"))


class _Whole(Int8Dumper):
    """Every int as bigint, True and False as 1 and 0: one prepared statement a text, and no booleans in the schema."""

    def dump(self, obj: Any) -> bytes:
        return str(int(obj)).encode()


def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(psycopg.adapters)
    adapters.register_dumper(int, _Whole)
    adapters.register_dumper(bool, _Whole)
    return adapters


ADAPTERS = _adapters()


class Address:
    """`postgresql://…?schema=name`: the schema is ours, the rest is libpq's. Shown without its password."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.schema = query.pop("schema", None)
        if self.schema is not None and not _SCHEMA.fullmatch(self.schema):
            raise DatabaseError(f"{self.schema} cannot be the name of a schema.", code="wrong_address")
        self._options = query.pop("options", "")
        self.url = urlunsplit(parts._replace(query=urlencode(query)))
        self.shown = f"{parts.hostname or 'local'}{parts.path}"

    def place(self, schema: str, *, encrypted: bool) -> str:
        """The URL of another schema, for a program that does not negotiate encryption as libpq does: it is told what
        came of that."""
        parts = urlsplit(self.url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        query = {"sslmode": "require" if encrypted else "disable"} | query | {"search_path": schema}
        return urlunsplit(parts._replace(query=urlencode(query)))

    def arguments(self, *, read_only: bool = False) -> dict[str, Any]:
        """For `psycopg.connect`; the same for its asynchronous kind."""
        settings = {"synchronous_commit": "on", "lock_timeout": str(LOCK_TIMEOUT), "client_encoding": "UTF8"}
        if self.schema:
            settings["search_path"] = self.schema
        if read_only:
            settings["default_transaction_read_only"] = "on"
        options = " ".join([self._options, *(f"-c {name}={value}" for name, value in settings.items())])
        return {
            "conninfo": self.url,
            "options": options.strip(),
            "connect_timeout": CONNECT_TIMEOUT,
            "tcp_user_timeout": 10_000,
            "application_name": f"parley.{self.schema}" if self.schema else "parley",
            "prepare_threshold": 0,
            "context": _Context(),
        }

    def connect(self, *, autocommit: bool = False) -> psycopg.Connection[Any]:
        """A connection that may write. Raises psycopg.Error."""
        return psycopg.connect(**self.arguments(), autocommit=autocommit)

    async def connect_reader(self) -> psycopg.AsyncConnection[Any]:
        """A connection that only reads. Raises psycopg.Error."""
        return await psycopg.AsyncConnection.connect(**self.arguments(read_only=True), autocommit=True)


class _Context:
    """Gives new connections our adapters."""

    adapters = ADAPTERS
    connection = None


def explain(error: psycopg.Error) -> Exception:
    """In the words of `app.db.errors`; a statement's own fault stays what it is."""
    meaning: Exception = error
    if isinstance(error, pg.DiskFull):
        meaning = Full()
    elif isinstance(error, pg.LockNotAvailable | pg.DeadlockDetected | pg.SerializationFailure):
        meaning = Locked("The rows are in use for too long.")
    elif isinstance(error, pg.IntegrityError):
        meaning = Violation(str(error).partition("\n")[0])
    elif isinstance(error, psycopg.InterfaceError | psycopg.InternalError) or _server_fails(error):
        meaning = Broken()
    if meaning is not error:
        meaning.__cause__ = error
    return meaning


def _server_fails(error: psycopg.Error) -> bool:
    """No connection, out of resources, shutting down, read-only after a fail-over."""
    state = error.sqlstate
    if isinstance(error, psycopg.OperationalError) and state is None:
        return True
    return state is not None and (state[:2] in {"08", "53", "57", "58", "XX"} or state == "25006")
