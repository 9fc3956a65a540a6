"""What came while a channel was away: nobody is answered without being asked, and what somebody decides happens."""

from typing import Any

import pytest

from app import away, handoff
from app.channels import Live
from app.connectors.base import Address
from app.content import Reaction
from app.errors import Invalid
from app.runtime import Runtime
from tests.shop import open_shop, rows, said, take_in

pytestmark = pytest.mark.anyio
OUT = "select count(*) from message where direction = 'out'"
LEFT = "select count(*) from away"
MINUTE = 60_000


def late(rt: Runtime, words: Any, who: str = "16505551234") -> Any:
    return said(rt, words, who, at=rt.clock.now() - 30 * MINUTE, away=True)


async def left(rt: Runtime) -> tuple[Live, int]:
    """Two messages of one person, and the conversation that they are in."""
    live = await open_shop(rt)
    await take_in(rt, live, late(rt, "twice"))
    outcome = await take_in(rt, live, late(rt, "hi"))
    assert (await rows(rt, OUT), await rows(rt, LEFT)) == ([(0,)], [(2,)])
    assert await rows(rt, "select unread, mode from conversation") == [(2, "bot")]
    return live, outcome.conversation_id


async def test_bot_answers_once_for_all_when_it_is_told_to(rt: Runtime) -> None:
    live, conversation_id = await left(rt)
    assert await away.decide(rt, live.row.id, "answer", conversation_id) == 1
    assert await rows(rt, "select input like '%twice%hi%' from turn where error = ''") in ([(1,)], [(True,)])
    assert (await rows(rt, OUT), await rows(rt, LEFT)) == ([(1,)], [(0,)])
    assert await rows(rt, "select unread, mode from conversation") == [(0, "bot")]
    assert await away.decide(rt, live.row.id, "answer", conversation_id) == 0


async def test_skipped_is_not_answered_and_handed_over_waits_for_a_person(rt: Runtime) -> None:
    live, _ = await left(rt)
    await away.decide(rt, live.row.id, "skip")
    assert await rows(rt, "select unread, mode from conversation") == [(0, "bot")]
    await take_in(rt, live, late(rt, "hi", "16505550002"))
    assert await away.decide(rt, live.row.id, "hand_over") == 1
    assert await rows(rt, "select mode, waiting_for from conversation where mode <> 'bot'") == [
        ("waiting", away.REASON)
    ]
    assert (await rows(rt, OUT), await rows(rt, LEFT)) == ([(0,)], [(0,)])
    with pytest.raises(Invalid):
        await away.decide(rt, live.row.id, "burn")


async def test_fresh_message_is_answered_while_the_old_ones_wait(rt: Runtime) -> None:
    live, _ = await left(rt)
    await take_in(rt, live, said(rt, "hi"))
    assert (await rows(rt, OUT), await rows(rt, LEFT)) == ([(1,)], [(2,)])


async def test_person_who_takes_the_conversation_has_decided(rt: Runtime) -> None:
    _, conversation_id = await left(rt)
    await handoff.take(rt, conversation_id, 5)
    assert await rows(rt, LEFT) == [(0,)]


async def test_what_no_bot_would_answer_is_not_listed(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, late(rt, Reaction("wamid.1", "👍")))
    await take_in(rt, live, said(rt, "person"))
    await take_in(rt, live, late(rt, "hi"))
    assert await rows(rt, LEFT) == [(0,)]


async def test_two_contacts_that_become_one_keep_what_is_listed(rt: Runtime) -> None:
    live = await open_shop(rt)
    phone, lid = Address(wa_id="15557770001"), Address(lid="200015557770001")
    await take_in(rt, live, said(rt, "hi", sender=phone, at=rt.clock.now() - 30 * MINUTE, away=True))
    await take_in(rt, live, said(rt, "hi", sender=lid, at=rt.clock.now() - 30 * MINUTE, away=True))
    await take_in(rt, live, said(rt, "hello", sender=Address(wa_id=phone.wa_id, lid=lid.lid)))
    assert await rows(rt, "select count(*), count(distinct conversation_id) from away") == [(2, 1)]


async def test_word_of_the_owner_at_the_phone_takes_the_conversation(rt: Runtime) -> None:
    live, conversation_id = await left(rt)
    await take_in(rt, live, said(rt, "I am here", echo=True))
    assert await rows(rt, "select mode, taken_by, unread from conversation") == [("person", None, 0)]
    assert await rows(rt, LEFT) == [(0,)]
    await take_in(rt, live, said(rt, "hi"))
    assert await rows(rt, "select count(*) from turn") == [(0,)]
    await handoff.give_back(rt, conversation_id)
    await take_in(rt, live, said(rt, "hi"))
    assert await rows(rt, "select count(*) from turn") == [(1,)]
