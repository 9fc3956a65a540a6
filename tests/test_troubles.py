"""Errors are counted in groups without secrets (P43), and limits tell who ran into them (S14)."""

import asyncio
import logging
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from app import tokens
from app.db import Database, Query
from app.troubles import GROUPS, KEPT, Troubles, sweep
from tests.clock import ManualClock
from tests.routes.visiting import visiting

log = logging.getLogger("app.something")
TOKEN = "EAA" + "x" * 40


@pytest.fixture
def troubles(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Troubles:
    """Alone on a logger of no tree: who else listens, for the report of a failed test, writes each of 10,000 traces."""
    made, alone = Troubles(clock), logging.Logger("app.something")
    alone.addHandler(made)
    monkeypatch.setitem(globals(), "log", alone)
    return made


def fail(kind: type[Exception] = ValueError) -> None:
    try:
        raise kind(f"access_token={TOKEN} of +5511999990000 \x1b[31m")
    except kind:
        log.exception("it failed")


async def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    return await database.reader.all(Query(sql, lambda *row: row))


async def test_P43_ten_thousand_errors_are_one_group_told_once_an_hour_without_secrets(
    database: Database, troubles: Troubles, clock: ManualClock
) -> None:
    for _ in range(5):
        for _ in range(2000):
            fail()
        await troubles.write(database)
        clock.advance(10)
    [row] = await rows(database, "select kind, place, count, first_at, last_at, message, trace from error_group")
    assert row[:3] == ("ValueError", "test_troubles.py fail", 10_000)
    assert row[4] - row[3] == 40_000
    assert "it failed" in row[5] and "raise kind" in row[6]
    for text in row[5:]:
        assert TOKEN not in text and "99999" not in text and "\x1b" not in text
    await database.settled()
    told = "select count(*) from event where type = 'attention.updated'"
    assert await rows(database, told) == [(1,)]
    clock.advance(3600)
    fail()
    await troubles.write(database)
    await database.settled()
    assert await rows(database, told) == [(2,)]


async def test_groups_differ_by_kind_and_place_and_memory_is_bounded(database: Database, troubles: Troubles) -> None:
    fail()
    fail(KeyError)
    log.warning("without an exception")
    await troubles.write(database)
    assert await rows(database, "select kind from error_group order by kind") == [("KeyError",), ("ValueError",)]
    for n in range(GROUPS + 50):
        fail(type(f"Kind{n}", (Exception,), {}))
    await troubles.write(database)
    assert await rows(database, "select count(*) from error_group") == [(GROUPS + 2,)]


async def test_whoever_writes_finds_what_another_is_writing(database: Database, troubles: Troubles) -> None:
    gate = threading.Event()
    holding = asyncio.ensure_future(database.write(lambda tx: gate.wait(10)))
    fail()
    first = asyncio.ensure_future(troubles.write(database))
    await asyncio.sleep(0)  # it has what was counted, and waits for the writer
    second = asyncio.ensure_future(troubles.write(database))
    await asyncio.sleep(0.05)
    assert not second.done()
    gate.set()
    await asyncio.gather(holding, second)
    assert await rows(database, "select kind from error_group") == [("ValueError",)]
    await first


async def test_what_a_refused_write_loses_is_said(database: Database, troubles: Troubles) -> None:
    fail()
    await database.stop()
    await troubles.write(database)  # nothing raises
    await database.start()


async def test_old_groups_and_hits_leave(database: Database, troubles: Troubles, clock: ManualClock) -> None:
    fail()
    troubles.hit("login", "203.0.113.7")
    await troubles.write(database)
    assert await database.write(sweep) == 0
    clock.advance(3 * 86_400)
    assert await database.write(sweep) == 1
    clock.advance(KEPT / 1000)
    assert await database.write(sweep) == 1


async def test_a_group_is_looked_at_resolved_and_open_again_when_it_comes_again(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        troubles, db = visit.rt.troubles, visit.rt.db
        fail()
        page = (await visit.get("/settings/errors")).text
        assert "ValueError" in page and "1 time" in page and TOKEN not in page
        attention = (await visit.get("/home/attention", hx=True)).text
        assert re.findall("[^<>]*Parley itself[^<>]*", attention) == ["1 error in Parley itself"]
        group = await visit.one("select id from error_group")
        assert "raise kind" in (await visit.get(f"/settings/errors/{group}")).text
        assert "parley_errors_seen 1.0" in (await visit.get("/metrics")).text
        for state, shown in (("resolved", "open"), ("ignored", "ignored")):
            assert (await visit.post(f"/settings/errors/{group}", {"state": state})).status_code == 303
            assert "ValueError" not in (await visit.get("/settings/errors")).text
            fail()
            await troubles.write(db)
            assert await visit.one("select state from error_group") == shown
        assert "Parley itself" not in (await visit.get("/home/attention", hx=True)).text
        assert (await visit.post(f"/settings/errors/{group}", {"state": "gone"})).status_code == 404
        assert (await visit.get("/settings/errors/1")).status_code == 404
        await visit.become("agent")
        assert (await visit.get("/settings/errors")).status_code == 403


async def test_S14_the_page_of_limits_tells_who_ran_into_them(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        assert "Nobody in the last day" in (await visit.get("/settings/rates")).text
        for _ in range(80):
            last = await visit.get("/account")
        assert last.status_code == 429
        visit.app.state.limits.buckets.clear()
        page = (await visit.get("/settings/rates")).text
        assert "Requests of a person" in page and "127.0.0.1" in page
        for said in "5 in 5 min", "2 at once, 10 wait", "200 a second", "6 of one key", "100; who asks for more":
            assert said in page, said
        await visit.become("agent")
        assert (await visit.get("/settings/rates")).status_code == 403


async def test_P43_programs_list_and_resolve_errors(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        made = await tokens.create(visit.rt, name="watch", scopes=["admin"])
        visit.client.headers["Authorization"] = f"Bearer {made.secret}"
        fail()
        [group] = (await visit.client.get("/api/v1/errors")).json()["items"]
        assert group["kind"] == "ValueError" and TOKEN not in group["trace"] and group["state"] == "open"
        there = f"/api/v1/errors/{group['id']}"
        resolved = await visit.client.patch(there, json={"state": "resolved"})
        assert resolved.json()["state"] == "resolved"
        assert (await visit.client.get("/api/v1/errors")).json()["items"] == []
        assert (await visit.client.get(there)).json()["kind"] == "ValueError"
        fail()
        assert [one["count"] for one in (await visit.client.get("/api/v1/errors")).json()["items"]] == [2]


async def test_S14_whole_lists_are_for_now_and_then(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        made = await tokens.create(visit.rt, name="crm", scopes=["admin"])
        head = {"Authorization": f"Bearer {made.secret}"}
        asked = [await visit.client.get("/api/v1/contacts/export", headers=head) for _ in range(3)]
        assert [each.status_code for each in asked] == [200, 200, 429]
        assert int(asked[-1].headers["retry-after"]) > 1000
        page = (await visit.get("/settings/rates")).text
        assert "Whole lists as files" in page and "64 levels" in page and "Head of a request" in page
