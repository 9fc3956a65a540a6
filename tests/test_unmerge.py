"""Undoing a merge: both are again who they were, and what came since goes by the name it came from."""

import random
from collections import defaultdict
from typing import Any

import pytest

from app import erase, people, unmerge
from app.channels import Live
from app.content import Text
from app.errors import Conflict, NotFound
from app.runtime import Runtime
from tests.shop import open_shop, rows, said, take_in

ANA, BOB, EVA = "15550001001", "15550001002", "15550001003"


async def hears(rt: Runtime, live: Live, who: str, words: str, **more: Any) -> None:
    rt.clock.advance(1)
    await take_in(rt, live, said(rt, Text(words), who, **more))


async def person(rt: Runtime, who: str) -> int:
    [(contact_id,)] = await rows(rt, "select contact_id from identity where value = :who and kind = 'wa_id'", who=who)
    return int(contact_id)


async def chats(rt: Runtime) -> dict[int, list[str]]:
    """What was written and answered, by contact."""
    found = defaultdict(list)
    for contact_id, text in await rows(rt, """
        select v.contact_id, m.text from message m join conversation v on v.id = m.conversation_id
        order by v.contact_id, v.id, m.at, m.id
    """):  # fmt: skip
        found[contact_id].append(text.splitlines()[0])
    return dict(found)


async def merge(rt: Runtime, keep: int, gone: int) -> int:
    await people.unite(rt.db, keep, gone)
    [(merge_id,)] = await rows(rt, "select max(id) from contact_merge where keep_id = :keep", keep=keep)
    return int(merge_id)


async def sound(rt: Runtime) -> None:
    """What the lists show fits the messages that are there."""
    wrong = await rows(rt, """
        select v.id from conversation v
        where v.last_id is not null and v.last_id <> (
                select m.id from message m where m.conversation_id = v.id order by m.at desc, m.id desc limit 1)
           or exists (select 1 from message o join message m on m.id = o.turn_id
                      where o.conversation_id = v.id and m.conversation_id <> v.id)
           or exists (select 1 from turn t join message m on m.id = t.id
                      where t.conversation_id = v.id and m.conversation_id <> v.id)
           or exists (select 1 from outbox o join message m on m.id = o.message_id
                      where o.conversation_id = v.id and m.conversation_id <> v.id)
           or exists (select 1 from raw_update r join message m on m.id = r.message_id
                      where r.conversation_id = v.id and m.conversation_id <> v.id)
    """)  # fmt: skip
    assert wrong == []


async def test_two_people_who_were_one_for_a_while_are_two_again(rt: Runtime) -> None:
    live = await open_shop(rt)
    await hears(rt, live, ANA, "hi", name="Ana")
    await hears(rt, live, BOB, "hello", name="Bob")
    ana, bob = await person(rt, ANA), await person(rt, BOB)
    await rt.db.write(people.change, ana, people.Change(tags=("a",), fields={"x": 1, "own": "ana"}))
    await rt.db.write(people.change, bob, people.Change(tags=("a", "b"), fields={"x": 2, "y": 3}, language="es"))
    merge_id = await merge(rt, ana, bob)
    await hears(rt, live, ANA, "from ana", name="Ana")
    await hears(rt, live, BOB, "from bob", name="Bob")
    await rt.db.write(people.change, ana, people.Change(tags=("a", "b", "new"), fields={"own": "changed"}))
    assert list(await chats(rt)) == [ana], "one conversation for now"
    assert await unmerge.undo(rt.db, ana, merge_id) == bob
    sorry = "Sorry, I did not get that."
    assert await chats(rt) == {ana: ["hi", "Hi Ana!", "from ana", sorry], bob: ["hello", "Hi Bob!", "from bob", sorry]}
    cards = await rows(rt, "select name, tags, fields, language from contact order by id")
    assert cards == [
        ("Ana", '["a","new"]', '{"x":1,"own":"changed"}', ""),
        ("Bob", '["a","b"]', '{"x":2,"y":3}', "es"),
    ]
    tags = await rows(rt, "select tag, contact_id from contact_tag order by tag, contact_id")
    assert tags == [("a", ana), ("a", bob), ("b", bob), ("new", ana)]
    addresses = await rows(rt, "select address from conversation order by contact_id")
    assert [(ANA in one, BOB in one) for (one,) in addresses] == [(True, False), (False, True)]
    await sound(rt)
    await hears(rt, live, BOB, "again", name="Bob")
    assert (await chats(rt))[bob][-2:] == ["again", sorry]
    with pytest.raises(NotFound):
        await unmerge.undo(rt.db, ana, merge_id)
    lines = await rows(rt, "select action, subject, detail from audit order by seq desc limit 1")
    assert lines == [("contact.unmerged", str(ana), str(bob))]


@pytest.mark.parametrize("seed", range(4))
async def test_whoever_wrote_in_whatever_order_each_has_their_own_again(rt: Runtime, seed: int) -> None:
    """Chats of both on one channel, chats of one of them alone, and chats that began while they were one."""
    dice = random.Random(seed)
    live = await open_shop(rt)
    wrote: dict[str, list[str]] = {ANA: ["hi"], BOB: ["hi"]}
    for who in wrote:
        await hears(rt, live, who, "hi")
    ana, bob = await person(rt, ANA), await person(rt, BOB)

    async def some() -> None:
        for _ in range(dice.randrange(1, 6)):
            who, group = dice.choice((ANA, BOB)), dice.choice(("", "", "g1", "g2"))
            words = f"{who[-1]}{group}-{dice.random()}"
            wrote[who].append(words)
            await hears(rt, live, who, words, group=group, addressed=True)

    await some()
    merge_id = await merge(rt, *((ana, bob) if seed % 2 else (bob, ana)))
    await some()
    await unmerge.undo(rt.db, ana if seed % 2 else bob, merge_id)
    await some()
    await sound(rt)
    for contact, who in ((ana, ANA), (bob, BOB)):
        heard = await rows(rt, """
            select m.text, v.address from message m join conversation v on v.id = m.conversation_id
            where v.contact_id = :contact and m.direction = 'in'
        """, contact=contact)  # fmt: skip
        assert sorted(text for text, _ in heard) == sorted(wrote[who])
        assert all(who in address for _, address in heard)


async def test_who_had_a_chat_and_what_is_unread_go_with_it(rt: Runtime) -> None:
    live = await open_shop(rt)
    await hears(rt, live, ANA, "person")
    await hears(rt, live, BOB, "hi")
    ana, bob = await person(rt, ANA), await person(rt, BOB)
    merge_id = await merge(rt, bob, ana)
    await hears(rt, live, ANA, "is somebody there?")
    await hears(rt, live, BOB, "and me?")
    await unmerge.undo(rt.db, bob, merge_id)
    found = await rows(rt, "select contact_id, mode, unread from conversation order by contact_id")
    assert found == [(ana, "waiting", 2), (bob, "waiting", 1)], "the side that wrote last goes on with what there was"


async def test_the_newest_merge_is_undone_first_and_one_that_went_on_not_before(rt: Runtime) -> None:
    live = await open_shop(rt)
    for who in (ANA, BOB, EVA):
        await hears(rt, live, who, "hi")
    ana, bob, eva = [await person(rt, who) for who in (ANA, BOB, EVA)]
    first = await merge(rt, bob, eva)
    second = await merge(rt, ana, bob)
    with pytest.raises(NotFound):
        await unmerge.undo(rt.db, eva, first)
    with pytest.raises(Conflict, match="went into another"):
        await unmerge.undo(rt.db, bob, first)
    await hears(rt, live, EVA, "from eva")
    assert await unmerge.undo(rt.db, ana, second) == bob
    assert {who: len(said) for who, said in (await chats(rt)).items()} == {ana: 2, bob: 6}
    assert await unmerge.undo(rt.db, bob, first) == eva
    assert {who: len(said) for who, said in (await chats(rt)).items()} == {ana: 2, bob: 2, eva: 4}
    third, fourth = await merge(rt, ana, bob), await merge(rt, ana, eva)
    with pytest.raises(Conflict, match="newer merge"):
        await unmerge.undo(rt.db, ana, third)
    await unmerge.undo(rt.db, ana, fourth)
    await unmerge.undo(rt.db, ana, third)
    assert {who: len(said) for who, said in (await chats(rt)).items()} == {ana: 2, bob: 2, eva: 4}
    await sound(rt)


async def test_what_a_merge_remembers_is_erased_with_the_contact(rt: Runtime) -> None:
    live = await open_shop(rt)
    for who in (ANA, BOB):
        await hears(rt, live, who, "hi")
    ana, bob = await person(rt, ANA), await person(rt, BOB)
    await merge(rt, ana, bob)
    await hears(rt, live, BOB, "more")
    assert await rows(rt, "select count(*) from heard_as") == [(1,)]
    await erase.contact(rt, ana)
    for table in ("contact_merge", "merge_moved", "heard_as", "contact", "message"):
        assert await rows(rt, f"select count(*) from {table}") == [(0,)], table
