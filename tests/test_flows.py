"""Flows in the product: the version a conversation keeps, what is noted in the turn's unit, and who ends a flow."""

import msgspec

from app import bots, handoff
from app.bot.document import Version
from app.bot.scene import State
from app.budget import REPLIES
from app.channels import Live
from app.compiled import KEPT, Versions
from app.runtime import Runtime
from tests.again import Again
from tests.shop import change, open_shop, rows, said, take_in

ORDER = """
bot: Shop
rules:
  - {name: order, when: {says: order}, do: [{start: order}]}
  - name: note
    when: {says: note}
    do: [{tag: [a, b]}, {field: {size: "{{ 6 * 7 }}", word: "{{ message.text }}"}}, {say: "{{ contact.tags }}"}]
  - {name: unnote, when: {says: forget}, do: [{untag: a}, {field: {size: "{{ none }}"}}]}
  - {name: bye, when: {says: bye}, do: [{say: Bye.}, {close: }]}
fallback: {do: [{say: Sorry.}]}
flows:
  order:
    - ask: {text: "What?", save: item}
    - ask: {text: "How many?", expect: integer, save: many, retries: 9}
    - say: "first: {{ many }} {{ item }}"
"""
SECOND = ORDER.replace("first:", "second:").replace("How many?", "What number?")


async def publish(rt: Runtime, document: str) -> None:
    [(bot_id, revision)] = await rows(rt, "select id, draft_revision from bot")
    [(channel_id,)] = await rows(rt, "select id from channel")
    await bots.save_draft(rt, bot_id, document, revision, None)
    await bots.publish(rt, bot_id, [channel_id], "", None)


async def talk(rt: Runtime, live: Live, *messages: str) -> list[str]:
    """The texts of the bot's answers to these."""
    before = len(await answers(rt))
    for words in messages:
        await take_in(rt, live, said(rt, words))
    return (await answers(rt))[before:]


async def answers(rt: Runtime) -> list[str]:
    return [text for (text,) in await rows(rt, "select text from message where direction = 'out' order by id")]


async def kept(rt: Runtime) -> tuple[int | None, State]:
    [(version_id, state)] = await rows(rt, "select version_id, state from conversation")
    return version_id, msgspec.json.decode(state, type=State)


async def test_a_flow_ends_with_the_version_it_began_with(rt: Runtime) -> None:
    live = await open_shop(rt, ORDER)
    first = live.here.version_id
    assert await talk(rt, live, "order", "bread") == ["What?", "How many?"]
    assert (await kept(rt))[0] == first
    await publish(rt, SECOND)
    assert live.here.version_id != first
    assert await talk(rt, live, "x", "4") == ["How many?", "first: 4 bread"]
    version_id, state = await kept(rt)
    assert version_id is None and state.frames == () and state.variables == {"item": "bread", "many": 4}
    assert await talk(rt, live, "order", "cake", "5") == ["What?", "What number?", "second: 5 cake"]
    await Again().decide(rt)


async def test_versions_of_running_flows_are_ready_after_a_start_and_stay(rt: Runtime) -> None:
    live = await open_shop(rt, ORDER)
    await talk(rt, live, "order")
    await publish(rt, SECOND)
    await publish(rt, SECOND.replace("second", "third"))
    fresh = Versions(rt.db)
    await fresh.load_live()
    [(count,)] = await rows(rt, "select count(*) from version")
    version_id, _ = await kept(rt)
    assert version_id is not None and count == 3 and isinstance(fresh.get(version_id), Version)
    [(bot_id,)] = await rows(rt, "select id from bot")
    for number in range(KEPT + 2):
        tried = await rt.db.write(bots.snapshot, bot_id, f"bot: T\nlanguage: en\n# {number}\n")
        await fresh.load(tried)
    assert isinstance(fresh.get(version_id), Version)


async def test_tags_and_fields_are_written_with_the_turn(rt: Runtime) -> None:
    live = await open_shop(rt, ORDER)
    assert await talk(rt, live, "note") == ["a, b"]
    [(tags, fields)] = await rows(rt, "select tags, fields from contact")
    assert msgspec.json.decode(tags) == ["a", "b"] and msgspec.json.decode(fields) == {"size": 42, "word": "note"}
    await talk(rt, live, "forget")
    [(tags, fields)] = await rows(rt, "select tags, fields from contact")
    assert msgspec.json.decode(tags) == ["b"] and msgspec.json.decode(fields) == {"word": "note"}
    await Again().decide(rt)


async def test_a_bot_closes_and_answers_when_the_customer_writes_again(rt: Runtime) -> None:
    live = await open_shop(rt, ORDER)
    assert await talk(rt, live, "bye") == ["Bye."]
    [(closed, mode, budget)] = await rows(rt, "select closed_at, mode, budget from conversation")
    assert closed == rt.clock.now() and mode == "bot" and budget
    assert await talk(rt, live, "order") == ["What?"]
    assert await rows(rt, "select closed_at from conversation") == [(None,)]


async def test_a_person_who_takes_the_conversation_ends_the_flow(rt: Runtime) -> None:
    live = await open_shop(rt, ORDER)
    await talk(rt, live, "order", "bread")
    [(conversation_id,)] = await rows(rt, "select id from conversation")
    await change(rt, "insert into app_user (id, email, email_folded, name, role, password_hash, created_at)"
                     " values (5, 'a', 'a', 'A', 'owner', '', 0)")  # fmt: skip
    await handoff.take(rt, conversation_id, 5)
    assert await talk(rt, live, "4") == []
    await handoff.give_back(rt, conversation_id)
    assert await talk(rt, live, "4") == ["Sorry."]
    assert (await kept(rt))[1].variables == {"item": "bread"}
    await Again().decide(rt)


async def test_P16_when_the_budget_is_used_up_the_flow_is_left_and_what_was_noted_stays(rt: Runtime) -> None:
    asking = (
        'bot: Shop\nrules:\n  - name: r\n    when: {says: go}\n    do: [{label: a}, {ask: {text: "q {{ n }}", save: n}}'
    )
    live = await open_shop(rt, f'{asking}, {{tag: "t{{{{ n }}}}"}}, {{goto: a}}]\n')
    await talk(rt, live, "go", *map(str, range(REPLIES)))
    version_id, state = await kept(rt)
    assert version_id is None and state.frames == () and state.waiting is None
    [(mode, tags)] = await rows(rt, "select v.mode, c.tags from conversation v join contact c on c.id = v.contact_id")
    assert mode == "waiting" and f"t{REPLIES - 1}" in msgspec.json.decode(tags)
    assert len(await answers(rt)) == REPLIES
