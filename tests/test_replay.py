"""Replays of stored conversations, on both databases: what is chosen, what is counted, and that nothing is written."""

import asyncio
import json
from typing import Any

import pytest

from app import replay, simulator, turns, users
from app.bot.document import compile_version
from app.bot.scene import CallResult
from app.cli.replay import answer
from app.commands import COMMANDS
from app.content import Text
from app.errors import Invalid, NotFound, TooMany
from app.replay import Choice, Report
from app.runtime import Runtime
from app.simulator import Trial
from app.store import bots as bot_rows
from tests.acting import come_due, still
from tests.browser.house import EMAIL, PASSWORD
from tests.clock import ManualClock
from tests.shop import BOT, change, open_shop, rows, said, take_in

pytestmark = pytest.mark.anyio
DRAFT = BOT.replace("One.", "Uno.").replace("[hi, hello]", "[hi, menu]")
TABLES = ("message", "turn", "outbox", "conversation", "contact", "event", "version", "bot", "job")


async def shop(rt: Runtime) -> int:
    """Three customers: Ana says what stays, Bo what changes, Cy what is gained and what is lost. Returns the bot."""
    live = await open_shop(rt)
    for who, words in (("111", "hi"), ("222", "twice"), ("222", "hi"), ("333", "menu"), ("333", "hello")):
        rt.clock.advance(1000)
        await take_in(rt, live, said(rt, words, who, name=f"Customer {who}"))
    [(bot_id,)] = await rows(rt, "select id from bot")
    return int(bot_id)


async def replayed(rt: Runtime, bot_id: int, choice: Choice, draft: str = DRAFT) -> Report:
    return await replay.replay(rt.db.reader, bot_id, compile_version(draft), choice, lambda done, total: None)


def counts(report: Report) -> dict[str, int]:
    return {name: count for name, count in report.conversations.items() if count}


async def test_what_was_said_is_decided_again_and_nothing_is_written(rt: Runtime) -> None:
    bot_id = await shop(rt)
    await rt.db.settled()
    before = {table: await rows(rt, f"select * from {table}") for table in TABLES if table != "event"}
    report = await replayed(rt, bot_id, Choice())
    assert counts(report) == {"same": 1, "changed": 1, "lost": 1}
    assert report.turns == {"same": 2, "changed": 1, "gained": 1, "lost": 1, "stopped": 0}
    assert [(one.name, one.outcome, one.differences) for one in report.differing] == [
        ("Customer 333", "lost", 2), ("Customer 222", "changed", 1),
    ]  # fmt: skip
    assert [turn.after[0].text for turn in report.differing[1].turns] == ["Uno.", "Hi Customer!"]
    assert {table: await rows(rt, f"select * from {table}") for table in before} == before


async def test_the_newest_a_period_or_a_tag_is_chosen(rt: Runtime) -> None:
    bot_id = await shop(rt)
    await change(rt, "update contact set tags = '[\"VIP\"]' where name = 'Customer 222'")
    times = [at for (at,) in await rows(rt, "select at from turn order by at")]
    assert counts(await replayed(rt, bot_id, Choice(last=1))) == {"lost": 1}
    assert counts(await replayed(rt, bot_id, Choice(tag="vip"))) == {"changed": 1}
    assert counts(await replayed(rt, bot_id, Choice(tag="other"))) == {}
    assert counts(await replayed(rt, bot_id, Choice(since=times[2], until=times[4]))) == {"same": 1, "gained": 1}


async def test_conversations_of_other_bots_and_of_the_simulator_are_left_alone(rt: Runtime) -> None:
    bot_id = await shop(rt)
    assert (await replayed(rt, bot_id + 1, Choice())).total == 0
    await users.create_owner(rt, email=EMAIL, name="Rosa", password=PASSWORD)
    await simulator.say(rt, await users.find(rt, EMAIL), Trial(bot_id), Text("twice"), "")
    assert await rows(rt, "select count(*) from turn") == [(6,)]
    assert (await replayed(rt, bot_id, Choice())).total == 3


async def test_pages_leave_nothing_out_and_take_nothing_twice(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    bot_id = await shop(rt)
    await change(rt, "update turn set at = (select min(at) from turn)")
    await change(rt, "update conversation set last_at = (select min(at) from turn)")
    monkeypatch.setattr(replay, "CHATS", 1)
    monkeypatch.setattr(replay, "TURNS", 1)
    report = await replayed(rt, bot_id, Choice())
    assert (report.total, report.total_turns) == (3, 5)


async def test_more_than_can_be_replayed_at_once_is_cut_and_told(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    bot_id = await shop(rt)
    monkeypatch.setattr(replay, "MOST_TURNS", 2)
    report = await replayed(rt, bot_id, Choice())
    assert (report.total, report.cut) == (1, True)


async def test_how_far_it_is_rings_and_ends_at_the_end(rt: Runtime) -> None:
    bot_id = await shop(rt)
    listener = rt.bus.subscribe([f"replay-{bot_id}"])
    run = rt.replays.start(1, bot_id, 1, compile_version(DRAFT), Choice())
    assert run.task is not None
    await run.task
    assert (run.state, run.done, run.total) == ("done", 3, 3)
    assert b"event: replay-%d\n" % bot_id in await listener.next(rt.bus.resync)
    assert rt.replays.get(1, bot_id) is run and rt.replays.get(2, bot_id) is None


async def test_a_replay_is_cancelled_begun_anew_and_kept_only_so_long(rt: Runtime) -> None:
    bot_id = await shop(rt)
    first = rt.replays.start(1, bot_id, 1, compile_version(DRAFT), Choice())
    second = rt.replays.start(1, bot_id, 1, compile_version(DRAFT), Choice())
    assert first.state == "cancelled" and second.task is not None
    await second.task
    for user in range(2, 2 + replay.KEPT):
        run = rt.replays.start(user, bot_id, 1, compile_version(DRAFT), Choice())
        assert run.task is not None
        await run.task
    assert rt.replays.get(1, bot_id) is None and rt.replays.get(3, bot_id) is not None
    waiting = [
        rt.replays.start(user, bot_id, 1, compile_version(DRAFT), Choice()) for user in range(50, 50 + replay.KEPT)
    ]
    with pytest.raises(TooMany):
        rt.replays.start(99, bot_id, 1, compile_version(DRAFT), Choice())
    for user in range(50, 50 + replay.KEPT):
        rt.replays.cancel(user, bot_id)
    await asyncio.gather(*(run.task for run in waiting if run.task), return_exceptions=True)
    assert {run.state for run in waiting} == {"cancelled"}


async def ask(rt: Runtime, **values: Any) -> Any:
    given = {"name": "Shop", "text": DRAFT, "last": 500, "tag": ""} | values
    return json.loads(json.dumps(await COMMANDS["bot.replay"](rt, **given)))


async def test_the_command_tells_counts_and_what_differs(rt: Runtime) -> None:
    await shop(rt)
    found = await ask(rt)
    assert found["conversations"] == {"same": 1, "changed": 1, "gained": 0, "lost": 1, "stopped": 0}
    [lost, changed] = found["differing"]
    assert [turn["outcome"] for turn in lost["turns"]] == ["gained", "lost"]
    assert changed["turns"][0]["asked"] == "twice" and changed["turns"][0]["after"][0]["text"] == "Uno."
    assert (await ask(rt, text=None))["conversations"]["same"] == 3
    assert sum((await ask(rt, last=2))["conversations"].values()) == 2
    for wrong in ({"last": 0}, {"last": 10_001}, {"text": "bot: Shop\ncolour: red\n"}):
        with pytest.raises(Invalid):
            await ask(rt, **wrong)
    with pytest.raises(NotFound):
        await ask(rt, name="Nobody")
    assert await rt.db.reader.one(bot_rows.BY_NAME, name="shop") is not None


WAITING = """bot: Shop
rules:
  - name: order
    when: {says: order}
    do:
      - say: One moment.
      - call: {get: "https://shop.example/stock", map: {left: reply}}
      - say: "{{ left }} left."
      - wait: 2h
      - say: Was it good?
"""


async def test_waits_and_calls_of_the_pipeline_are_the_same_in_a_replay_and_called_nowhere(
    rt: Runtime, clock: ManualClock
) -> None:
    live = await open_shop(rt, WAITING)
    still(rt)
    await take_in(rt, live, said(rt, "order"))
    [(conversation_id,)] = await rows(rt, "select id from conversation")
    clock.advance(2)
    result = CallResult("t0.0", 200, 7)
    await rt.db.write(turns.resume, rt.channels.intake, conversation_id, result, "job.7")
    clock.advance(7_300)
    await come_due(rt)
    clock.advance(60)
    [(bot_id,)] = await rows(rt, "select id from bot")
    choice = Choice(now=clock.now())
    report = await replayed(rt, bot_id, choice, WAITING)
    assert (report.conversations["same"], report.total_turns) == (1, 1)
    report = await replayed(rt, bot_id, choice, WAITING.replace("left.", "here."))
    assert counts(report) == {"changed": 1}
    assert [one.text for one in report.differing[0].turns[0].after] == [
        "One moment.", "call 200", "7 here.", "timer", "Was it good?",
    ]  # fmt: skip
    elsewhere = await replayed(rt, bot_id, choice, WAITING.replace("/stock", "/cakes"))
    assert counts(elsewhere) == {"stopped": 1}
    assert elsewhere.differing[0].turns[0].after[-1].text == "GET https://shop.example/cakes"


def test_what_happened_between_is_not_said_and_a_missing_call_is() -> None:
    said = [
        {"who": "event", "text": "call 200"}, {"who": "bot", "text": "Seven left."}, {"who": "handoff", "text": "Ana"},
        {"who": "missing", "text": "GET https://shop.example/"},
    ]  # fmt: skip
    assert answer(said) == "Seven left. / handed to a person: Ana / needs a call: GET https://shop.example/"
    assert answer([said[0], {"who": "missing", "text": ""}]) == "No answer"
    assert answer([{"who": "handoff", "text": ""}]) == "handed to a person: "
