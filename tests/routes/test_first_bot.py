"""The second page of set-up: the chosen starter is live as this business's own bot, with a demo around it if wanted."""

from pathlib import Path

import pytest

from app.store import bots as bot_rows
from app.store import demo as demo_rows
from tests.routes.visiting import visiting

pytestmark = pytest.mark.anyio
GIVEN = {"business": "Luna Bakery", "zone": "America/Sao_Paulo"}


async def test_the_chosen_starter_is_this_business_s(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        answer = await visit.post("/setup/business", GIVEN | {"starter": "restaurant"})
        assert answer.headers["location"].startswith("/simulator?bot=")
        draft = await visit.one("select draft from bot")
        assert 'bot: "Restaurant"' in draft and "zone: America/Sao_Paulo" in draft


async def test_set_up_can_fill_the_pages_with_a_demo_and_its_channel_takes_it_away(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        answer = await visit.post("/setup/business", GIVEN | {"starter": "clinic", "demo": "yes"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert [bot.name for bot in await visit.rt.db.read(bot_rows.list_bots)] == ["Clinic"]
        page = await visit.get("/channels")
        assert "Made-up chats" in page.text and "Connect WhatsApp" in page.text
        (channel_id,) = await visit.rt.db.reader.all(demo_rows.CHANNELS)
        page = await visit.get(f"/channels/{channel_id}")
        assert "Everybody here is made up" in page.text and "Messages per second" not in page.text
        answer = await visit.post(f"/channels/{channel_id}/remove")
        assert (answer.status_code, answer.headers["location"]) == (303, "/channels")
        assert await visit.rt.db.reader.all(demo_rows.CHANNELS) == []
        assert "No conversations yet" in (await visit.get("/")).text


async def test_a_demo_needs_a_starter(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        answer = await visit.post("/setup/business", GIVEN | {"starter": "", "demo": "yes"})
        assert answer.headers["location"] == "/simulator"
        assert await visit.rt.db.reader.all(demo_rows.CHANNELS) == []


async def test_a_first_channel_has_a_name_and_the_only_bot_chosen_beforehand(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        await visit.post("/setup/business", GIVEN | {"starter": "bakery"})
        version = str(await visit.one("select id from version where number = 1"))
        page = await visit.get("/channels/new/whatsapp_cloud")
        assert 'value="WhatsApp"' in page.text and f'<option value="{version}" selected>' in page.text
        given = {"phone_number_id": "1", "access_token": "EAA", "app_secret": "hush", "verify_token": "plum"}
        answer = await visit.post("/channels/new/whatsapp_cloud", given | {"name": "WhatsApp", "version": "999"})
        assert answer.status_code == 404 and await visit.one("select count(*) from channel_name") == 0
        answer = await visit.post("/channels/new/whatsapp_cloud", given | {"name": "WhatsApp", "version": version})
        assert answer.status_code == 303
        assert await visit.one("select version_id from channel where name = 'WhatsApp'") == int(version)
        await visit.post("/bots", {"name": "Second", "starter": "faq"})
        page = await visit.get("/channels/new/whatsapp_cloud")
        assert 'value="WhatsApp"' not in page.text, "the name is taken"
