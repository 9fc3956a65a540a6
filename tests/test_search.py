"""Searching in messages, on both databases: what is found, in every script, and that nothing erased is left."""

from itertools import accumulate

import pytest

from app import connecting, erase, inbox, people, search, words
from app import content as c
from app.connectors.base import Address, Inbound
from app.db import Statement
from app.runtime import Runtime
from app.store import search as store
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio
SAID = [
    "Olá! Quero um BOLO de limão, por favor",
    "Good morning, don't forget the crème brûlée",
    "السَّلامُ عليكم، أريد كعكة الشوكولاتة",
    "明日の朝、東京駅でケーキを受け取ります",
    "ขอสั่งเค้กช็อกโกแลตหนึ่งก้อน",
    "Спасибо, торт чудесный",
    "🎂🎉👩‍👩‍👧 party at 8:30",
    "שָׁלוֹם, עוגה בבקשה",
    "order 4711 for ana.beatriz@example.com",
    "x" * 5000,
]


@pytest.fixture
async def shop(rt: Runtime) -> Runtime:
    await connecting.add(
        rt.channels,
        "whatsapp_cloud",
        "Shop",
        {"phone_number_id": "206540352242922", "access_token": "t", "app_secret": "s", "verify_token": "v"},
    )
    for live in rt.channels.by_id.values():
        live.sender.open = False
    return rt


async def hears(rt: Runtime, said: c.Content, phone: str = "5511999990001", name: str = "") -> None:
    live = next(live for live in rt.channels.by_id.values() if live.row.name == "Shop")
    heard = Inbound(
        live.row.account, name or f"wamid.{rt.clock.now()}.{phone}", Address(phone=phone, wa_id=phone), rt.clock.now(),
        said, b"{}",
    )  # fmt: skip
    await rt.db.write(inbox.receive, rt.channels.intake, live.here, heard)


async def found(rt: Runtime, text: str, **more: int | str | None) -> list[str]:
    await search.keep(rt.db)
    return [hit.text for hit in await search.find(rt.db, search.Wanted(text, **more))]


async def test_words_are_found_in_every_script_however_they_are_typed(shop: Runtime, clock: ManualClock) -> None:
    for said in SAID:
        clock.advance(1)
        await hears(shop, c.Text(said))
    for text, number in {
        "limao": 0, "LIMÃO bolo": 0, '"bolo de limao"': 0, "quer": 0, "creme brulee": 1, "don't": 1, "don\u2019t": 1,
        "السلام": 2, "شوكولات": None, "الشوكولاته": 2, "اريد": 2, "東京": 3, "京駅": 3, "ケーキ": 3, "朝、東": 3,
        "เค้ก": 4, "спасибо": 5, "ЧУДЕСН": 5, "🎂 party": 6, "8:30": 6, "שלום": 7, "ana.beatriz@example.com": 8,
        "٤٧١١": 8, "471": 8, '"471"': None, "beatriz ana order": 8, "bolo torta": None,
        "京東": None, "x" * 60: 9, "mao": None,
    }.items():  # fmt: skip
        assert await found(shop, text) == ([] if number is None else [SAID[number]]), text


TYPED = [
    '"', 'bolo"', '""" OR', "a AND (b", "words:x", "NEAR(a b)", "-bolo", "^b*", "bolo*", "'; drop table message; --",
    "a:* & b | !c <-> d", "\\", "{words}:a", "é\u0301\u200d", "bolo\0", "§c1", "OR", "\ud7ff\uffff", "%s %(x)s :x",
]  # fmt: skip


async def test_nothing_that_is_typed_is_an_operator(shop: Runtime) -> None:
    await hears(shop, c.Text("nothing like it"))
    for text in TYPED:
        try:
            assert await found(shop, text) == [], text
        except search.Invalid as error:
            assert "Type a word" in str(error.said)


async def test_filters_and_pages(shop: Runtime, clock: ManualClock) -> None:
    began = clock.now()
    for number in range(7):
        clock.advance(86_400)
        await hears(shop, c.Text(f"cake number {number}"), phone=f"551199999000{number % 2}")
    rows = await search.find(shop.db, search.Wanted("cake")) or (await search.keep(shop.db))
    rows = await search.find(shop.db, search.Wanted("cake"))
    assert [hit.text[-1] for hit in rows] == list("6543210")
    first = await search.find(shop.db, search.Wanted("cake"), limit=3)
    then = await search.find(shop.db, search.Wanted("cake"), before=first[-1].id, limit=3)
    assert [hit.text[-1] for hit in [*first, *then]] == list("654321")
    ana = rows[0]
    assert len(await found(shop, "cake", contact_id=ana.contact_id)) == 4
    assert len(await found(shop, "cake", conversation_id=ana.conversation_id, author="contact")) == 4
    assert len(await found(shop, "cake", channel_id=ana.channel_id)) == 7
    for nowhere in ({"channel_id": 1}, {"contact_id": 1}, {"author": "bot"}, {"since": 2**60}, {"until": 0}):
        assert await found(shop, "cake", **nowhere) == []
    day = 86_400_000
    assert await found(shop, "cake", since=began + 2 * day, until=began + 4 * day) == ["cake number 2", "cake number 1"]


async def test_what_changes_is_found_as_it_is_now(shop: Runtime, clock: ManualClock) -> None:
    await hears(shop, c.Text("strawberry"), name="wamid.1")
    assert await found(shop, "strawberry") == ["strawberry"]
    clock.advance(1)
    await hears(shop, c.Edit("wamid.1", c.Text("raspberry")))
    assert await found(shop, "strawberry") == []
    assert await found(shop, "raspberry") == ["raspberry"]
    clock.advance(1)
    await hears(shop, c.Delete("wamid.1"))
    assert await found(shop, "raspberry") == []


async def test_two_contacts_that_become_one_have_the_messages_of_both(shop: Runtime, clock: ManualClock) -> None:
    await hears(shop, c.Text("first cake"), phone="5511999990001")
    clock.advance(1)
    await hears(shop, c.Text("second cake"), phone="5511999990002")
    assert len(await found(shop, "cake")) == 2
    second, first = await search.find(shop.db, search.Wanted("cake"))
    await people.unite(shop.db, first.contact_id, second.contact_id)
    assert len(await found(shop, "cake", contact_id=first.contact_id)) == 2
    assert len(await found(shop, "cake", conversation_id=first.conversation_id)) == 2


async def test_nothing_of_an_erased_person_is_left_in_the_index_or_in_any_file(shop: Runtime) -> None:
    """Not a word in the file, its log, or what the index keeps beside."""
    for number in range(120):
        await hears(shop, c.Text(f"zanzibarquux secretword{number} vanillaxyz"), name=f"wamid.{number}")
    await hears(shop, c.Text("unlikely kept"), phone="5511999990002")
    hits = await found(shop, "zanzibarquux")
    assert len(hits) == 50
    hit = (await search.find(shop.db, search.Wanted("zanzibarquux")))[0]
    await erase.contact(shop, hit.contact_id)
    assert await found(shop, "zanzibarquux") == [] and await found(shop, "unlikely") == ["unlikely kept"]
    if shop.db.dialect == "sqlite":
        for path in shop.settings.data.glob("parley.db*"):
            assert b"zanzibar" not in path.read_bytes(), path.name
            assert b"cretword" not in path.read_bytes(), path.name
            assert b"vanillaxyz" not in path.read_bytes(), path.name


async def test_what_disappears_leaves_the_index_with_it(shop: Runtime) -> None:
    await hears(shop, c.Text("see you at noon"))
    assert await found(shop, "noon") == ["see you at noon"]
    await shop.db.write(lambda tx: tx.run(Statement("update message set expires_at = 1")))
    assert await erase.disappeared(shop.db, shop.media) == 1
    assert await found(shop, "noon") == [] and await shop.db.reader.one(store.INDEXED) is None


def test_in_a_rush_the_index_waits_but_not_for_ever() -> None:
    assert search.rounds_waited(400, 0) == 0
    waits = list(accumulate(range(40), lambda waited, _: search.rounds_waited(401, waited), initial=0))
    assert waits[:31] == list(range(31)) and waits[31] == 0
    assert search.rounds_waited(0, 12) == 0


def test_an_excerpt_shows_the_place_and_marks_it() -> None:
    text = "word " * 100 + "the Crème brûlée of ours " + "rest " * 100
    marks = words.excerpt(text, words.phrases('"creme brulee" our'))
    assert [mark.text for mark in marks if mark.hit] == ["Crème brûlée", "ours"]
    assert marks[0].text == "…" and marks[-1].text == "…" and sum(len(mark.text) for mark in marks) <= 162
    assert words.excerpt("東京駅で", words.phrases("京駅"))[1] == words.Mark("京駅", True)
    assert words.excerpt("<b>hi", words.phrases("nothing")) == [words.Mark("<b>hi", False)]
