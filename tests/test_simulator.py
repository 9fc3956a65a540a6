"""The simulated phone below its page: real messages on a channel of its own, on either database."""

import pytest

from app import bots, connecting, simulator, users
from app.content import Text
from app.errors import Invalid, NotFound
from app.runtime import Runtime
from app.simulator import Trial
from app.store import simulated
from app.store.users import User
from tests import shop


async def owner(rt: Runtime) -> User:
    await users.create_owner(rt, email="rosa@luna.example", name="Rosa Martins", password="purple kettle walks nine")
    return await users.find(rt, "rosa@luna.example")


async def test_a_simulated_message_is_stored_answered_and_explained_like_any_other(rt: Runtime) -> None:
    user = await owner(rt)
    trial = Trial(await bots.create(rt, "", shop.BOT, None), who="you")
    said = await simulator.say(rt, user, trial, Text("hi"))
    assert await simulator.find_conversation(rt, user, trial) == said
    sql = "select direction, text from message where conversation_id = :id order by at, id"
    assert await shop.rows(rt, sql, id=said) == [("in", "hi"), ("out", "Hi Rosa!")]
    assert len(await rt.db.reader.all(simulated.TURNS, id=said)) == 1
    assert await shop.rows(rt, "select name from channel where connector = 'simulator'") == [("Simulator",)]


async def test_trying_a_bot_changes_nothing_on_a_live_channel(rt: Runtime) -> None:
    live = await shop.open_shop(rt)
    bot = await bots.find(rt.db.reader, "Shop")
    await bots.save_draft(rt, bot.id, shop.BOT.replace("One.", "Eins."), 1, None)
    before = live.here
    await simulator.say(rt, await owner(rt), Trial(bot.id), Text("twice"))
    assert rt.channels.by_id[live.row.id].here == before
    await shop.take_in(rt, live, shop.said(rt, "twice"))
    sql = "select text from message where channel_id = :id and direction = 'out' order by id"
    assert [text for (text,) in await shop.rows(rt, sql, id=live.row.id)] == ["One.", "Two."]


async def test_another_version_begins_with_a_fresh_memory(rt: Runtime) -> None:
    user = await owner(rt)
    bot_id = await bots.create(rt, "", shop.BOT, None)
    await bots.publish(rt, bot_id, [], "", None)
    await simulator.say(rt, user, Trial(bot_id), Text("what"))
    conversation_id = await simulator.say(rt, user, Trial(bot_id, 1), Text("what"))
    assert len(await shop.rows(rt, "select id from turn where conversation_id = :id", id=conversation_id)) == 2
    await bots.save_draft(rt, bot_id, shop.BOT + "# changed\n", 1, None)
    await simulator.say(rt, user, Trial(bot_id), Text("what"))
    (state,) = (await shop.rows(rt, "select state from conversation where id = :id", id=conversation_id))[0]
    assert '"turns":1' in state


async def test_starting_over_leaves_nothing_behind(rt: Runtime) -> None:
    user = await owner(rt)
    trial = Trial(await bots.create(rt, "", shop.BOT, None))
    await simulator.say(rt, user, trial, Text("hi"))
    await simulator.start_over(rt, user, trial)
    await simulator.start_over(rt, user, trial)
    assert await simulator.find_conversation(rt, user, trial) is None
    for table in ("message", "turn", "contact", "conversation"):
        assert await shop.rows(rt, f"select count(*) from {table}") == [(0,)], table


async def test_what_cannot_be_tried_is_refused_before_anything_is_stored(rt: Runtime) -> None:
    user = await owner(rt)
    trial = Trial(await bots.create(rt, "Luna", "bot: Luna\ncolour: red\n", None))
    with pytest.raises(Invalid, match="line 2"):
        await simulator.say(rt, user, trial, Text("hi"))
    with pytest.raises(NotFound):
        await simulator.say(rt, user, Trial(trial.bot_id, 7), Text("hi"))
    with pytest.raises(Invalid):
        await simulator.say(rt, user, trial, Text(" "))
    assert await shop.rows(rt, "select count(*) from message") == [(0,)]


async def test_a_channel_that_is_already_called_simulator_is_no_hindrance(rt: Runtime) -> None:
    values = {"phone_number_id": "1", "access_token": "t", "app_secret": "s", "verify_token": "v"}
    await connecting.add(rt.channels, "whatsapp_cloud", "Simulator", values)
    trial = Trial(await bots.create(rt, "", shop.BOT, None))
    assert await simulator.say(rt, await owner(rt), trial, Text("hi"))
