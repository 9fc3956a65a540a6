"""Analytics: the numbers of the page are those of the rows, whoever asks; and they follow what changes later."""

import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app import analytics, bots, erase, statistics
from app.bot.document import compile_version
from app.db import Query
from app.routes import charts
from app.store import statistics as store
from tests.routes.visiting import ANA, Visit, visiting
from tests.shop import change, said, take_in

pytestmark = pytest.mark.anyio
HOUR, DAY = 3_600_000, 86_400_000
ORDER = """
bot: Order
language: en
flows: {order: [{ask: {text: What?, save: item, expect: integer}}, {ask: {text: When?, save: day}}]}
fallback: {do: [{start: order}]}
"""
NOT_SAID = ("reaction", "system", "edit", "delete")
FAR = 2**40  # hours


class Said:
    """A message as it stands in its row."""

    def __init__(self, *row: Any) -> None:
        (
            self.id, self.chat, self.channel, self.direction, self.author, self.kind, self.status, self.rule, self.turn,
            self.step, self.at, self.sent_at,
        ) = row  # fmt: skip
        self.heard = self.direction == "in" and self.kind not in NOT_SAID
        self.key = self.at, self.id


MESSAGES = Query(
    """
    select m.id, m.conversation_id, m.channel_id, m.direction, m.author, m.kind, m.status, m.rule, m.turn_id, m.step,
           m.at, m.sent_at
    from message m join channel c on c.id = m.channel_id where c.connector <> 'simulator' order by m.at, m.id
    """,
    Said,
)
TURNS = Query("select id, message_id from turn", lambda *row: row)
OUTPUTS = Query(
    "select t.conversation_id, t.at, t.output from turn t join conversation v on v.id = t.conversation_id"
    " join channel c on c.id = v.channel_id where c.connector <> 'simulator'",
    lambda *row: row,
)
MISSED = Query("select count(*) from turn where code in ('missed', 'missed_again', 'unanswered')", int)


async def ordered(visit: Visit) -> None:
    """Four begin an order, three say what, one says when, too, after an answer that was none."""
    live = next(live for live in visit.rt.channels.by_id.values() if live.row.name == "Shop")
    await bots.publish(visit.rt, await bots.create(visit.rt, "", ORDER, None), [live.row.id], "", None)
    live = visit.rt.channels.by_id[live.row.id]
    for number, words in enumerate((["hi"], ["hi", "2"], ["hi", "2"], ["hi", "x", "3", "soon"])):
        for word in words:
            await take_in(visit.rt, live, said(visit.rt, word, f"1650555990{number}", account=live.row.account))


async def from_rows(visit: Visit) -> dict[str, Any]:
    """Every number, counted the slow way."""
    db = visit.rt.db.reader
    said = [one for one in await db.all(MESSAGES) if one.status != "remark"]
    out = [one for one in said if one.direction == "out"]
    turns: dict[int, int] = dict(await db.all(TURNS))
    by_id = {one.id: one for one in said}
    days: dict[tuple[int, int], list[Said]] = {}
    for one in said:
        days.setdefault((one.chat, one.at // DAY), []).append(one)
    chats = [day for day in days.values() if any(one.heard for one in day)]
    alone = [
        day for day in chats
        if any(one.author == "bot" for one in day) and not any(one.author in ("user", "phone") for one in day)
    ]  # fmt: skip
    bot = [
        one.sent_at - by_id[turns[one.turn]].at for one in out
        if one.author == "bot" and one.step == 0 and one.sent_at > one.at and turns.get(one.turn) in by_id
    ]  # fmt: skip
    people = []
    for one in out:
        before = [other for other in said if other.chat == one.chat and other.at < one.at]
        answered = max((other.at for other in before if other.direction == "out"), default=0)
        waiting = [other.at for other in before if other.direction == "in" and other.at > answered]
        if one.author == "user" and waiting:
            people.append(one.at - min(waiting))
    traces = [(chat, at, msgspec.json.decode(output)["trace"]) for chat, at, output in await db.all(OUTPUTS)]
    asked = {(one.rule, one.chat, one.at // HOUR) for one in out if one.author == "bot" and "/" in one.rule}
    answered = {(seen["rule"], chat, at // HOUR) for chat, at, seen in traces if seen.get("code") == "answer"}
    rules = {(one.rule, one.turn) for one in out if one.author == "bot" and one.rule and one.turn}
    return {
        "received": sum(one.heard for one in said),
        "by_bot": sum(one.author == "bot" for one in out),
        "by_people": sum(one.author in ("user", "phone") for one in out),
        "by_programs": sum(one.author not in ("bot", "user", "phone") for one in out),
        "chats": len(chats),
        "alone": len(alone),
        "missed": await db.one(MISSED),
        "bot_wait": analytics.Wait(len(bot), sum(bot) // len(bot) if bot else 0),
        "person_wait": analytics.Wait(len(people), sum(people) // len(people) if people else 0),
        "statuses": dict(Counter(one.status for one in out)),
        "rules": dict(Counter(rule for rule, _turn in rules)),
        "failures": sum(one.status == "failed" for one in out),
        "asked": dict(Counter(rule for rule, _chat, _hour in asked if rule.startswith("flow "))),
        "answered": dict(Counter(rule for rule, _chat, _hour in answered)),
    }


async def from_statistics(visit: Visit) -> dict[str, Any]:
    found = await analytics.total(visit.rt.db.reader, 0, FAR)
    names = ("received", "by_bot", "by_people", "by_programs", "chats", "alone", "missed", "bot_wait", "person_wait")
    questions = [(f"flow {flow.name}/{one.name}", one) for flow in found.flows for one in flow.questions]
    return {name: getattr(found, name) for name in names} | {
        "asked": {rule: one.asked for rule, one in questions},
        "answered": {rule: one.answered for rule, one in questions if one.answered},
        "statuses": found.statuses, "rules": dict(found.rules), "failures": sum(count for _p, count in found.failures),
    }  # fmt: skip


async def test_the_numbers_are_those_of_the_rows_on_both_databases(tmp_path: Path, database_url: str) -> None:
    url = database_url if database_url.startswith("postgresql:") else ""
    async with visiting(tmp_path, database_url=url) as visit:
        await ordered(visit)
        await statistics.keep(visit.rt.db)
        expected = await from_rows(visit)
        assert await from_statistics(visit) == expected
        for name in ("received", "by_bot", "by_people", "alone", "missed", "failures", "asked", "answered"):
            assert expected[name], f"the story has no {name}"
        assert expected["chats"] > expected["alone"] and expected["person_wait"].answers
        hourly = await analytics.hourly(visit.rt.db.reader, 0, FAR)
        assert sum(hour.get("in", 0) for hour in hourly.values()) == expected["received"]
        channels = await analytics.channels(visit.rt.db.reader, 0, FAR)
        assert sum(one.received for one in channels) == expected["received"]
        one = await analytics.total(visit.rt.db.reader, 0, FAR, channels[0].id)
        assert (one.received, one.sent) == (channels[0].received, channels[0].sent)
        for days in analytics.PERIODS:
            answer = await visit.get(f"/analytics?days={days}&channel={channels[0].id}")
            assert answer.status_code == 200 and "Answered by the bot alone" in answer.text


def test_questions_stand_in_the_order_of_the_live_bot_and_others_behind_them() -> None:
    counts = {"flow order/day": 9, "flow order/item": 9, "flow order/old": 12, "flow book/day": 20, "flow book": 40}
    rows = [store.Total("asked", rule, n) for rule, n in counts.items()] + [
        store.Total("answered", "flow order/day", 7)
    ]
    order = analytics.order_of([compile_version(ORDER)])
    assert analytics.flows(rows, order) == [
        analytics.Flow("book", [analytics.Question("day", 20, 0)]),
        analytics.Flow("order", [
            analytics.Question("item", 9, 0), analytics.Question("day", 9, 7), analytics.Question("old", 12, 0)]),
    ]  # fmt: skip
    assert [step.width for step in charts.funnel([("Started", 9), ("item", 12), ("day", 3)])] == [360, 360, 120]
    assert charts.funnel([("Started", 0)])[0].width == 0


async def test_what_changes_later_and_who_is_erased_is_counted_again(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        await statistics.keep(visit.rt.db)
        before = await from_rows(visit)
        await change(visit.rt, "update message set status = 'read' where status in ('accepted', 'sent', 'delivered')")
        clock: Any = visit.rt.clock
        for _round in range(60):  # a slice of the last week in each
            clock.at += 60_000
            await statistics.keep(visit.rt.db)
        after = await from_rows(visit)
        assert after["statuses"] != before["statuses"] and (await from_statistics(visit)) == after
        ana = await visit.one("select id from contact where phone = :phone", phone=ANA)
        await erase.contact(visit.rt, ana)
        await statistics.keep(visit.rt.db)
        assert (await from_statistics(visit)) == await from_rows(visit) != after


async def test_history_that_is_brought_in_stands_at_its_own_time(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        at = visit.rt.clock.now() - 20 * DAY
        id = await visit.one("select min(id) from message where direction = 'in' and kind = 'text'")
        await change(visit.rt, "update message set at = :at where id = :id", at=at, id=id)
        await statistics.keep(visit.rt.db)
        found = await analytics.hourly(visit.rt.db.reader, at // HOUR, at // HOUR + 1)
        assert found[at // HOUR]["in"] == 1


async def test_counting_twice_counts_once(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        await statistics.keep(visit.rt.db)
        before = await from_statistics(visit)
        await statistics.keep(visit.rt.db)
        assert await from_statistics(visit) == before
        assert await visit.rt.db.read(statistics.uncounted) is None


async def test_the_page_has_a_table_for_each_chart_and_is_read_by_everybody(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    async with visiting(tmp_path / "empty", empty=True) as visit:
        assert "Nothing in these 30 days" in (await visit.get("/analytics")).text
    async with visiting(tmp_path) as visit:
        await ordered(visit)
        await visit.become("viewer")
        await statistics.keep(visit.rt.db)
        html = (await visit.get("/analytics?days=7")).text
        assert html.count('<svg class="chart" ') == html.count('<details class="as-table">') - 1 == 3
        assert "4 chats began, 1 answered the last question" in html and "Most leave at “day”: 2 chats." in html
        assert "“item” answered" in html and re.search(r"3 · 75.%", html)
        assert "style=" not in html and 'aria-current="page">7 days' in html
        expected = await from_rows(visit)
        assert f'<span class="value">{expected["chats"]}</span>' in html
        sheet = await visit.get("/analytics/export?days=7")
        assert sheet.headers["content-type"].startswith("text/csv") and "analytics-7-days.csv" in str(sheet.headers)
        rows = list(csv.DictReader(io.StringIO(sheet.text)))
        days = [row for row in rows if row["what"] == "received" and re.fullmatch(r"\d{4}-\d\d-\d\d", row["of"])]
        assert len(days) == 7 and sum(int(row["count"]) for row in days) == expected["received"]
        assert sum(int(row["count"]) for row in rows if row["what"] == "not delivered") == expected["failures"]
        for query in ("?days=8", "?days=x&channel=x", f"?channel={'9' * 18}", "?channel=-1"):
            assert (await visit.get(f"/analytics{query}")).status_code == 200


def test_a_reason_leaves_out_what_is_of_one_message() -> None:
    problem = '{"code":"131026","title":"Not on WhatsApp","detail":"+5511999990000"}'
    assert statistics.reason(problem) == '{"code":"131026","title":"Not on WhatsApp"}'
    assert statistics.reason("") == '{"code":""}'


@pytest.mark.parametrize(("most", "top"), [(0, 4), (4, 4), (5, 8), (21, 40), (346, 400), (401, 800), (99_999, 200_000)])
def test_an_axis_ends_above_the_highest_bar_at_a_round_number(most: int, top: int) -> None:
    assert charts.ceiling(most) == (top, top // 4)
    drawn = charts.bars([("a", most, 0), ("b", 0, most)])
    assert all(bar.y >= charts.TOP and bar.y2 >= charts.TOP for bar in drawn.bars)
    assert drawn.bars[0].height == drawn.bars[1].height2


def test_a_day_without_a_value_leaves_a_gap_in_a_line() -> None:
    drawn = charts.line([("1", 0.0), ("2", 1.0), ("3", None), ("4", 0.5)])
    assert drawn.path.count("M") == 2 and drawn.path.count("L") == 1 and len(drawn.dots) == 1


def test_the_busiest_hour_is_the_darkest() -> None:
    drawn = charts.squares({(4, 13): 50, (0, 0): 1})
    shades = {(one.day, one.hour): one.shade for one in drawn}
    assert len(drawn) == 168 and shades[4, 13] == 5 and shades[0, 0] == 1 and shades[6, 23] == 0


def test_what_pages_read_is_never_messages() -> None:
    """The planner's test says that each of them goes by key; this, that it goes there at all."""
    for query in (store.TOTALS, store.HOURLY, store.CHANNELS, store.AS_OF):
        assert "message" not in query.sql and "turn" not in query.sql
