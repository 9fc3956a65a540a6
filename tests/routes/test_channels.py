"""Channels: adding, settings, secrets that stay hidden, who answers, removal; and files that customers sent (S21)."""

import asyncio
from pathlib import Path

import pytest

from app import bots, users
from app.routes.media import disposition, download_name, sniff
from tests.browser.house import EMAIL
from tests.fakes.telegram import FakeTelegram
from tests.routes.visiting import ANA, Visit, visiting

pytestmark = pytest.mark.anyio
GIVEN = {
    "name": "Shop 2",
    "phone_number_id": "206540352242922",
    "access_token": "EAA-very-secret-token",
    "app_secret": "very-secret-app-secret",
    "verify_token": "plum-otter-4417-x",
    "waba_id": "",
}


def shop(visit: Visit) -> int:
    return next(live.row.id for live in visit.rt.channels.by_id.values() if live.row.name == "Shop")


async def added(visit: Visit) -> int:
    answer = await visit.post("/channels/new/whatsapp_cloud", GIVEN)
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].rpartition("/")[2])


async def test_a_channel_is_added_and_the_next_steps_are_shown(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        html = (await visit.get(f"/channels/{await added(visit)}")).text
        key = await visit.one("select key from channel where name = 'Shop 2'")
        assert f"http://127.0.0.1:8080/hooks/whatsapp/{key}" in html and "plum-otter-4417-x" in html
        assert "Meta reaches only public addresses with https" in html


async def test_missing_settings_come_back_with_a_sentence_each(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        answer = await visit.post("/channels/new/whatsapp_cloud", {"name": "Shop 2", "phone_number_id": "1"})
        assert answer.status_code == 422 and "Access token is needed." in answer.text
        assert 'value="Shop 2"' in answer.text and answer.text.count('aria-invalid="true"') == 3


async def test_a_name_that_is_taken_says_so(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        answer = await visit.post("/channels/new/whatsapp_cloud", GIVEN | {"name": "shop"})
        assert answer.status_code == 422 and "This name is taken." in answer.text
        assert "very-secret" not in answer.text


async def test_secrets_are_never_shown(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        id = await added(visit)
        for path in (f"/channels/{id}", "/channels", f"/channels/{id}/guide"):
            assert "very-secret" not in (await visit.get(path)).text
        await visit.rt.channels.verified(visit.rt.channels.by_id[id])
        assert "plum-otter-4417-x" not in (await visit.get(f"/channels/{id}")).text


async def test_a_viewer_sees_no_token_and_changes_nothing(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        id = await added(visit)
        await visit.become("viewer")
        assert "plum-otter-4417-x" not in (await visit.get(f"/channels/{id}")).text
        assert (await visit.get("/channels/new/whatsapp_cloud")).status_code == 403
        for path in ("", "/bot", "/test", "/remove"):
            assert (await visit.post(f"/channels/{id}{path}", GIVEN)).status_code == 403, path


async def test_settings_change_and_an_empty_secret_stays(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        id = await added(visit)
        changes = {"name": "Bakery", "phone_number_id": "306540352242922", "rate": "20"}
        assert (await visit.post(f"/channels/{id}", changes)).status_code == 303
        live = visit.rt.channels.by_id[id]
        assert (live.row.name, live.row.account, live.row.rate) == ("Bakery", "306540352242922", 20.0)
        assert live.opened.secrets["access_token"] == GIVEN["access_token"]


@pytest.mark.parametrize("rate", ["fast", "nan", "-1", "1001"])
async def test_a_pace_that_is_none_is_refused(tmp_path: Path, rate: str) -> None:
    async with visiting(tmp_path) as visit:
        answer = await visit.post(f"/channels/{shop(visit)}", {"name": "Shop", "rate": rate})
        assert answer.status_code == 422 and 'id="rate-error"' in answer.text


async def test_who_answers_is_chosen_among_published_versions(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        id = await added(visit)
        version = visit.rt.channels.by_id[shop(visit)].row.version_id
        assert (await visit.post(f"/channels/{id}/bot", {"version": str(version)})).status_code == 303
        assert visit.rt.channels.by_id[id].here.version_id == version
        assert "live here now" in (await visit.get(f"/channels/{id}")).text
        rosa = await users.find(visit.rt, EMAIL)
        draft = await visit.rt.db.write(bots.snapshot, await visit.one("select min(id) from bot"), "bot: x")
        assert rosa and (await visit.post(f"/channels/{id}/bot", {"version": str(draft)})).status_code in (404, 422)


async def test_a_channel_is_removed_after_its_consequences_were_named(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        id = shop(visit)
        html = (await visit.get(f"/channels/{id}")).text
        count = await visit.one("select count(*) from conversation where channel_id = :id", id=id)
        assert f"{count} conversations stay and can be read." in html and "1 message that is not sent yet" in html
        assert (await visit.post(f"/channels/{id}/remove")).status_code == 303
        assert id not in visit.rt.channels.by_id
        assert (await visit.get(f"/channels/{id}")).status_code == 404


async def test_the_simulator_cannot_be_removed(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        id = next(live.row.id for live in visit.rt.channels.by_id.values() if live.row.connector == "simulator")
        assert "Remove" not in (await visit.get(f"/channels/{id}")).text
        assert (await visit.post(f"/channels/{id}/remove")).status_code == 409
        assert id in visit.rt.channels.by_id


async def test_checks_say_what_is_missing(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        answer = await visit.post(f"/channels/{await added(visit)}/test", hx=True)
        assert "Meta has verified the webhook address: not yet." in answer.text and "very-secret" not in answer.text


# ---- files -----------------------------------------------------------------------------------------------------------


async def test_S21_a_picture_is_shown_in_a_sandbox(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        id = await visit.one("select id from media where mime = 'image/png'")
        answer = await visit.get(f"/media/{id}")
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["content-disposition"].startswith("inline")
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_S21_a_document_is_a_download_under_its_own_name(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        id = await visit.one("select id from media where mime = 'application/pdf'")
        answer = await visit.get(f"/media/{id}")
        assert answer.headers["content-disposition"].startswith('attachment; filename="Menu for November.pdf"')
        assert (await visit.get(f"/media/{id}", Range="bytes=0-3")).content == b"%PDF"


async def test_S21_a_file_needs_a_session_and_must_be_stored(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        id = await visit.one("select id from media where mime = 'image/png'")
        assert (await visit.client.get(f"/media/{id}")).status_code == 303
        assert (await visit.get("/media/1")).status_code == 404
        assert await visit.chat(ANA)


async def test_S18_many_ranges_cost_no_more_than_one(tmp_path: Path) -> None:
    """A thousand get the whole file instead; a hundred that lie over each other are read as one."""
    async with visiting(tmp_path) as visit:
        id = await visit.one("select id from media where mime = 'application/pdf'")
        whole = (await visit.get(f"/media/{id}")).content
        thousand = await visit.get(f"/media/{id}", Range="bytes=" + ",".join(f"{at}-" for at in range(1000)))
        assert thousand.status_code == 200 and thousand.content == whole
        hundred = await visit.get(f"/media/{id}", Range="bytes=" + ",".join(["0-"] * 100))
        assert hundred.status_code == 206 and hundred.content == whole


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"\0\0\0\x18ftypisom", "video/mp4"),
        (b"\0\0\0\x18ftypM4A ", "audio/mp4"),
        (b"OggS\0", "audio/ogg"),
        (b"\xff\xfb\x90\0", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"<html><script>", "application/octet-stream"),
        (b"<svg xmlns=", "application/octet-stream"),
        (b"\xff\xfe<\0h\0", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_S21_the_first_bytes_decide_what_a_file_is(head: bytes, kind: str) -> None:
    assert sniff(head) == kind


def test_S21_a_name_cannot_leave_its_folder_or_its_header() -> None:
    assert download_name("../../etc/pass\r\nwd", 7, "image/png") == "passwd"
    assert download_name("...", 7, "image/png") == "7.png"
    header = disposition("attachment", download_name('Cardápio "novo".pdf', 7, "application/pdf"))
    assert header == "attachment; filename=\"Card_pio novo.pdf\"; filename*=UTF-8''Card%C3%A1pio%20novo.pdf"


async def test_a_telegram_bot_is_added_step_by_step(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit, FakeTelegram() as telegram:
        visit.rt.channels._defaults = {**visit.rt.channels._defaults, "telegram_url": telegram.url}
        kinds = (await visit.get("/channels/new")).text
        assert "/channels/new/telegram" in kinds and "/channels/new/whatsapp_cloud" in kinds
        form = (await visit.get("/channels/new/telegram")).text
        assert "https://t.me/BotFather" in form and "step 2 of 4" in form and "Meta" not in form
        wrong = await visit.post("/channels/new/telegram", {"name": "Bot", "token": "hello"})
        assert wrong.status_code == 422 and "does not look like one of Telegram" in wrong.text
        added = await visit.post("/channels/new/telegram", {"name": "Bot", "token": telegram.token})
        assert added.status_code == 303, added.text
        path = added.headers["location"]
        async with asyncio.timeout(5):
            while "t.me/luna_bakery_bot" not in (html := (await visit.get(path)).text):
                await asyncio.sleep(0.02)
        assert telegram.token not in html and "Connected" in html and "Callback URL" not in html
        assert "Telegram · <bdi>@luna_bakery_bot</bdi>" in (await visit.get("/channels")).text
        checks = (await visit.post(f"{path}/test", {})).text
        assert "Telegram accepts the token" in checks and "Parley alone asks Telegram" in checks
        telegram.api.world.queue.end_poll("terminated by other getUpdates request; make sure that only one runs")
        async with asyncio.timeout(5):
            while "Another program fetches the messages of this bot" not in (await visit.get(path)).text:
                await asyncio.sleep(0.02)
