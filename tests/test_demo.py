"""A demo: what it fills, that it comes out the same, and that nothing of it is left when it is removed."""

import pytest

from app import bots, demo, documents, unanswered, users
from app.bot.document import parse
from app.demo import chats, editions, month
from app.demo.people import PEOPLE
from app.errors import Conflict, Invalid, NotFound
from app.runtime import Runtime
from tests.again import again
from tests.clock import ManualClock
from tests.shop import open_shop, rows, said, take_in

DAY = 86_400_000
MESSAGES = """
    select c.name, m.direction, m.author, m.kind, m.text, m.status, m.rule, m.at
    from message m join conversation v on v.id = m.conversation_id join contact c on c.id = v.contact_id
    join channel on channel.id = m.channel_id where channel.name = :demo
    order by m.at, c.phone, m.direction, m.text
"""
LEFT = ("contact", "identity", "conversation", "message", "turn", "outbox", "receipt", "raw_update", "media", "channel")


async def count(rt: Runtime, what: str) -> int:
    return int((await rows(rt, f"select count(*) from {what}"))[0][0])


async def test_a_demo_is_a_month_that_goes_when_it_is_removed_and_comes_again_the_same(rt: Runtime) -> None:
    rosa = await users.create_owner(rt, email="rosa@luna.example", name="Rosa", password="a cake with nine candles")
    made = await demo.fill(rt, seed=7, user_id=rosa)
    assert made.bot == "Bakery" and made.visits > 150 and made.people > 40
    await has_everything(rt, made.bot_id, rosa)
    await nobody_heard_of_the_past(rt)
    first = await rows(rt, MESSAGES, demo=made.channel)
    files = [path for path in rt.media.folder.rglob("*") if path.is_file()]
    assert first and files
    await again.decide(rt)  # nothing of it is left for this at the end
    assert await demo.remove(rt) == made.people
    assert {table: await count(rt, table) for table in LEFT} == dict.fromkeys(LEFT, 0)
    assert not any(path.exists() for path in files)
    assert (await bots.get(rt.db.reader, made.bot_id)).name == "Bakery"
    with pytest.raises(NotFound):
        await demo.remove(rt)
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi"))
    with pytest.raises(Conflict, match="--anyway"):
        await demo.fill(rt)
    made = await demo.fill(rt, seed=7, anyway=True)
    assert await rows(rt, MESSAGES, demo=made.channel) == first
    with pytest.raises(Conflict, match="--remove"):
        await demo.fill(rt, anyway=True)
    assert await demo.remove(rt) == made.people
    assert await count(rt, "conversation") == 1, "what is real stays"
    assert live.row.version_id == (await rows(rt, "select version_id from channel where name = 'Shop'"))[0][0]


async def has_everything(rt: Runtime, bot_id: int, rosa: int) -> None:
    now = rt.clock.now()
    first, last = (await rows(rt, "select min(at), max(at) from message"))[0]
    assert now - 31 * DAY < first < now - 28 * DAY and now - 600_000 < last <= now
    assert await count(rt, "turn where error <> ''") == 0
    for what in (
        "conversation where mode = 'waiting' and waiting_since > {recent}",
        "conversation where mode = 'person' and taken_by = {rosa}",
        "message where author = 'user' and status = 'read'",
        "message where author = 'user' and status = 'failed' and at > {recent}",
        "outbox where state = 'held'",
        "media where state = 'stored' and mime = 'image/png'",
        "media where state = 'stored' and mime = 'audio/wav'",
        "message where kind = 'location'",
        "message where kind = 'reaction'",
        "message where kind = 'list_reply'",
        "message where kind = 'button_reply' and reply_to <> ''",
        "contact where tags like '%customer%' and fields like '%last_order%'",
    ):
        assert await count(rt, what.format(recent=now - DAY, rosa=rosa)), what
    assert not await count(rt, f"conversation where waiting_since < {now - DAY}")
    assert not await count(rt, "outbox where state <> 'held'")
    numbers = await rows(rt, "select number, note, published_at from version where number is not null order by number")
    assert [number for number, *_ in numbers] == [1, 2, 3] and numbers[0][2] < first < numbers[2][2] < last
    missed = await unanswered.missed(rt, await bots.get(rt.db.reader, bot_id), 30)
    assert missed.groups and missed.answered, "the draft answers some of what was missed"


async def nobody_heard_of_the_past(rt: Runtime) -> None:
    await rt.db.settled()
    told = [name for (name,) in await rows(rt, "select type from event where type like 'message.%'")]
    # What may be told is that a picture can be shown by now, whoever looks at it.
    assert set(told) <= {"message.updated"} and len(told) <= await count(rt, "media")


def test_another_seed_makes_another_month(clock: ManualClock) -> None:
    chosen = chats.of("bakery", parse(next(s.text for s in documents.starters() if s.key == "bakery")))
    assert month.plan("7", chosen, clock.now(), "UTC") != month.plan("8", chosen, clock.now(), "UTC")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the month above knows both
async def test_a_demo_with_calls_before_set_up_calls_nothing_and_keeps_set_up_open(rt: Runtime) -> None:
    await demo.fill(rt, starter="order")
    assert await count(rt, "turn where error <> ''") == 0
    assert await count(rt, "message where author = 'bot' and text like '%on its way with Green Post%'")
    assert await count(rt, "job where kind in ('call', 'timer')") == 0, "nothing is called, and nothing comes due"
    (paulo,) = await users.list_all(rt)
    assert paulo.disabled_at is not None
    await users.create_owner(rt, email="rosa@luna.example", name="Rosa", password="a cake with nine candles")


async def test_a_starter_that_does_not_exist_is_told_with_those_that_do(rt: Runtime) -> None:
    with pytest.raises(Invalid, match="bakery"):
        await demo.fill(rt, starter="zoo")


@pytest.mark.parametrize("starter", documents.starters(), ids=lambda starter: starter.key)
def test_every_starter_has_a_month_and_grew(starter: documents.Starter, clock: ManualClock) -> None:
    visits = month.plan("1", chats.of(starter.key, parse(starter.text)), clock.now(), "Pacific/Auckland")
    assert len(visits) > 120 and {visit.end for visit in visits} == {"over", "waiting", "taken"}
    assert [visit.at for visit in visits] == sorted(visit.at for visit in visits)
    assert visits[-1].at < clock.now()
    texts = [edition.text for edition in editions.grown(starter.key, starter.text)]
    assert texts[-1] == starter.text and len(texts) > (starter.key != "blank")
    for text in (*texts, editions.draft(starter.text)):
        parse(text)
    assert len(parse(editions.draft(starter.text)).rules) == len(parse(starter.text).rules) + 1


def test_no_made_up_number_can_be_somebodys() -> None:
    numbers = [int(person.phone) for person in PEOPLE]
    assert len(set(numbers)) == len(numbers)
    assert all(447700900000 <= number <= 447700900999 for number in numbers)
