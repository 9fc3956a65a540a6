"""Templates as pages: seen by everybody, made by those who build, shown as on the phone."""

from pathlib import Path

import pytest

from app import message_templates, users, within
from app.connectors.account import Draft, Listed
from app.db import Statement, Tx
from tests.routes.visiting import Visit, visiting
from tests.test_template import CARDS

pytestmark = pytest.mark.anyio
ARABIC = "مرحبا {{1}}، الطلب {{2}} جاهز الآن"
FORM = {
    "name": "order_ready", "language": "en", "category": "UTILITY", "header_kind": "", "header": "", "footer": "Bye",
    "body": "Hello {{1}}, your order is <b>*ready*</b> 🎂.", "example.body.1": "Ana",
    "kind.0": "URL", "text.0": "Track", "target.0": "https://x.example/{{1}}", "example.0": "https://x.example/a",
}  # fmt: skip


async def shop(visit: Visit) -> int:
    """The bakery's channel, with one template of the network."""
    live = next(live for live in visit.rt.channels.by_id.values() if live.row.name == "Shop")
    body = {"type": "BODY", "text": ARABIC, "example": {"body_text": [["أحمد", "7"]]}}
    page = [Listed("1", Draft("arabic_ready", "ar", "UTILITY", (body,)), "REJECTED", "", "INVALID_FORMAT")]
    await visit.rt.db.write(message_templates.take, live.row.id, page, visit.rt.clock.now())
    return live.row.id


async def test_the_list_and_one_of_them_are_for_everybody_and_making_is_not(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        channel = await shop(visit)
        await visit.become("viewer")
        listed = (await visit.get(f"/channels/{channel}/templates")).text
        assert "arabic_ready" in listed and "Rejected" in listed and "New template" not in listed
        one = await visit.one("select id from template where name = 'arabic_ready'")
        shown = (await visit.get(f"/channels/templates/{one}")).text
        assert "مرحبا أحمد، الطلب 7 جاهز الآن" in shown and "Invalid format" in shown and "<textarea" not in shown
        assert (await visit.post(f"/channels/{channel}/templates", FORM)).status_code == 403


async def test_whoever_is_limited_to_other_channels_sees_none_of_them(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        channel = await shop(visit)
        one = await visit.one("select id from template where name = 'arabic_ready'")
        await visit.become("viewer")
        viewer = await users.find(visit.rt, "viewer@luna.example")
        await within.limit_user(visit.rt, viewer.id, frozenset())
        for path in (
            f"/channels/{channel}/templates",
            f"/channels/templates/{one}",
            f"/channels/templates/{one}/state",
        ):
            assert (await visit.get(path)).status_code == 404, path


async def test_a_draft_is_saved_changed_and_deleted(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        channel = await shop(visit)
        answer = await visit.post(f"/channels/{channel}/templates", FORM)
        assert answer.status_code == 303, answer.text
        path = answer.headers["location"]
        html = (await visit.get(path)).text
        assert (
            "Draft" in html
            and "&lt;b&gt;<b>ready</b>&lt;/b&gt; 🎂" in html
            and 'value="https://x.example/{{1}}"' in html
        )
        assert (await visit.post(path, FORM | {"body": "Dear {{1}}, come and see us."})).status_code == 303
        assert "come and see us" in (await visit.get(path)).text
        assert (await visit.post(f"{path}/delete")).status_code == 303
        assert (await visit.get(path)).status_code == 404


async def test_what_is_wrong_comes_back_at_its_field_with_what_was_typed(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        channel = await shop(visit)
        answer = await visit.post(f"/channels/{channel}/templates", FORM | {"name": "Order", "target.0": "shop"})
        assert answer.status_code == 422 and 'id="name-error"' in answer.text and 'id="button.0-error"' in answer.text
        assert 'value="Order"' in answer.text and 'value="Ana"' in answer.text


async def test_the_preview_follows_what_is_typed(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        drawn = await visit.post("/channels/templates/draw", FORM | {"body": "Hi {{first_name}} there"}, hx=True)
        assert 'name="example.body.first_name"' in drawn.text and "Track" in drawn.text


async def test_a_network_without_templates_has_no_such_page(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        channel = await visit.one("select id from channel where connector = 'simulator'")
        assert (await visit.get(f"/channels/{channel}/templates")).status_code == 404


async def test_a_page_gets_its_form_once_the_review_is_over(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        channel = await shop(visit)
        one = await visit.one("select id from template where name = 'arabic_ready'")
        await visit.rt.db.write(reviewed, one, "PENDING")
        path = f"/channels/templates/{one}/state?fixed"
        assert path.rpartition("/")[2] in (await visit.get(f"/channels/templates/{one}")).text
        assert (await visit.get(path, hx=True)).status_code == 200
        await visit.rt.db.write(reviewed, one, "APPROVED")
        assert (await visit.get(path, hx=True)).headers["HX-Redirect"] == f"/channels/templates/{one}"
        assert "?fixed" not in (await visit.get(f"/channels/templates/{one}")).text and channel


def reviewed(tx: Tx, template_id: int, status: str) -> None:
    tx.run(Statement("update template set status = :status where id = :id"), id=template_id, status=status)


async def test_cards_of_a_carousel_are_shown_as_on_the_phone_and_not_changed_here(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        channel = await shop(visit)
        draft = Draft("two_cakes", "en", "MARKETING", tuple(CARDS))
        listed = [Listed("2", draft, "APPROVED", "", "")]
        await visit.rt.db.write(message_templates.take, channel, listed, visit.rt.clock.now())
        one = await visit.one("select id from template where name = 'two_cakes'")
        shown = (await visit.get(f"/channels/templates/{one}")).text
        assert "New for Ana." in shown and "Bread from 3 €" in shown and "Cake from 3 €" in shown
        assert "Card 2: File of the header" in shown and "<textarea" not in shown
