"""Stepping through a conversation: each event with what was decided, and running it again with another document."""

import re
from pathlib import Path

import pytest

from app import bots, turns
from app.bot.scene import CallResult
from app.db import Statement
from tests.acting import come_due, still
from tests.routes.test_replay import finished
from tests.routes.visiting import ANA, LONG, Visit, visiting
from tests.shop import open_shop, said, take_in

pytestmark = pytest.mark.anyio
BOT = """bot: Shop
rules:
  - name: order
    when: {says: order}
    do: [{start: order}]
  - name: person
    when: {says: person}
    do: [{handoff: Asked for a person}]
fallback: {do: [{say: Sorry?}]}
flows:
  order:
    - ask: {text: What would you like?, save: item}
    - ask: {text: How many?, expect: integer, save: count}
    - tag: customer
    - say: "{{ count }} {{ item }} it is."
"""
OTHER = Statement("update turn set input = '{}' where id = :id")
FORGET = Statement("delete from turn where id = :id")


async def ordered(visit: Visit, *words: str, document: str = BOT) -> tuple[str, int]:
    """The page of a conversation in which this was said, and the bot's id."""
    live = await open_shop(visit.rt, document)
    for text in words:
        visit.rt.clock.at += 60_000
        await take_in(visit.rt, live, said(visit.rt, text))
    chat = await visit.one("select id from conversation")
    return f"/inbox/{chat}/steps", int(await visit.one("select id from bot"))


async def event(visit: Visit, path: str, number: int) -> str:
    """The page of this event, reached by its link in the list."""
    html = (await visit.get(path)).text
    [turn] = re.findall(rf'href="[^"]*\?turn=(\d+)"[^>]*><span class="marker">{number}<', html)
    return f"{path}?turn={turn}"


async def test_each_event_shows_what_was_said_remembered_and_waited_for(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        path, _bot = await ordered(visit, "order", "Bread <b>", "lots", "3")
        html = (await visit.get(path)).text
        assert "Event 1 of 4" in html and "What would you like?" in html and 'rel="prev"' not in html
        assert "Waits for an answer: item" in html and '<span dir="auto">order</span>' in html
        second = (await visit.get(await event(visit, path, 2))).text
        assert "Bread &lt;b&gt;" in second and "Bread <b>" not in second
        assert re.search(r'<th scope="row">item</th><td>[^<]</td><td class="new">&#34;Bread &lt;b&gt;&#34;<', second)
        third = (await visit.get(await event(visit, path, 3))).text
        assert "1 answer did not fit" in third
        last = (await visit.get(await event(visit, path, 4))).text
        assert "3 Bread &lt;b&gt; it is." in last and "+ customer" in last and 'rel="next"' not in last
        assert re.search(r'rel="prev" href="[^"]*\?turn=\d+"', last) and "Waits for an answer" not in last


async def test_from_any_event_on_it_is_run_again_and_both_sides_are_shown_where_they_part(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        path, bot = await ordered(visit, "order", "Bread", "3")
        same = (await visit.get(f"{path}?with={bot}.0")).text
        assert "Over 3 events both say the same." in same and "Nothing was sent or written." in same
        await bots.save_draft(visit.rt, bot, BOT.replace("expect: integer, ", "").replace("it is", "<i>"), 1, None)
        html = (await visit.get(f"{path}?with={bot}.0")).text
        assert "up to event 3, where they part" in html and html.count('id="here-they-part"') == 1
        assert "3 Bread it is." in html and "3 Bread &lt;i&gt;." in html
        assert re.search(r'<th scope="row">count</th><td>3</td><td class="new">&#34;3&#34;<', html)
        # From the last event on, what was remembered then is where the draft begins, too.
        at = await event(visit, path, 3)
        assert "3 Bread &lt;i&gt;." in (await visit.get(f"{at}&with={bot}.0")).text
        assert "Over 3 events both say the same." in (await visit.get(f"{path}?with={bot}.1")).text


async def test_running_again_writes_nothing(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        path, bot = await ordered(visit, "order", "Bread")
        await visit.rt.db.settled()
        counts = "select (select count(*) from {}) + (select count(*) from {}) + (select count(*) from {})"
        count = counts.format("message", "turn", "version")
        before = await visit.one(count), await visit.one("select state from conversation")
        assert (await visit.get(f"{path}?with={bot}.0")).status_code == 200
        assert (await visit.one(count), await visit.one("select state from conversation")) == before


async def test_a_document_that_cannot_run_is_told_on_the_page(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        path, bot = await ordered(visit, "order")
        await bots.save_draft(visit.rt, bot, BOT + "colour: red\n", 1, None)
        answer = await visit.get(f"{path}?with={bot}.0")
        assert answer.status_code == 422 and "The draft has to be in order first. Line" in answer.text
        assert "What would you like?" in answer.text
        assert (await visit.get(f"{path}?with={bot}.7")).status_code == 404
        for strange in ("with=x", "with=1", "with=1.x", "turn=x", "with=%00.1"):
            assert (await visit.get(f"{path}?{strange}")).status_code == 200


async def test_turns_of_another_conversation_and_chats_without_any_are_told(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        ana, other = await visit.chat(ANA), await visit.chat(LONG)
        foreign = await visit.one("select min(id) from turn where conversation_id = :id", id=ana)
        assert (await visit.get(f"/inbox/{other}/steps?turn={foreign}")).status_code == 404
        assert (await visit.get("/inbox/1/steps")).status_code == 404


async def test_a_turn_of_another_release_is_shown_as_such_and_left_out_of_a_run(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        path, bot = await ordered(visit, "order", "Bread")
        first = await visit.one("select min(id) from turn")
        await visit.rt.db.write(lambda tx: tx.run(OTHER, id=first))
        html = (await visit.get(f"{path}?with={bot}.0")).text
        assert "Stored by another version of Parley" in html and "1 event of another version" in html
        assert (await visit.get(path)).status_code == 200
        await visit.rt.db.write(lambda tx: tx.run(FORGET, id=first))


async def test_who_may_not_change_bots_steps_through_but_runs_nothing(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        path, bot = await ordered(visit, "order")
        await visit.become("viewer")
        html = (await visit.get(f"{path}?with={bot}.0")).text
        assert "What would you like?" in html and "Run again" not in html and "Make this a test" not in html


async def test_the_explanation_in_the_inbox_leads_there(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat = await visit.chat(ANA)
        [link] = re.findall(rf'href="(/inbox/{chat}/steps\?turn=\d+)"', (await visit.get(f"/inbox/{chat}")).text)
        assert "Event 16 of 16" in (await visit.get(link)).text


WAITING = """bot: Waiting
rules:
  - name: order
    when: {says: order}
    do:
      - say: One moment.
      - call: {get: "https://shop.example/stock?key={{ secret.shop }}", map: {left: reply}}
      - say: "{{ left }} left."
      - wait: 2h
      - say: Was it good?
"""


async def test_calls_and_waits_are_events_of_their_own_and_run_again_from_what_was_recorded(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        still(visit.rt)
        path, bot = await ordered(visit, "order", document=WAITING)
        chat = int(await visit.one("select id from conversation"))
        visit.rt.clock.at += 1_500
        await visit.rt.db.write(turns.resume, visit.rt.channels.intake, chat, CallResult("t0.0", 200, 7), "job.7")
        visit.rt.clock.at += 7_200_000
        await come_due(visit.rt)
        first = (await visit.get(path)).text
        assert "GET https://shop.example/stock?key={shop}" in first and "<b>200</b>" in first and "1.5 s" in first
        assert "Waits for a call" in first and "\0" not in first
        second = (await visit.get(await event(visit, path, 2))).text
        assert "The call was answered: 200" in second and "7 left." in second and "Waits, until" in second
        assert "The wait was over" in (await visit.get(await event(visit, path, 3))).text
        await bots.save_draft(visit.rt, bot, WAITING.replace("left.", "here."), 1, None)
        html = (await visit.get(f"{path}?with={bot}.0")).text
        assert "7 here." in html and html.count("The wait was over") == 2 + 1  # the list has it, too
        assert "Over 1 event both say the same." in (await visit.get(f"{path}?with={bot}.1")).text
        await bots.save_draft(visit.rt, bot, WAITING.replace("/stock", "/cakes"), 2, None)
        html = (await visit.get(f"{path}?with={bot}.0")).text
        assert "Needs a call that was not recorded" in html and "GET https://shop.example/cakes?key={shop}" in html
        await visit.post(f"/bots/{bot}/replay", {"by": "last", "last": "10"})
        await finished()
        replayed = (await visit.get(f"/bots/{bot}/replay")).text
        assert "Need a call" in replayed and "Needs a call that was not recorded" in replayed


async def test_what_the_draft_alone_says_later_is_followed_up_to_now(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        path, bot = await ordered(visit, "person")
        draft = BOT.replace("[{handoff: Asked for a person}]", "[{wait: 1h}, {say: Nobody is here.}]")
        await bots.save_draft(visit.rt, bot, draft, 1, None)
        assert "Nobody is here." not in (await visit.get(f"{path}?with={bot}.0")).text
        visit.rt.clock.at += 3_600_000
        html = (await visit.get(f"{path}?with={bot}.0")).text
        assert "Nobody is here." in html and "The wait was over" in html
