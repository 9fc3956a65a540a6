"""The direction of dependencies, read from the imports. A failure prints the offending line.

routes, cli → inbox outbox jobs channels campaigns … → bot (pure), store → db
connectors → connectors.base, models, errors
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).parent.parent / "app"
FILES = sorted(APP.rglob("*.py"))

# Frozen structs and errors: all that the bot and the connectors know of the rest.
WORDS = {"capabilities", "content", "errors", "models", "said", "template", "template_fit"}
# Import nothing of ours above them; everyone but the bot and the connectors may import them.
LEAVES = WORDS | {"clock", "events", "settings", "system", "version"}
PACKAGES = {"bot", "connectors", "db", "routes", "security", "store"}
WIRING = {"dashboard", "runtime", "serving", "web", "__main__"}
# Everything else directly in app/ is a noun of the product: inbox, outbox, jobs, channels…
ALLOWED: dict[str, set[str]] = {
    "leaf": LEAVES,
    "db": {"db"} | LEAVES,
    "store": {"store", "db"} | LEAVES,
    "bot": {"bot"} | WORDS,
    # A linked device has files of its own: its keys, and what it heard last.
    "connectors": {"connectors", "system"} | WORDS,
    "server": {"security"} | LEAVES,
    "security": {"security", "store", "db"} | LEAVES,
    "noun": {"noun", "bot", "store", "db", "security", "connectors"} | LEAVES,
    "routes": {"routes", "noun", "bot", "store", "db", "security", "connectors"} | LEAVES,
    "cli": {"cli", "noun", "bot", "store", "db", "security", "connectors", "server"} | WIRING | LEAVES,
}
# Above the connectors, only the contract, its table of states and the registry are known, never one network.
OUTSIDE_CONNECTORS = {f"app.connectors{part}" for part in ("", ".abilities", ".account", ".base", ".states")}
IO_MODULES = set(
    "asyncio concurrent http io multiprocessing os pathlib random secrets select shutil signal socket sqlite3 ssl "
    "subprocess sys tempfile threading time urllib "
    "aiosqlite anyio apsw httpx psycopg pyreqwest sqlite_utils starlette uvicorn websockets".split()
)
HTTP_PLACES = {"routes", "security", "web", "server"}
SQL = re.compile(
    r"\s*(select\s.+\sfrom\s|insert\s+(or\s+\w+\s+)?into\s|update\s+\w+\s+set\s|delete\s+from\s|with\s+(recursive\s+)?\w+\s+as\s*\("
    r"|(create|alter|drop)\s+(unique\s+)?(table|index|trigger|view)\s|pragma\s+\w+)",
    re.IGNORECASE | re.DOTALL,
)


def layer(module: str) -> str:
    """`app.store.messages` is in `store`, `app.inbox` is a noun; leaves, packages and wiring go by their own names."""
    name = module.split(".")[1] if "." in module else "app"
    known = PACKAGES | LEAVES | WIRING | {"cli", "server"}
    return name if name in known else "noun"


def imports(nodes: list[ast.AST], module: str) -> Iterator[tuple[int, str, bool]]:
    """Line, full module name, and whether it is for the type checker alone."""
    typing_only = {
        id(child)
        for node in nodes
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for child in ast.walk(node)
    }
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, id(node) in typing_only) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*module.split(".")[: -node.level], *filter(None, [base])])
            for alias in node.names:
                # `from app import inbox` names a module, `from app.inbox import receive` a thing in one.
                deeper = f"{base}.{alias.name}"
                yield node.lineno, deeper if is_module(deeper) else base, id(node) in typing_only


def is_module(name: str) -> bool:
    path = APP.parent.joinpath(*name.split("."))
    return name.startswith("app.") and (path.with_suffix(".py").exists() or path.is_dir())


def documentation(nodes: list[ast.AST]) -> set[int]:
    """Ids of the docstring nodes."""
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = (node.body for node in nodes if isinstance(node, holders))
    return {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}


def wrong_import(place: str, module: str, target: str, typing_only: bool) -> str | None:
    """Why this import is against the rules, or None."""
    top = target.split(".")[0]
    if top != "app":
        if place == "bot" and top in IO_MODULES:
            return "the bot is pure: no I/O, clock or randomness"
        if top in {"sqlite3", "sqlite_utils"} or (top == "apsw" and place != "db"):
            return "one SQLite library opens the file: apsw, in db/"
        if top == "starlette" and place not in HTTP_PLACES:
            return "HTTP types belong to routes/, security/, web.py and server.py"
        return None
    goal = layer(target)
    if place in WIRING or target == "app" or target == module or (typing_only and goal == "runtime"):
        return None
    kind = "leaf" if place in LEAVES else place
    if goal not in ALLOWED[kind]:
        return f"{kind} may not import {goal}"
    if goal == "connectors" and place != "connectors" and target not in OUTSIDE_CONNECTORS:
        return "outside connectors/ only the contract and the registry are known"
    return None


def problems(module: str, source: str) -> list[str]:
    """Every broken rule in one file, each with its line."""
    nodes, lines, place = list(ast.walk(ast.parse(source))), source.splitlines(), layer(module)
    found = [
        (line, reason)
        for line, target, typing_only in imports(nodes, module)
        if (reason := wrong_import(place, module, target, typing_only))
    ]
    if place not in {"store", "db"}:
        docs = documentation(nodes)
        texts = (node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
        found += [
            (t.lineno, "SQL belongs to store/ and db/") for t in texts if id(t) not in docs and SQL.match(t.value)
        ]
    if place == "store":
        names = (node for node in nodes if isinstance(node, ast.Name | ast.Attribute))
        named = (node for node in names if "dialect" in (node.id if isinstance(node, ast.Name) else node.attr))
        found += [(node.lineno, "only db/ knows the dialect") for node in named]
    return [f"{module}:{line}: {reason}: {lines[line - 1].strip()}" for line, reason in sorted(set(found))]


def module_name(path: Path) -> str:
    parts = path.relative_to(APP.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_every_file_keeps_the_direction_of_dependencies() -> None:
    assert FILES
    found = [problem for path in FILES for problem in problems(module_name(path), path.read_text(encoding="utf-8"))]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("app.store.messages", "from app.inbox import receive"),
        ("app.store.messages", "if tx.dialect == 'postgres': pass"),
        ("app.db.writer", "from app.store import messages"),
        ("app.bot.decide", "import time"),
        ("app.bot.decide", "from app.store.messages import insert_message"),
        ("app.bot.decide", "from ..store import messages"),
        ("app.connectors.telegram", "from app.store.messages import insert_message"),
        ("app.connectors.telegram", "import app.events"),
        ("app.inbox", "from app.routes.hooks import receive_notification"),
        ("app.inbox", "from app.runtime import Runtime"),
        ("app.inbox", "from starlette.requests import Request"),
        ("app.inbox", "from app.connectors.telegram import Telegram"),
        ("app.inbox", "ROW = 'select id from message where id = :id'"),
        ("app.routes.inbox", "from app.web import create_app"),
        ("app.routes.inbox", "ROW = 'delete from message where id = :id'"),
        ("app.models", "from app.db import Transaction"),
        ("app.cli", "from app.routes.table import ROUTES"),
    ],
)
def test_a_line_against_the_rules_is_found(module: str, line: str) -> None:
    assert problems(module, line), line


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (
            "app.inbox",
            "from app.store import messages\nfrom app.connectors.base import Inbound",
        ),
        ("app.inbox", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from app.runtime import Runtime"),
        ("app.inbox", "TITLE = 'Select a channel'"),
        ("app.runtime", "from app.connectors.telegram import Telegram\nfrom app.store import messages"),
        ("app.routes.inbox", "from starlette.requests import Request\nfrom app import inbox"),
        ("app.store.messages", "ROW = 'select id from message where id = :id'"),
    ],
)
def test_what_the_rules_allow_passes(module: str, text: str) -> None:
    assert not problems(module, text)
