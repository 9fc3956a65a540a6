"""Templates from the network and back, against the fake Graph: fetched in pages, reviewed by webhook, changed, deleted,
and refused in plain words."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app import connecting, message_templates
from app.connectors.account import Draft
from app.errors import Conflict, Invalid
from app.store import message_templates as store
from app.store.message_templates import Row
from tests.cloud_house import Connected, connected

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shop(tmp_path: Path, database_url: str) -> AsyncIterator[Connected]:
    async with connected(tmp_path, database_url, strict_templates=True) as house:
        yield house


def draft(name: str = "order_ready", text: str = "Hello {{1}}, your order {{2}} is ready.", **more: Any) -> Draft:
    body = {"type": "BODY", "text": text, "example": {"body_text": [["Ana", "4711"]]}}
    return Draft(name, "en", "UTILITY", more.pop("components", (body,)), **more)


async def row(shop: Connected, name: str) -> Row | None:
    found = await shop.rt.db.reader.all(store.LIST, channel_id=shop.live.row.id, name="", language="", limit=500)
    return next((one for one in found if one.name == name), None)


async def becomes(shop: Connected, name: str, **wanted: str) -> Row:
    async def holds() -> Row | None:
        found = await row(shop, name)
        return found if found and all(getattr(found, key) == value for key, value in wanted.items()) else None

    found: Row = await shop.until(holds)
    return found


async def test_a_draft_is_submitted_reviewed_and_told_of(shop: Connected) -> None:
    made = await message_templates.create(shop.rt, shop.live.row.id, draft())
    assert (await becomes(shop, "order_ready", status="DRAFT")).provider_id == ""
    await message_templates.submit(shop.rt, made)
    approved = await becomes(shop, "order_ready", status="APPROVED")
    assert approved.provider_id and approved.id == made
    with pytest.raises(Conflict, match="submitted already"):
        await message_templates.submit(shop.rt, made)
    for news, wanted in (
        ({"quality": "YELLOW"}, {"quality": "YELLOW"}),
        ({"category": "MARKETING", "impending": True}, {"category": "UTILITY", "coming": "MARKETING"}),
        ({"category": "MARKETING"}, {"category": "MARKETING", "coming": ""}),
        ({"event": "PAUSED", "other_info": {"title": "FIRST_PAUSE", "description": "Low quality"}},
         {"status": "PAUSED", "reason": "Low quality"}),
    ):  # fmt: skip
        await shop.graph.call("POST", "template-news", name="order_ready", **news)
        await becomes(shop, "order_ready", **wanted)
    await message_templates.delete(shop.rt, made)
    assert await row(shop, "order_ready") is None
    again = await message_templates.create(shop.rt, shop.live.row.id, draft())
    await message_templates.submit(shop.rt, again)


async def test_a_deleted_approved_name_is_locked_and_the_refusal_says_so(shop: Connected) -> None:
    made = await message_templates.create(shop.rt, shop.live.row.id, draft())
    await message_templates.submit(shop.rt, made)
    await becomes(shop, "order_ready", status="APPROVED")
    await message_templates.delete(shop.rt, made)
    again = await message_templates.create(shop.rt, shop.live.row.id, draft())
    with pytest.raises(Conflict, match=r"deleted not long ago.*30 days"):
        await message_templates.submit(shop.rt, again)
    shop.graph.advance(31 * 86_400)
    await message_templates.submit(shop.rt, again)
    await becomes(shop, "order_ready", status="APPROVED")


async def test_a_rejection_tells_why_and_the_next_text_is_reviewed_again(shop: Connected) -> None:
    shop.graph.settings(rejects="casino")
    made = await message_templates.create(shop.rt, shop.live.row.id, draft(text="Casino {{1}} of order {{2}} is open."))
    await message_templates.submit(shop.rt, made)
    assert "policy" in (await becomes(shop, "order_ready", status="REJECTED")).reason
    await message_templates.change(shop.rt, made, draft())
    assert (await becomes(shop, "order_ready", status="APPROVED")).reason == ""
    with pytest.raises(Invalid, match="category"):
        await message_templates.change(shop.rt, made, Draft("order_ready", "en", "MARKETING", draft().components))
    with pytest.raises(Conflict, match="once a day"):
        await message_templates.change(shop.rt, made, draft(text="Dear {{1}}, your parcel {{2}} can be fetched."))


async def test_the_list_is_fetched_in_pages_and_follows_the_network(shop: Connected) -> None:
    for n in range(230):
        await shop.graph.call("POST", "templates", name=f"many_{n:03}", components=[{"type": "BODY", "text": "Hi"}])
    kept = await message_templates.create(shop.rt, shop.live.row.id, draft())
    assert await message_templates.fetch(shop.rt, shop.live.row.id) == 233
    assert (await becomes(shop, "many_229", status="APPROVED")).quality == ""
    assert (await becomes(shop, "order_ready", status="DRAFT")).id == kept
    shop.graph.graph.world.templates[shop.graph.number.waba][:] = []
    assert await message_templates.fetch(shop.rt, shop.live.row.id) == 0
    assert await row(shop, "many_229") is None and await row(shop, "order_ready") is not None


async def test_one_made_elsewhere_is_fetched_when_it_is_told_of(shop: Connected) -> None:
    await shop.graph.call("POST", "templates", name="made_elsewhere", components=[{"type": "BODY", "text": "Hi"}])
    await shop.graph.call("POST", "template-news", name="made_elsewhere", event="APPROVED", reason="NONE")
    assert (await becomes(shop, "made_elsewhere", status="APPROVED")).components == '[{"type":"BODY","text":"Hi"}]'


async def test_what_is_older_than_what_is_known_changes_nothing(shop: Connected) -> None:
    await message_templates.fetch(shop.rt, shop.live.row.id)
    await shop.graph.call("POST", "template-news", name="hello_world", event="PAUSED")
    paused = await becomes(shop, "hello_world", status="PAUSED")
    value = {
        "event": "APPROVED", "message_template_id": int(paused.provider_id), "message_template_name": "hello_world",
        "message_template_language": "en_US", "reason": "NONE", "message_template_category": "UTILITY",
    }  # fmt: skip
    await shop.graph.call("POST", "webhook", field="message_template_status_update", value=value, time=1_600_000_000)
    await shop.graph.settled()
    assert (await becomes(shop, "hello_world", status="PAUSED")).id == paused.id


async def test_refusals_and_an_account_that_is_not_entered_are_told_in_plain_words(shop: Connected) -> None:
    channel_id = shop.live.row.id
    await shop.graph.call("POST", "templates", name="order_ready", language="en", components=[])
    made = await message_templates.create(shop.rt, channel_id, draft())
    with pytest.raises(Conflict, match=r"has a template of this name.*The network says: There is already en"):
        await message_templates.submit(shop.rt, made)
    with pytest.raises(Conflict, match="already"):
        await message_templates.create(shop.rt, channel_id, draft())
    with pytest.raises(Invalid) as wrong:
        await message_templates.create(shop.rt, channel_id, draft("Order", text="{{1}} hi {{3}}"))
    assert set(wrong.value.fields) == {"name", "body"}
    await connecting.change(
        shop.rt.channels, channel_id, {"waba_id": " "} | {"phone_number_id": shop.graph.number.phone_number_id}
    )
    with pytest.raises(Conflict, match="Business Account ID"):
        await message_templates.fetch(shop.rt, channel_id)
