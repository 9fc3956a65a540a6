"""Rules that ask for more than words, in the product: what reaches them, and when a person wrote before."""

from typing import cast

from app.content import Image, Reaction
from app.runtime import Runtime
from app.store import turns
from app.unanswered import MOST
from tests.clock import ManualClock
from tests.shop import open_shop, rows, said, take_in
from tests.test_flows import answers, talk

BOT = """
bot: Shop
rules:
  - {name: thanks, when: {reaction: ❤️}, do: [{say: Thank you!}]}
  - {name: welcome, when: {first: true}, continue: true, do: [{say: Welcome.}]}
  - {name: back, when: {first_after: 12h}, continue: true, do: [{say: Good to see you.}]}
  - {name: ad, when: {referral: {source_type: ad}}, do: [{tag: ad}, {say: About our offer.}]}
  - {name: picture, when: {media: image}, do: [{say: A picture.}]}
  - {name: hi, when: {says: hi}, do: [{say: Hi.}]}
fallback: {do: [{say: Sorry.}]}
"""


async def test_only_a_reaction_that_a_rule_asks_for_is_answered(rt: Runtime) -> None:
    live = await open_shop(rt, BOT)
    await talk(rt, live, "hi")
    before = await rows(rt, "select state from conversation")
    for emoji in ("😮", ""):
        await take_in(rt, live, said(rt, Reaction("m", emoji)))
    assert await rows(rt, "select state from conversation") == before
    assert await answers(rt) == ["Welcome.", "Good to see you.", "Hi."]
    outcome = await take_in(rt, live, said(rt, Reaction("m", "❤️")))
    assert (await answers(rt))[3:] == ["Thank you!"]
    codes = await rows(rt, "select code from turn order by id")
    assert codes == [("word",), ("silent",), ("event",)] and outcome.message_id
    [(bot_id,)] = await rows(rt, "select id from bot")
    assert await rt.db.reader.all(turns.MISSED, bot_id=bot_id, since=0, limit=MOST) == []


async def test_when_the_person_wrote_before_is_known(rt: Runtime) -> None:
    live, clock = await open_shop(rt, BOT), cast(ManualClock, rt.clock)
    assert await talk(rt, live, "hi", "hi") == ["Welcome.", "Good to see you.", "Hi.", "Hi."]
    clock.advance(12 * 3_600)
    assert await talk(rt, live, "hi", "hi") == ["Good to see you.", "Hi.", "Hi."]


async def test_a_picture_and_an_ad_reach_their_rules(rt: Runtime) -> None:
    live = await open_shop(rt, BOT)
    await talk(rt, live, "hi")
    await take_in(rt, live, said(rt, Image()))
    await take_in(rt, live, said(rt, "What is this?", referral={"source_type": "ad", "source_id": "7"}))
    assert (await answers(rt))[3:] == ["A picture.", "About our offer."]


async def test_a_reaction_is_not_gathered(rt: Runtime) -> None:
    live = await open_shop(rt, BOT.replace("bot: Shop", "bot: Shop\ngather: 3s"))
    await take_in(rt, live, said(rt, Reaction("m", "❤️")))
    assert await answers(rt) == ["Thank you!"]
