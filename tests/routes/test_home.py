"""Home: every number is the database's, and what needs a person is there with the way out."""

import re
from pathlib import Path

import pytest

from app import bots, connecting, planned
from app.models import Job
from app.store import planned as stored
from tests.routes.visiting import NOW, PRIYA, visiting
from tests.shop import open_shop

pytestmark = pytest.mark.anyio
VALUE = re.compile(r'class="overline">([^<]+)</span><span class="value">([^<]+)')


async def tiles(visit: object) -> dict[str, str]:
    html = (await visit.get("/home/tiles")).text
    return {label: value.strip() for label, value in VALUE.findall(html)}


async def test_the_tiles_are_counted_from_the_rows(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        shown = await tiles(visit)
        midnight = NOW - NOW % 86_400_000
        sql = "select count(*) from message where at >= :since"
        assert shown["Messages today"] == str(await visit.one(sql, since=midnight))
        waiting = await visit.one("select count(*) from conversation where waiting_since is not null")
        assert shown["Waiting for a person"] == str(waiting)
        assert shown["First reply"] == "0.2"


async def test_attention_names_each_trouble(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        html = (await visit.get("/")).text
        for text in (
            "A message may or may not have arrived", "has waited 14 min", "Not delivered to",
            "1 update for a number that no channel has", "1 update could not be read",
        ):  # fmt: skip
            assert text in html, text
        assert f'/inbox/{await visit.chat(PRIYA)}?view=waiting"' in html


async def test_what_was_seen_no_longer_needs_attention(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        answer = await visit.post("/home/quarantine", {"reason": "malformed"}, hx=True)
        assert "could not be read" not in answer.text and "no channel has" in answer.text
        assert await visit.one("select count(*) from quarantine") == 2  # kept all the same


async def test_an_unchanged_fragment_answers_304(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        for path in ("/home/tiles", "/home/attention", "/home/now", "/home/channels"):
            etag = (await visit.get(path)).headers["etag"]
            assert (await visit.get(path, **{"If-None-Match": etag})).status_code == 304, path


async def test_a_stopped_channel_is_named_with_what_to_do(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        shop = next(live.row.id for live in visit.rt.channels.by_id.values() if live.row.name == "Shop")
        await visit.rt.db.write(break_channel, shop)
        html = (await visit.get("/home/attention")).text
        assert "“\u2068Shop\u2069” is not working" in html and f'/channels/{shop}"' in html


def break_channel(tx: object, channel_id: int) -> None:
    from app.configuring import halt
    from app.connectors.base import Problem

    halt(tx, channel_id, Problem("190", "The token ended."))


async def test_nothing_yet_is_said_in_words_without_numbers_made_up(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        shown = await tiles(visit)
        assert shown == {
            "Messages today": "0",
            "Answered by the bot": "\u2013",
            "First reply": "\u2013",
            "Waiting for a person": "0",
        }
        html = (await visit.get("/")).text
        assert "Nothing. Every message is on its way or answered." in html and '<svg class="spark"' not in html


async def test_a_viewer_sees_no_button_that_is_not_theirs(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        await visit.become("viewer")
        html = (await visit.get("/")).text
        assert "Resend" not in html and "/home/quarantine" not in html
        assert (await visit.post("/home/quarantine", {"reason": "malformed"}, hx=True)).status_code == 403


async def test_a_version_that_did_not_go_live_is_told_until_it_is_dismissed(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        live = await open_shop(visit.rt)
        bot = await bots.find(visit.rt.db.reader, "Shop")
        await planned.plan(visit.rt, bot.id, [live.row.id], "", NOW + 1000, None)
        await connecting.remove(visit.rt.channels, live.row.id)
        assert "did not go live" not in (await visit.get("/home/attention")).text
        [one] = await visit.rt.db.reader.all(stored.OF_BOT, bot_id=bot.id)
        job = Job(1, planned.KIND, str(one.id), "{}", 1)
        await visit.rt.db.write(planned.given_up, job, planned.NO_CHANNEL)
        html = (await visit.get("/home/attention")).text
        assert "Version 1 did not go live at its time" in html and "Its channels were removed." in html
        assert f'href="/bots/{bot.id}/versions#planned-head"' in html
        await visit.post(f"/bots/{bot.id}/planned/cancel", {"planned": str(one.id)})
        assert "did not go live" not in (await visit.get("/home/attention")).text
