"""Webhooks on the dashboard: adding, trying, the log, and being told when one was switched off."""

import re
from pathlib import Path

import pytest

from app import deliveries
from app.db import Tx
from app.security import sessions
from app.security.outbound import Outbound
from app.store import webhooks as store
from app.webhooks import Webhooks
from tests.browser.filled import ManualClock
from tests.callee import Callee, Reply, listening
from tests.routes.visiting import Visit, visiting

pytestmark = pytest.mark.anyio
GIVEN = {"url": "https://crm.example.com/in", "types": ["message.created"], "channel": ""}
SECRET = re.compile(r'<code id="secret">(whsec_[^<]+)</code>')


def reach(visit: Visit, callee: Callee) -> str:
    """The installation may call this receiver on its own machine."""
    place = frozenset({f"127.0.0.1:{callee.port}"})
    rt = visit.rt
    rt.webhooks._client, rt.webhooks._allow = Outbound(place), place
    return f"{callee.url}/in"


async def made(visit: Visit, **given: object) -> int:
    answer = await visit.post("/settings/webhooks", GIVEN | given)
    assert answer.status_code == 200, answer.text
    return (await visit.rt.db.reader.all(store.ALL))[-1].id


async def test_a_webhook_is_added_with_its_secret_shown_once_changed_and_deleted(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        assert "There are none. Programs can also" in (await visit.get("/settings")).text
        answer = await visit.post("/settings/webhooks", GIVEN)
        assert SECRET.search(answer.text)
        (row,) = await visit.rt.db.reader.all(store.ALL)
        place = f"/settings/webhooks/{row.id}"
        for path in ("/settings", place, f"{place}/edit"):
            html = (await visit.get(path)).text
            assert "crm.example.com" in html and "whsec_" not in html
        channel = next(live.row for live in visit.rt.channels.by_id.values() if live.row.name == "Shop")
        changed = await visit.post(place, {"url": "https://crm.example.com/2", "channel": str(channel.id)})
        assert (changed.status_code, changed.headers["location"]) == (303, place)
        (row,) = await visit.rt.db.reader.all(store.ALL)
        assert (row.url, row.types, row.channel_id) == ("https://crm.example.com/2", "", channel.id)
        rotated = SECRET.search((await visit.post(f"{place}/rotate")).text)
        assert rotated and rotated[1] != SECRET.search(answer.text)[1]
        assert (await visit.post(f"{place}/delete")).status_code == 303
        assert (await visit.get(place)).status_code == 404


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/in", "ftp://example.com", "crm", ""])
async def test_S26_an_address_that_may_not_be_called_is_refused_at_its_field(tmp_path: Path, url: str) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        answer = await visit.post("/settings/webhooks", GIVEN | {"url": url})
        assert answer.status_code == 422 and 'id="url-error"' in answer.text
        assert not await visit.rt.db.reader.all(store.ALL)


async def test_a_test_says_what_came_back(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        with listening() as callee:
            place = f"/settings/webhooks/{await made(visit, url=reach(visit, callee))}"
            assert "it was answered 200" in (await visit.post(f"{place}/test")).text
            callee.answer = lambda seen: Reply(404)
            told = (await visit.post(f"{place}/test")).text
            assert "The test did not arrive." in told and "It answered 404." in told


def fail(tx: Tx, webhook_id: int) -> None:
    """One delivery on its last try, and what is decided when that fails."""
    row = tx.one(store.BY_ID, id=webhook_id)
    assert row is not None
    body = deliveries.payload("message.created", tx.now, {"text": "</pre><script>"})
    tx.run(
        store.INSERT_DELIVERY, id=tx.new_id(), webhook_id=webhook_id, seq=1, type="message.created", body=body,
        conversation_id=None, message_id=None, now=tx.now,
    )  # fmt: skip
    (one,) = tx.all(store.LIST, webhook_id=webhook_id, before=2**62, limit=5)
    for attempts in range(deliveries.TRIES):
        tx.run(store.TRYING, id=one.id, attempts=attempts, until=tx.now, now=tx.now)
    (one,) = tx.all(store.LIST, webhook_id=webhook_id, before=2**62, limit=5)
    deliveries.settle_delivery(tx, one, 500, "It answered 500.", 0, 12)


async def test_P25_who_was_switched_off_by_failures_is_on_home_until_switched_on(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        rt = visit.rt
        # Nobody runs these, so a delivery that is asked for again is still there when it is looked at.
        rt.webhooks = Webhooks(rt.db, rt.clock, rt.keys, Outbound(), frozenset())
        webhook = await made(visit)
        await rt.db.write(fail, webhook)
        home = (await visit.get("/home/attention")).text
        assert "switched off because deliveries fail" in home and f"/settings/webhooks/{webhook}" in home
        place = f"/settings/webhooks/{webhook}"
        html = (await visit.get(place)).text
        assert "Switched off by itself" in html and "It answered 500." in html and "10 tries" in html
        assert "&lt;/pre&gt;&lt;script&gt;" in html and "replay" not in html.partition("Deliveries")[2]
        assert (await visit.post(f"{place}/switch", {"on": "yes"})).status_code == 303
        assert "switched off" not in (await visit.get("/home/attention")).text
        html = (await visit.get(place)).text
        delivery = re.search(r'name="delivery" value="(\d+)"', html)
        assert "Switched off" not in html and delivery
        await visit.post(f"{place}/replay", {"delivery": delivery[1]})
        (row,) = await rt.db.reader.all(store.LIST, webhook_id=webhook, before=2**62, limit=5)
        assert (row.state, row.attempts) == ("waiting", 0)
        await visit.post(f"{place}/switch", {"on": "no"})
        assert "Switched off, " in (await visit.get(place)).text
        assert "switched off" not in (await visit.get("/home/attention")).text, "a person did that"


async def test_the_log_has_pages(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        webhook = await made(visit)
        await visit.rt.db.write(many, webhook)
        first = (await visit.get(f"/settings/webhooks/{webhook}")).text
        older = re.search(r'href="(/settings/webhooks/\d+\?before=\d+)"', first)
        assert older and first.count("What was sent</summary>") == 30
        second = (await visit.get(older[1])).text
        assert second.count("What was sent</summary>") == 5 and "Newest" in second and "Older" not in second


def many(tx: Tx, webhook_id: int) -> None:
    for number in range(35):
        tx.run(
            store.INSERT_DELIVERY, id=tx.new_id(), webhook_id=webhook_id, seq=number, type="bot.updated", body="{}",
            conversation_id=None, message_id=None, now=tx.now,
        )  # fmt: skip


async def test_S6_the_password_is_asked_again_before_a_webhook_is_changed(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        place = f"/settings/webhooks/{await made(visit)}"
        assert isinstance(visit.rt.clock, ManualClock)
        visit.rt.clock.at += sessions.CONFIRMED + 1
        assert (await visit.get(place)).status_code == 200
        for path in ("/settings/webhooks/new", f"{place}/edit"):
            asked = await visit.get(path)
            assert (asked.status_code, asked.headers["location"]) == (303, f"/confirm?next={path}")
        for path in ("/settings/webhooks", place, f"{place}/rotate", f"{place}/delete"):
            assert (await visit.post(path, GIVEN | {"url": "https://other.example.com"})).status_code == 303
        (row,) = await visit.rt.db.reader.all(store.ALL)
        assert row.url == GIVEN["url"] and not row.former_secret
