"""What a turn asks for beside replies is done in its unit, or the thread says that it was not."""

import json

from app import noted, teams, turns, users
from app.bot.scene import Arrived, Assign, Consent, HandOff, Note, Send
from app.content import Text
from app.runtime import Runtime
from tests.acting import WORDS, act, come_due, still
from tests.clock import ManualClock
from tests.shop import open_shop, plain, rows, said, take_in

THREAD = "select author, kind, status, content, rule from message where direction = 'out' order by id"
OWNED = "select assigned_to, team_id, mode from conversation"


async def test_a_note_is_in_the_thread_and_never_sent(rt: Runtime) -> None:
    live = await open_shop(rt, WORDS)
    act(rt, live, "one", Send(Text("Noted."), "one"), Note("Allergic to nuts.", "one"))
    outcome = await take_in(rt, live, said(rt, "one"))
    sent, note = sorted(await rows(rt, THREAD), key=lambda row: str(row[1]), reverse=True)
    assert (sent[0], sent[1], plain(sent[3])) == ("bot", "text", "Noted.")
    assert (note[0], note[1], note[2], plain(note[3]), note[4]) == ("bot", "note", "remark", "Allergic to nuts.", "one")
    assert await rows(rt, "select count(*) from outbox") == [(1,)]
    [(last, snippet, unread)] = await rows(rt, "select last_id, snippet, unread from conversation")
    assert (snippet, unread) == ("Noted.", 0)
    assert last != outcome.message_id


async def make_user(rt: Runtime, email: str) -> int:
    return (await users.add(rt, email=email, name="Paulo", role="agent", password="a long enough password"))[0]


async def test_a_conversation_is_assigned_to_a_user_or_a_team(rt: Runtime) -> None:
    live = await open_shop(rt, WORDS)
    user_id, team_id = await make_user(rt, "Paulo@example.com"), await teams.add(rt, "Cakes")
    act(rt, live, "one", Assign("paulo@EXAMPLE.com"))
    act(rt, live, "two", Assign("cakes"))
    await take_in(rt, live, said(rt, "one"))
    assert await rows(rt, OWNED) == [(user_id, None, "bot")]
    await take_in(rt, live, said(rt, "two"))
    assert await rows(rt, OWNED) == [(None, team_id, "bot")]


async def test_a_hand_off_names_its_team(rt: Runtime) -> None:
    live = await open_shop(rt, WORDS)
    team_id = await teams.add(rt, "Cakes")
    act(rt, live, "one", HandOff("A big cake", "one", "cakes"))
    await take_in(rt, live, said(rt, "one"))
    assert await rows(rt, OWNED) == [(None, team_id, "waiting")]


async def test_whom_nobody_knows_is_told_in_the_thread_and_the_hand_off_is_made(rt: Runtime) -> None:
    live = await open_shop(rt, WORDS)
    act(rt, live, "one", Assign("nobody@example.com"), HandOff("Help", "one", "Pies"))
    await take_in(rt, live, said(rt, "one"))
    assert await rows(rt, OWNED) == [(None, None, "waiting")]
    told = [json.loads(content) for _, kind, _, content, _ in await rows(rt, THREAD) if kind == "system"]
    assert [(one["what"], one["data"]["name"]) for one in told] == [
        ("bot.nobody", "nobody@example.com"),
        ("bot.no_team", "Pies"),
    ]


async def test_who_opts_out_is_answered_but_not_written_to(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    tomorrow = clock.now() + 86_400_000
    act(rt, live, "one", Send(Text("Cake tomorrow!"), "one", at=tomorrow))
    act(rt, live, "two", Consent(False, "two"), Send(Text("You hear no more."), "two"))
    await take_in(rt, live, said(rt, "one"))
    await take_in(rt, live, said(rt, "two"))
    assert await rows(rt, "select opted_out_at from contact") == [(clock.now(),)]
    await take_in(rt, live, said(rt, "hi"))
    [(given,)] = await rows(rt, "select input from turn order by id desc limit 1")
    assert json.loads(given)["scene"]["opted_out"] is True
    clock.advance(86_400)
    assert await come_due(rt) == 1
    sent = [(plain(content), status) for _, _, status, content, _ in await rows(rt, THREAD)]
    assert sent == [("You hear no more.", "queued"), ("Hi!", "queued"), ("Cake tomorrow!", "failed")]
    assert "bot.opted_out" in str(await rows(rt, "select problem from message where status = 'failed'"))
    act(rt, live, "three", Consent(True, "three"))
    await take_in(rt, live, said(rt, "three"))
    assert await rows(rt, "select opted_out_at from contact") == [(None,)]


async def test_a_turn_that_nobody_asked_for_says_nothing_to_who_opted_out(rt: Runtime) -> None:
    """Whatever the bot says then stands in the thread as not sent."""
    live = await open_shop(rt, WORDS)
    outcome = await take_in(rt, live, said(rt, "hi"))
    [(contact_id,)] = await rows(rt, "select id from contact")
    await rt.db.write(lambda tx: noted.consent(tx, contact_id, given=False))
    # The event is a message, but resumed as if something else had caused the turn.
    await rt.db.write(turns.resume, rt.channels.intake, outcome.conversation_id, Arrived(Text("hi")), "job.1")
    sent = await rows(rt, "select text, status from message where direction = 'out' order by id")
    assert sent == [("Hi!", "queued"), ("Hi!", "failed")]
    assert await rows(rt, "select count(*) from outbox") == [(1,)]
