"""Pages of bots: drafts that nobody overwrites, problems at their lines, versions, publishing, files in and out."""

import re
from pathlib import Path

import httpx
import pytest

from app import bots, connecting
from app.teams import add as add_team
from tests.routes.visiting import Visit, visiting
from tests.shop import open_shop, said, take_in

pytestmark = pytest.mark.anyio
DRAFT = 'bot: Luna\nrules:\n  - name: greeting\n    when: {says: hi}\n    do: [{say: "Hello <b>you</b>."}]\n'
CHANGED = DRAFT.replace("Hello", "Good day")
BROKEN = DRAFT + "colour: red\n"
VALUES = {"phone_number_id": "1", "access_token": "t", "app_secret": "s", "verify_token": "v"}


async def made(visit: Visit, text: str = DRAFT) -> str:
    """The page of a new bot."""
    return f"/bots/{await bots.create(visit.rt, 'Luna', text, None)}"


async def draft(visit: Visit, page: str) -> tuple[str, int]:
    bot = await bots.get(visit.rt.db.reader, int(page.rpartition("/")[2]))
    return bot.draft, bot.draft_revision


async def channel(visit: Visit) -> int:
    channel_id = await connecting.add(visit.rt.channels, "whatsapp_cloud", "Shop", VALUES)
    visit.rt.channels.by_id[channel_id].sender.open = False
    return channel_id


async def upload(visit: Visit, text: str | bytes) -> httpx.Response:
    data = text.encode() if isinstance(text, str) else text
    files = {"file": ("luna.yaml", data, "application/yaml")}
    return await visit.client.post("/bots/import", data={"csrf": visit.csrf}, files=files, headers=visit.headers())


async def test_a_bot_is_created_from_a_starter_under_its_own_name(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        answer = await visit.post("/bots", {"name": "Padaria Lua", "starter": "bakery"})
        assert answer.status_code == 303
        html = (await visit.get(answer.headers["location"])).text
        assert "bot: &#34;Padaria Lua&#34;" in html and "No errors" in html
        assert "Padaria Lua" in (await visit.get("/bots")).text
        again = await visit.post("/bots", {"name": "padaria lua", "starter": "bakery"})
        assert again.status_code == 422 and "This name is taken." in again.text


async def test_a_draft_is_saved_as_typed_with_the_line_ends_of_a_document(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        answer = await visit.post(page, {"text": CHANGED.replace("\n", "\r\n"), "revision": "1"})
        assert (answer.status_code, answer.headers["location"]) == (303, page)
        assert await draft(visit, page) == (CHANGED, 2)


async def test_saving_what_did_not_change_takes_nobody_by_surprise(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        answer = await visit.post(page, {"text": DRAFT, "revision": "1", "then": "publish"})
        assert answer.headers["location"] == f"{page}/publish"
        assert await draft(visit, page) == (DRAFT, 1)


async def test_the_second_editor_sees_both_texts_and_can_still_save(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        await visit.post(page, {"text": CHANGED, "revision": "1"})
        mine = DRAFT.replace("hi}", "hello}")
        answer = await visit.post(page, {"text": mine, "revision": "1"})
        assert answer.status_code == 409
        assert "Good day" in answer.text and "says: hello}" in answer.text and "Nothing was overwritten" in answer.text
        assert await draft(visit, page) == (CHANGED, 2)
        assert 'name="revision" value="2"' in answer.text
        assert (await visit.post(page, {"text": mine, "revision": "2"})).status_code == 303
        assert await draft(visit, page) == (mine, 3)


async def test_a_draft_is_kept_while_it_is_written(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        answer = (await visit.post(f"{page}/keep", {"text": CHANGED, "revision": "1"})).json()
        assert (answer["newer"], answer["since"], answer["revision"]) == (False, 1, 2)
        assert re.fullmatch(r"Saved \d\d:\d\d", answer["said"])
        assert await draft(visit, page) == (CHANGED, 2)
        again = (await visit.post(f"{page}/keep", {"text": CHANGED, "revision": "2"})).json()
        assert again["revision"] == 2, "what did not change is not saved again"


async def test_what_is_kept_never_overwrites_somebody_else(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        await visit.post(f"{page}/keep", {"text": CHANGED, "revision": "1"})
        answer = (await visit.post(f"{page}/keep", {"text": DRAFT + "# mine\n", "revision": "1"})).json()
        assert answer["newer"] and "Rosa Martins saved this bot at" in answer["said"]
        assert await draft(visit, page) == (CHANGED, 2)
        assert (await visit.get(f"{page}/state?revision=1")).json()["newer"]
        assert not (await visit.get(f"{page}/state?revision=2")).json()["newer"]


async def test_the_editor_gets_what_may_stand_where(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        assert "rules" in (await visit.get("/bots/schema")).json()["properties"]


async def test_problems_stand_at_their_lines_before_anything_is_saved(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        answer = await visit.post(f"{page}/check", {"text": BROKEN}, hx=True)
        assert 'href="#l6"' in answer.text and "code-say" in answer.text and "1 error to fix" in answer.text
        assert '<span id="l6" class="wrong">6</span>' in answer.text
        assert await draft(visit, page) == (DRAFT, 1)


async def test_words_of_a_document_are_never_html(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        await visit.post(page, {"text": DRAFT.replace("bot: Luna", "bot: <img src=x>"), "revision": "1"})
        await bots.publish(visit.rt, int(page.rpartition("/")[2]), [], "<i>note</i>", None)
        for path in (
            page,
            f"{page}/versions",
            f"{page}/versions/1",
            f"{page}/diff?from=1&to=0",
            "/bots",
            f"{page}/publish",
        ):
            html = (await visit.get(path)).text
            assert "<img src=x>" not in html and "<b>you</b>" not in html and "<i>note</i>" not in html, path


async def test_errors_stand_in_the_way_of_publishing(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page, shop = await made(visit, BROKEN), await channel(visit)
        html = (await visit.get(f"{page}/publish")).text
        assert "1 error stands in the way" in html and re.search(r'class="btn primary" disabled', html)
        answer = await visit.post(f"{page}/publish", {"channel": str(shop)})
        assert answer.status_code == 422 and "cannot be published yet" in answer.text
        assert visit.rt.channels.by_id[shop].here.version_id is None


async def test_publishing_and_rolling_back_are_one_click_each_and_recorded(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page, shop = await made(visit), await channel(visit)
        assert "no bot yet" in (await visit.get(f"{page}/publish")).text
        await visit.post(f"{page}/publish", {"channel": str(shop), "note": "First words"})
        first = visit.rt.channels.by_id[shop].here.version_id
        await visit.post(page, {"text": CHANGED, "revision": "1"})
        assert "1 change" in (await visit.get(page)).text
        await visit.post(f"{page}/publish", {"channel": str(shop)})
        html = (await visit.get(f"{page}/versions")).text
        assert "First words" in html and "Roll back Shop" in html and "Rosa Martins" in html
        answer = await visit.post(f"{page}/rollback", {"channel": str(shop), "version": "1"})
        assert answer.status_code == 303
        assert visit.rt.channels.by_id[shop].here.version_id == first
        assert "rolled back from version 2 to 1" in (await visit.get(f"{page}/versions")).text


async def test_any_two_versions_are_compared_line_by_line(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        await visit.post(f"{page}/publish")
        await visit.post(page, {"text": CHANGED, "revision": "1"})
        html = (await visit.get(f"{page}/diff?from=1&to=0")).text
        by_rule, plainly = html.split("The whole document, line by line")
        for part in (by_rule, plainly):
            assert part.count('class="ln cut"') == part.count('class="ln add"') == 1
        assert "greeting" in by_rule and "Hello &lt;b&gt;you&lt;/b&gt;." in by_rule and "<del" in by_rule
        assert "No difference" in (await visit.get(f"{page}/diff?from=1&to=1")).text
        assert (await visit.get(f"{page}/diff?from=7&to=0")).status_code == 404


async def test_of_very_many_changes_the_first_are_told_one_by_one(tmp_path: Path) -> None:
    rules = "".join(f"  - {{name: r{n}, when: {{says: w{n}}}, do: [{{say: A}}]}}\n" for n in range(120))
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit, f"bot: Luna\nrules:\n{rules}")
        await visit.post(f"{page}/publish")
        await visit.post(page, {"text": f"bot: Luna\nrules:\n{rules.replace('say: A', 'say: B')}", "revision": "1"})
        html = (await visit.get(f"{page}/diff?from=1&to=0")).text
        assert html.count("<del") == 100 and "20 more changes are below" in html


async def test_a_bot_goes_out_as_a_file_and_comes_back(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        answer = await upload(visit, DRAFT)
        page = answer.headers["location"]
        assert await draft(visit, page) == (DRAFT, 1)
        file = await visit.get(f"{page}/export")
        assert file.text == DRAFT and 'filename="luna.yaml"' in file.headers["content-disposition"]
        assert (await upload(visit, file.content)).headers["location"] == page
        assert await draft(visit, page) == (DRAFT, 1)


async def test_a_file_never_overwrites_a_draft_without_asking(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        answer = await upload(visit, CHANGED)
        assert answer.status_code == 409 and "with another draft" in answer.text
        assert await draft(visit, page) == (DRAFT, 1)


@pytest.mark.parametrize("text", [BROKEN, "not: a bot", "", b"\xff\xfe\x00bot", "bot: [" * 2000])
async def test_a_file_that_is_no_bot_is_refused_with_a_sentence(tmp_path: Path, text: str | bytes) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        answer = await upload(visit, text)
        assert answer.status_code == 422 and 'id="file-error"' in answer.text
        assert await visit.one("select count(*) from bot") == 0


async def test_only_builders_change_bots_and_everybody_may_look(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page, shop = await made(visit), await channel(visit)
        await bots.publish(visit.rt, int(page.rpartition("/")[2]), [], "", None)
        await visit.become("agent")
        for path in ("/bots", page, f"{page}/versions", f"{page}/versions/1", f"{page}/export"):
            assert (await visit.get(path)).status_code == 200, path
        assert "Save draft" not in (await visit.get(page)).text
        posts = (page, f"{page}/check", f"{page}/publish", f"{page}/rollback", "/bots", "/bots/import")
        for path in posts:
            fields = {"text": CHANGED, "revision": "1", "channel": str(shop), "version": "1"}
            assert (await visit.post(path, fields)).status_code == 403, path
        assert (await visit.get(f"{page}/publish")).status_code == 403
        assert await draft(visit, page) == (DRAFT, 1)


async def test_a_bot_that_is_not_there_is_404_everywhere(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        for path in ("/bots/1", "/bots/1/versions", "/bots/1/publish", "/bots/1/export", f"{page}/versions/9"):
            assert (await visit.get(path)).status_code == 404, path
        assert (await visit.post("/bots/1", {"text": DRAFT, "revision": "1"})).status_code == 404


async def test_a_failing_test_is_shown_and_stops_publishing_until_somebody_says_anyway(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        tested = DRAFT + "tests:\n  - {name: greets, chat: [{user: hi}, {bot: '<b>'}]}\n"
        page = f"/bots/{await bots.create(visit.rt, '', tested, None)}"
        assert "expected “&lt;b&gt;”, found “" in (await visit.get(page)).text
        form = (await visit.get(f"{page}/publish")).text
        assert "1 test of this draft fails." in form and 'name="anyway"' in form
        refused = await visit.post(f"{page}/publish", {"note": "kept"})
        assert refused.status_code == 422 and "tests fail: 1" in refused.text and 'value="kept"' in refused.text
        assert (await visit.post(f"{page}/publish", {"anyway": "yes"})).status_code == 303


async def test_a_version_is_planned_in_the_zone_of_the_person_shown_and_cancelled(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page, shop = await made(visit), await channel(visit)
        account = {"name": "Rosa Martins", "email": "rosa@luna.example", "language": "en", "zone": "America/Sao_Paulo"}
        assert (await visit.post("/account", account)).status_code == 303
        given = {"channel": str(shop), "when": "later", "note": "For Monday"}
        assert "America/Sao_Paulo" in (await visit.get(f"{page}/publish")).text
        over = await visit.post(f"{page}/publish", given | {"at": "2020-01-01T08:00"})
        assert over.status_code == 422 and 'id="at-error"' in over.text and 'value="For Monday"' in over.text
        assert 'value="later" checked' in over.text and 'value="2020-01-01T08:00"' in over.text
        answer = await visit.post(f"{page}/publish", given | {"at": "2026-10-01T08:00"})
        assert answer.status_code == 303
        html = (await visit.get(f"{page}/versions")).text
        assert "Oct 1, 2026 08:00" in html and "2026-10-01T11:00:00Z" in html and "on Shop" in html
        assert "Planned" in (await visit.get(page)).text
        assert visit.rt.channels.by_id[shop].here.version_id is None
        [planned] = re.findall(r'name="planned" value="(\d+)"', html)
        await visit.post(f"{page}/planned/cancel", {"planned": planned})
        assert "Goes live at a time" not in (await visit.get(f"{page}/versions")).text
        assert (await visit.post(f"{page}/planned/cancel", {"planned": planned})).status_code == 409
        assert await visit.one("select count(*) from job") == 0


async def test_conversations_on_an_older_version_are_shown_and_moved(tmp_path: Path) -> None:
    asks = DRAFT.replace('{say: "Hello <b>you</b>."}', "{ask: {text: Name?, save: who}}")
    async with visiting(tmp_path, empty=True) as visit:
        live = await open_shop(visit.rt, asks)
        await take_in(visit.rt, live, said(visit.rt, "hi"))
        bot = await bots.find(visit.rt.db.reader, "Luna")
        page = f"/bots/{bot.id}"
        await bots.save_draft(visit.rt, bot.id, CHANGED, 1, None)
        await bots.publish(visit.rt, bot.id, [live.row.id], "", None)
        assert "1 conversation on an older version" in (await visit.get(page)).text
        assert "Move them now" in (await visit.get(f"{page}/versions")).text
        await visit.post(f"{page}/move", {"channel": str(live.row.id), "version": "1"})
        assert "on an older version" not in (await visit.get(page)).text
        assert (await visit.post(f"{page}/move", {"channel": "1", "version": "9"})).status_code == 404
        await visit.become("agent")
        assert (await visit.post(f"{page}/move", {"channel": "1", "version": "1"})).status_code == 403
        assert (await visit.post(f"{page}/planned/cancel", {"planned": "1"})).status_code == 403


async def test_what_the_channels_show_is_told_beside_the_editor_and_before_publishing(tmp_path: Path) -> None:
    buttons = DRAFT.replace('<b>you</b>."', 'you.", buttons: [a, b, c, d]')
    note = ": This network shows at most 3 buttons; sent as a list."
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit, buttons)
        assert f"On WhatsApp{note}" in (await visit.get(page)).text
        await channel(visit)
        for shown in (page, f"{page}/publish"):
            assert f"On Shop (WhatsApp Cloud API){note}" in (await visit.get(shown)).text
        checked = await visit.post(f"{page}/check", {"text": buttons})
        assert f"On Shop (WhatsApp Cloud API){note}" in checked.text
        teams = buttons.replace("[{say:", "[{assign: Oven}, {handoff: {reason: a, team: Kitchen}}, {say:")
        missing = (await visit.post(f"{page}/check", {"text": teams})).text
        assert "There is no team “Kitchen”" in missing and "There is no user and no team “Oven”" in missing
        await add_team(visit.rt, "Kitchen")
        still = (await visit.post(f"{page}/check", {"text": teams})).text
        assert "There is no team “Kitchen”" not in still and "There is no user and no team “Oven”" in still
