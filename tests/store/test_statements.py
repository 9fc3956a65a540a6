"""Every statement of the product, prepared on the database under test; none reads a growing table from end to end.

A statement that may is listed with its reason; a reason that no statement needs any more fails too.
"""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import app.store
from app.db import Query, Statement, journal, rows
from app.db.postgres_link import Address
from tests.databases import Schemas, chosen
from tests.store import filled
from tests.store.filled import DAY, END, START, identity
from tests.store.planner import Params, Plan, Planner, Postgres, Sqlite

SMALL_OUTBOX = "the outbox holds what is not settled yet, next to nothing while the network takes messages"
REMOVAL = f"once, when a channel is removed; {SMALL_OUTBOX}"
EXCEPTIONS = {
    "sqlite": {
        "channel_pages.STAKES": REMOVAL,
        "channels.FAIL_QUEUED": REMOVAL,
        "outbox.DROP_CHANNEL": REMOVAL,
        "events.OLDEST": "the first row in the order of the primary key, and no other",
        "events.NEWEST": "the last row in the order of the primary key, and no other",
        "events.OLD": "the inner select ends after 500 rows in the order of the primary key",
        "outbox.COUNTS": f"a number on Home; {SMALL_OUTBOX}",
        "outbox.ORPHANS": f"once, at start; {SMALL_OUTBOX}",
    },
    "postgres": {
        "outbox.COUNTS": f"a number on Home; {SMALL_OUTBOX}",
        "outbox.ORPHANS": f"once, at start; {SMALL_OUTBOX}",
        "channel_pages.STAKES": REMOVAL,
        "channels.FAIL_QUEUED": REMOVAL,
        "outbox.DROP_CHANNEL": REMOVAL,
    },
}

Asked = Query[object] | Statement


def modules() -> list[tuple[str, dict[str, object]]]:
    found = [
        (module.name, vars(importlib.import_module(f"app.store.{module.name}")))
        for module in pkgutil.iter_modules(app.store.__path__)
    ]
    return [*found, ("journal", vars(journal))]


def statements() -> dict[str, Asked]:
    """By module and name; one that several modules import is listed once."""
    found = {
        id(value): (f"{module}.{name}", value)
        for module, values in modules()
        for name, value in values.items()
        if isinstance(value, Query | Statement)
    }
    listed: dict[str, Asked] = dict(found.values())
    alone = {
        f"{name}, alone": Statement(one.alone)
        for name, one in listed.items()
        if isinstance(one, Statement) and one.alone
    }
    return listed | alone | {"journal.SET_MARK": Statement(journal.SET_MARK)}


# ---- typical values -------------------------------------------------------------------------------------------------

MIDDLE = identity(filled.ROWS // 2)
IDS = {"id", "contact_id", "conversation_id", "message_id", "turn_id", "gone", "after", "last_id", "from", "before_id",
       "merge_id", "from_id", "to_id", "id_from", "keep_id", "gone_id"}  # fmt: skip
TIMES = {
    "now", "at", "until", "expires_at", "due_at", "sent_at", "heard_at", "waiting_since", "last_at", "before_at",
    "taken_at", "closed_at", "first_at", "created_at",
}  # fmt: skip
HOUR = 3_600_000
NUMBERS: Params = {
    "assigned_to": 1, "attempts": 1, "before": START + DAY, "besides": 4, "blocked_until": END, "body": b"{}",
    "bot_id": 1, "channel_id": 1, "count": 1, "counted": 1, "disabled_at": END, "down_at": 0, "down_id": 0,
    "concern": 1, "draft_by": 1, "entered_at": START, "failures": 1, "fetched_at": START, "free_until": START,
    "family": 1, "first": identity(filled.ROWS - 100), "idle_since": START,
    "invited_by": 1, "named": 0, "rank": 1, "seen_at": END,
    "keep": identity(7), "last": 100, "last_heard": START, "length": 1,
    "limit": 50, "longest": 1, "many": 100,
    "number": 1, "place": 1, "places": 1, "position": 1, "previous_id": 1, "published_at": END, "rate": 80.0,
    "revision": 1, "seq": 50, "slice": START // HOUR, "hour": START // HOUR,
    "shift": 1, "since": END - DAY, "size": 1, "step": 0, "to": 2**62, "to_at": END, "taken_by": 1, "team_id": 1,
    "duration": 7000, "height": 600, "width": 800, "day": START // HOUR,
    "at_byte": 1, "from_byte": 1, "lines": 1, "made": 1, "changed": 1, "wrong": 1, "wrong_bytes": 1,
    "opted_out_at": END, "took_ms": 1, "took_us": 1, "unread": 1, "user_id": 1, "version_id": 1, "webhook_id": 1,
}  # fmt: skip
TEXTS = {
    "answered": '%"event":"call"%', "called": '%"effect":"call"%',
    "field": "account_update", "host": "host3", "kind": "wa_id", "lane": "turn", "mode": "waiting",
    "name": "Contact 500", "name_end": "Contact 501", "pattern": "%handoff%", "phone": "165055000",
    "phone_end": "165055001", "provider_id": "wamid.5000",
    "reason": "malformed", "sha256": "hash5000", "state": "queued", "status": "read", "tag": "tag7", "thread": "",
    "value": "165055000",
}  # fmt: skip
HOURS: Params = {"since": (END - DAY) // HOUR, "until": END // HOUR}
SLICE: Params = {"first": identity(filled.ROWS - 100), "last": identity(filled.ROWS - 90)}
SPECIAL: dict[str, Params] = {
    **{f"statistics.{name}": HOURS for name in ("TOTALS", "HOURLY", "CHANNELS", "RECENT", "STALEST")},
    **{
        f"statistics.{name}": SLICE
        for name in (
            "MESSAGES",
            "STATUSES",
            "FAILURES",
            "RULES",
            "MISSES",
            "CHATS",
            "ALONE",
            "BOT_WAITS",
            "PERSON_WAITS",
        )
    },
    "statistics.PUT": {"value": 1},
    "threads.PAGE": {"at": START + DAY, "before": MIDDLE},
    "users.DELETE_LOGINS": {"keep": "none"},
    "webhooks.OUTCOME": {"status": 200},
}


def typical(name: str, sql: str) -> Params:
    """A value for every parameter, as the product would give it; a text where nothing is said."""
    wanted = set(re.findall(r"(?<![:\w'\"]):([A-Za-z_]\w*)", sql))
    values = TEXTS | NUMBERS | dict.fromkeys(IDS, MIDDLE) | dict.fromkeys(TIMES, END) | SPECIAL.get(name, {})
    return {key: values.get(key, "x") for key in wanted}


# ---- what the planner says ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=chosen())
def planner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planner]:
    if request.param == "sqlite":
        yield Sqlite(tmp_path_factory.mktemp("filled") / "parley.db")
    else:
        schemas: Schemas = request.getfixturevalue("postgres_schemas")
        with schemas.fresh() as url, psycopg.connect(**Address(url).arguments(), autocommit=True) as connection:
            yield Postgres(connection)


def ask(planner: Planner, asked: dict[str, Asked]) -> dict[str, Plan]:
    return {name: planner.explain(one.sql, typical(name, one.sql)) for name, one in asked.items()}


@pytest.fixture(scope="module")
def plans(planner: Planner) -> list[tuple[str, Plan]]:
    """Every statement's, with statistics, and first without them where the product runs so: on SQLite."""
    first = ask(planner, statements())
    if planner.dialect == "postgres":
        return [*first.items()]
    planner.analyze()
    return [*first.items(), *ask(planner, statements()).items()]


def test_no_statement_walks_a_growing_table(planner: Planner, plans: list[tuple[str, Plan]]) -> None:
    assert len(plans) > 300
    found = {name: f"{name} walks {plan.walks}:\n{plan.text}" for name, plan in plans if plan.walks}
    allowed = EXCEPTIONS[planner.dialect]
    wrong = [text for name, text in found.items() if name not in allowed]
    assert not wrong, "\n" + "\n\n".join(wrong)
    assert not allowed.keys() - found.keys(), "exceptions that nothing needs"


@pytest.mark.parametrize(
    "sql",
    [
        "select id from message where text = :text",
        "select count(*) from conversation",
        "select id from contact order by created_at desc limit 20",
        "select m.id from turn t join message m on m.text = t.error where t.id = :id",
        "update outbox set state = 'queued' where attempts = 5",
        "delete from media where mime = 'image/gif'",
        "select id from raw_update where at > :since",
    ],
)
def test_a_statement_that_walks_is_found(planner: Planner, sql: str) -> None:
    assert ask(planner, {"wrong": Statement(sql)})["wrong"].walks


def test_every_index_of_a_growing_table_serves_a_statement(planner: Planner, plans: list[tuple[str, Plan]]) -> None:
    """One that nothing reads only makes each message dearer. What counts is SQLite, which takes an index where it
    can."""
    used = {index for _, plan in plans for index in plan.indexes}
    assert planner.dialect == "postgres" or planner.indexes() - used == set()


def test_rows_have_as_many_columns_as_what_is_made_of_them(planner: Planner) -> None:
    wrong = {}
    for name, one in statements().items():
        fields = getattr(one, "row", None)
        wanted = 1 if fields in (int, str) else len(getattr(fields, "__struct_fields__", ()))
        if wanted and (width := planner.width(one.sql, typical(name, one.sql))) != wanted:
            wrong[name] = f"{width} columns for {wanted} fields"
    assert not wrong


def test_every_statement_is_a_constant_of_its_module() -> None:
    """One made inside a function would escape this file."""
    hidden = []
    for path in sorted(Path(app.store.__path__[0]).glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inner = (part for node in tree.body if not isinstance(node, ast.Assign) for part in ast.walk(node))
        calls = (part for part in inner if isinstance(part, ast.Call) and isinstance(part.func, ast.Name))
        hidden += [f"{path.name}:{call.lineno}" for call in calls if call.func.id in ("Query", "Statement")]
    assert not hidden


def test_S13_every_read_can_be_narrowed_to_channels_and_none_reads_around_it(planner: Planner) -> None:
    """`db/rows.py` writes into the statements; here each is understood by the database after that."""
    tables = "|".join(rows.SEEN)
    listed = re.compile(rf"\bfrom\s+[\w\s]*,\s*({tables})\b", re.IGNORECASE)
    for name, one in statements().items():
        if isinstance(one, Query) and one.sql.lstrip().lower().startswith(("select", "with")):
            planner.explain(rows.narrow(one.sql, frozenset({1, 2})), typical(name, one.sql))
            assert not listed.search(one.sql), f"{name} names a table behind a comma"
    narrowed = rows.narrow("select 1 from message m join contact on m.id = contact.id where m.id = 1", frozenset({5}))
    assert "from (select * from message where channel_id in (5)) as m join (select * from contact where" in narrowed
