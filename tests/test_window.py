"""The 24 hours of free replies, and what the Cloud API tells besides messages, against the fake Graph."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app import content as c
from app import handoff, message_templates, sending, users, window
from app.account_facts import ask, seen
from app.connectors.base import Address
from app.connectors.whatsapp_cloud.limits import CAPABILITIES
from app.errors import Conflict, Invalid
from app.files import Kept
from app.outbox import SLOTS
from app.runtime import Runtime
from app.store import account_facts
from tests.clock import ManualClock
from tests.cloud_house import Connected, connected
from tests.fakes.graph.inbound import PIXEL
from tests.shop import network, open_shop, rows, said, take_in

pytestmark = pytest.mark.anyio
DAY = 86_400
WHO = "16505551234"


@pytest.fixture
async def shop(tmp_path: Path, database_url: str) -> AsyncIterator[Connected]:
    async with connected(tmp_path, database_url) as house:
        yield house


async def one(rt: Runtime, sql: str, **params: Any) -> Any:
    found = await rows(rt, sql, **params)
    return found[0] if found else None


# ---- the window ------------------------------------------------------------------------------------------------------


async def test_a_day_after_the_last_message_people_and_programs_are_refused_and_a_template_goes(
    rt: Runtime, clock: ManualClock
) -> None:
    live = await open_shop(rt)
    user = await users.create_owner(rt, email="r@luna.example", name="Rosa", password="purple kettle walks nine")
    chat = (await take_in(rt, live, said(rt, "hi"))).conversation_id
    clock.advance(DAY - 60)
    await handoff.reply(rt, chat, c.Text("still open"), user)
    clock.advance(120)
    to = sending.Recipient(address=Address(phone=WHO))
    with pytest.raises(Conflict) as caught:
        await handoff.reply(rt, chat, c.Text("too late"), user)
    assert caught.value.code == "window_closed" and "only a template" in str(caught.value)
    with pytest.raises(Conflict) as caught:
        await rt.db.write(sending.send, live.here, to, c.Text("too late"))
    assert caught.value.code == "window_closed"
    await rt.db.write(sending.send, live.here, to, c.Template("hello_world", "en_US"))
    await take_in(rt, live, said(rt, "me again"))
    await rt.db.write(sending.send, live.here, to, c.Text("open again"))
    assert not await rows(rt, "select 1 from message where text = 'too late'")


async def test_what_waited_until_it_was_too_late_fails_in_the_thread_before_the_network_hears_of_it(
    rt: Runtime, clock: ManualClock
) -> None:
    live = await open_shop(rt)
    edge = network(live)
    await take_in(rt, live, said(rt, "hi"))
    clock.advance(DAY + 60)
    live.sender.start()
    await until(rt, "select 1 from message where status = 'failed' and problem like '%send.window%'")
    assert edge.sent == [] and not await rows(rt, "select 1 from outbox")
    assert live.sender._free == SLOTS


async def until(rt: Runtime, sql: str) -> None:
    async with asyncio.timeout(5):
        while not await rows(rt, sql):
            await asyncio.sleep(0.01)


async def test_only_what_the_customer_says_opens_the_window(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt)
    chat = (await take_in(rt, live, said(rt, "hi"))).conversation_id
    (heard,) = await one(rt, "select heard_at from conversation where id = :id", id=chat)
    clock.advance(3600)
    for told in (c.System("user_preferences"), c.Delete("x"), c.System("call_ended")):
        await take_in(rt, live, said(rt, told))
        assert await one(rt, "select heard_at from conversation where id = :id", id=chat) == (heard,)
    await take_in(rt, live, said(rt, c.System("call")))
    assert await one(rt, "select heard_at from conversation where id = :id", id=chat) > (heard,)


def test_where_nobody_wrote_nothing_is_known_and_the_network_decides() -> None:
    now = 1_790_000_000_000
    assert not window.refuses(CAPABILITIES, c.Text("hi"), 0, now)
    assert window.window(CAPABILITIES, 0, now).unknown
    assert window.refuses(CAPABILITIES, c.Text("hi"), now - DAY * 1000, now)
    assert not window.refuses(CAPABILITIES, c.Text("hi"), now - DAY * 1000 + 1, now)


def test_72_hours_are_free_after_an_answer_within_a_day_to_somebody_from_an_ad() -> None:
    entered = 1_790_000_000_000
    assert window.free_until(0, entered, entered + 1000) == entered + 1000 + 72 * 3_600_000
    assert window.free_until(0, entered, entered + DAY * 1000 + 1) == window.free_until(0, 0, 0) == 0
    assert window.free_until(entered + 5, entered, 0) == entered + 5


# ---- files and templates from the composer ---------------------------------------------------------------------------


async def chat_of(shop: Connected) -> tuple[int, int]:
    """A conversation that is open, and who answers in it."""
    user = await users.create_owner(shop.rt, email="r@luna.example", name="Rosa", password="purple kettle walks nine")
    await shop.graph.inbound(WHO, "hello")

    async def there() -> Any:
        return await one(shop.rt, "select v.id from conversation v where v.heard_at > 0")

    return (await shop.until(there))[0], user


async def test_a_file_goes_up_once_and_is_sent_by_its_id(shop: Connected) -> None:
    chat, user = await chat_of(shop)
    sha = await shop.rt.media.add(PIXEL)
    for caption in ("one", "two"):
        kept = Kept(sha, len(PIXEL), "image/png", "cake.png")
        await handoff.reply(shop.rt, chat, c.Image(mime="image/png", size=len(PIXEL), caption=caption), user, kept)
    sent = await shop.graph.wait_accepted(2)
    ids = [body["body"]["image"]["id"] for body in sent]
    assert ids[0] == ids[1] and shop.graph.graph.world.media.files[ids[0]].data == PIXEL
    assert [body["body"]["image"]["caption"] for body in sent] == ["one", "two"]
    assert len(await rows(shop.rt, "select 1 from media where state = 'stored' and message_id is not null")) == 2


async def test_a_template_with_a_picture_of_ours_reaches_the_network_in_its_form(shop: Connected) -> None:
    chat, user = await chat_of(shop)
    await message_templates.fetch(shop.rt, shop.live.row.id)
    kept = Kept(await shop.rt.media.add(PIXEL), len(PIXEL), "image/png", "cake.png")
    body = {"type": "body", "parameters": [{"type": "text", "text": "20 %"}]}
    button = {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "cake"}]}
    picture = c.Image(mime="image/png", size=len(PIXEL))
    given = c.Template("spring_sale", "en", (body, button), file=picture)
    sale = await message_templates.fitting(shop.rt.db.reader, shop.live.row.id, given)
    assert sale.text == "20 % off everything this week." and sale.buttons == ("Shop",), "as a customer reads it"
    await handoff.reply(shop.rt, chat, sale, user, kept)
    (sent,) = await shop.graph.wait_accepted(1)
    header = sent["body"]["template"]["components"][0]["parameters"][0]
    assert header["type"] == "image" and header["image"]["id"].isdigit()
    with pytest.raises(Invalid, match="button “Shop” needs a value"):
        await message_templates.fitting(shop.rt.db.reader, shop.live.row.id, c.Template("spring_sale", "en", (
            {"type": "header", "parameters": [{"type": "image"}]}, body)))  # fmt: skip


# ---- what else the network tells -------------------------------------------------------------------------------------


async def test_an_answer_from_the_phone_silences_the_bot(shop: Connected) -> None:
    chat, _user = await chat_of(shop)
    await shop.graph.call("POST", "echo", to=WHO, text="I am here myself")
    await until(shop.rt, "select 1 from conversation where mode = 'person' and taken_by is null")
    assert await one(shop.rt, "select author, direction from message where text = 'I am here myself'") == (
        "phone", "out"
    )  # fmt: skip
    await handoff.give_back(shop.rt, chat)
    assert await one(shop.rt, "select mode from conversation") == ("bot",)


async def test_calls_stand_in_the_conversation(shop: Connected) -> None:
    await chat_of(shop)
    number = shop.graph.number
    value = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": number.display_phone_number, "phone_number_id": number.phone_number_id
        },
        "contacts": [{"profile": {"name": "Ana"}, "wa_id": WHO}],
    }  # fmt: skip
    call = {"id": "wacid.1=", "from": WHO, "to": number.display_phone_number, "direction": "USER_INITIATED"}
    begun = {"event": "connect", "timestamp": "1800000000", "session": {"sdp": "secret", "sdp_type": "offer"}}
    ended = {"event": "terminate", "timestamp": "1800000120", "status": "COMPLETED", "duration": 120}
    for more in (begun, ended):
        await shop.graph.call("POST", "webhook", field="calls", value=value | {"calls": [call | more]})
    await until(shop.rt, "select 1 from message where content like '%call_ended%'")
    found = await rows(shop.rt, "select content from message where kind = 'system'")
    assert len(found) == 2 and not any("secret" in text for (text,) in found)
    assert await one(shop.rt, "select count(*), max(unread) from conversation") == (1, 2)


async def test_how_the_number_stands_is_asked_told_and_shown_where_it_fell(shop: Connected) -> None:
    channel = shop.live.row.id
    await ask(shop.rt, channel)
    facts = {row.name: row for row in await shop.rt.db.reader.all(account_facts.OF_CHANNEL, channel_id=channel)}
    assert (facts["quality"].value, facts["limit"].value, facts["name"].value) == ("GREEN", "TIER_1K", "Lucky Shrub")
    number = shop.graph.number.display_phone_number
    for at, value in enumerate((
        {"display_phone_number": number, "event": "DOWNGRADE", "current_limit": "TIER_250"},
        {"display_phone_number": number, "event": "FLAGGED"},
    )):  # fmt: skip
        time = shop.rt.clock.now() // 1000 + 10 + at
        await shop.graph.call("POST", "webhook", field="phone_number_quality_update", value=value, time=time)
    info = {
        "alert_severity": "CRITICAL",
        "alert_status": "ACTIVE",
        "alert_type": "OBA_BLOCKED",
        "alert_description": "x",
    }
    alert = {"entity_type": "BUSINESS", "entity_id": "1", "alert_info": info}
    later = shop.rt.clock.now() // 1000 + 20
    await shop.graph.call("POST", "webhook", field="account_alerts", value=alert, time=later)
    await until(shop.rt, "select 1 from account_fact where name = 'alert.OBA_BLOCKED'")
    concerns = await shop.rt.db.reader.all(account_facts.CONCERNS, limit=10)
    assert {(one.name, one.value) for one in concerns} == {
        ("limit", "TIER_250"), ("limit_change", "DOWNGRADE"), ("quality", "FLAGGED"), ("alert.OBA_BLOCKED", "CRITICAL")
    }  # fmt: skip
    await shop.rt.db.write(seen, channel)
    assert not await shop.rt.db.reader.all(account_facts.CONCERNS, limit=10)
    over = alert | {"alert_info": info | {"alert_status": "NONE"}}
    await shop.graph.call("POST", "webhook", field="account_alerts", value=over, time=later + 1)
    await until(shop.rt, "select 1 from channel where not exists (select 1 from account_fact where name like 'alert%')")


async def test_the_phones_address_book_names_people_before_they_write(shop: Connected) -> None:
    entry = {"full_name": "Pablo Morales", "first_name": "Pablo", "phone_number": "16505550000", "user_id": "US.77"}
    told = {"type": "contact", "contact": entry, "action": "add", "metadata": {"timestamp": "1739321024"}}
    number = shop.graph.number
    metadata = {"display_phone_number": number.display_phone_number, "phone_number_id": number.phone_number_id}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "state_sync": [told]}
    await shop.graph.call("POST", "webhook", field="smb_app_state_sync", value=value)
    await until(shop.rt, "select 1 from contact where name = 'Pablo Morales' and phone = '16505550000'")
