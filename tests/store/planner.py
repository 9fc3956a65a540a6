"""What each database would do for a statement: which tables it reads from end to end, and by which indexes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import apsw.ext
import msgspec
import psycopg

from app.db import migrate
from app.db.postgres_link import translate
from app.db.sqlite_file import connect, prepare
from tests.store import filled

Params = dict[str, Any]


class Plan(msgspec.Struct, frozen=True):
    """`walks`: growing tables of which every row (or every entry of an index) is looked at; `indexes`: those used."""

    walks: set[str]
    indexes: set[str]
    text: str


class Planner(Protocol):
    dialect: str

    def explain(self, sql: str, params: Params) -> Plan: ...

    def width(self, sql: str, params: Params) -> int:
        """Columns of the result. The statement runs and is taken back."""

    def indexes(self) -> set[str]:
        """Every index of a growing table that is not a constraint's."""

    def analyze(self) -> None:
        """Count what is in the tables."""


class Sqlite:
    """Without `analyze`, as the product runs, until `analyze` is called."""

    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        prepare(path, filled.START)
        self._connection = connect(path, write=True)
        self._connection.execute("begin")
        for sql in [*filled.SERIES, *filled.SMALL, *filled.GROWING.values()]:
            self._connection.execute(sql, {"body": b"{}"})
        self._connection.execute("commit")

    def analyze(self) -> None:
        self._connection.execute("analyze")

    def explain(self, sql: str, params: Params) -> Plan:
        rows = [row[3] for row in self._connection.execute(f"explain query plan {sql}", params)]
        tables = names(sql)
        walked = (re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", row) for row in rows)
        found = {tables.get(match[1], match[1]) for match in walked if match and not self._partial(match[2])}
        used = {index for row in rows for index in re.findall(r"INDEX (\w+)", row)}
        return Plan(found & filled.GROWING.keys(), used, "\n".join(rows))

    def width(self, sql: str, params: Params) -> int:
        return len(apsw.ext.query_info(self._connection, sql, params).description)

    def indexes(self) -> set[str]:
        rows = self._connection.execute("select name, tbl_name from sqlite_schema where type = 'index' and sql <> ''")
        return {name for name, table in rows if table in filled.GROWING}

    def _partial(self, index: str | None) -> bool:
        if index is None:
            return False
        [(sql,)] = self._connection.execute("select sql from sqlite_schema where name = ?", [index])
        return " where " in (sql or "")


class Postgres:
    dialect = "postgres"

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        target = _Target(self._connection)
        for migration in migrate.known():
            migrate.apply(target, migration, filled.START)
        for sql in [*filled.SERIES, *filled.SMALL, *filled.GROWING.values()]:
            self._connection.execute(translate(sql), {"body": b"{}"})
        self.analyze()
        rows = self._connection.execute("select indexname, indexdef from pg_indexes where indexdef like '% WHERE %'")
        self._partial = {name for name, _ in rows}

    def explain(self, sql: str, params: Params) -> Plan:
        [(plan,)] = self._connection.execute(translate(f"explain (format json) {sql}"), params).fetchall()
        nodes = list(walk(plan[0]["Plan"], False))
        walks = {
            node["Relation Name"]
            for node, in_order in nodes
            if node.get("Relation Name") in filled.GROWING and self._is_walk(node, in_order)
        }
        used = {node["Index Name"] for node, _ in nodes if "Index Name" in node}
        return Plan(walks, used, msgspec.json.format(msgspec.json.encode(plan)).decode())

    def width(self, sql: str, params: Params) -> int:
        with self._connection.transaction(force_rollback=True):
            return len(self._connection.execute(translate(sql), params).description or ())

    def analyze(self) -> None:
        self._connection.execute("analyze")

    def indexes(self) -> set[str]:
        rows = self._connection.execute(
            "select indexname, tablename from pg_indexes where schemaname = current_schema() and indexname not in "
            "(select conname from pg_constraint)"
        )
        return {name for name, table in rows if table in filled.GROWING}

    def _is_walk(self, node: dict[str, Any], limited: bool) -> bool:
        kind, index = node["Node Type"], node.get("Index Name")
        if kind == "Seq Scan":
            return not limited or "Filter" in node
        by_index = kind in {"Index Scan", "Index Only Scan"} and "Index Cond" not in node
        return by_index and index not in self._partial and (not limited or "Filter" in node)


class _Target:
    """Migrates over one connection, without its own transactions."""

    dialect = "postgres"

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def begin(self) -> None: ...

    def execute(self, sql: str) -> None:
        self._connection.execute(translate(sql))

    def record(self, migration: migrate.Migration, now: int) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...


def names(sql: str) -> dict[str, str]:
    """Table by alias."""
    found = re.findall(r"\b(?:from|join|update|into)\s+(\w+)(?:\s+as)?(?:\s+(\w+))?", sql)
    return {alias: table for table, alias in found if alias}


def walk(node: dict[str, Any], limited: bool) -> Iterator[tuple[dict[str, Any], bool]]:
    """Every node, and whether a limit ends it early: nothing between gathers all rows first."""
    yield node, limited
    for place, child in enumerate(node.get("Plans", [])):
        kind = node["Node Type"]
        passes = kind in {"Result", "Subquery Scan", "LockRows", "Append"} or (kind == "Nested Loop" and place == 0)
        yield from walk(child, kind == "Limit" or (limited and passes))
