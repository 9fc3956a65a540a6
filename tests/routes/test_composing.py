"""Answering with a file, a template or buttons: pages, refusals at their field, and what is queued."""

from pathlib import Path

import pytest

from app import content as c
from app import message_templates
from app.connectors.account import Draft, Listed
from tests.fakes.graph.inbound import PIXEL
from tests.routes.visiting import ANA, NOW, Visit, visiting
from tests.shop import change

pytestmark = pytest.mark.anyio
BODY = {"type": "BODY", "text": "Hello {{1}}, order {{2}} is ready.", "example": {"body_text": [["Ana", "7"]]}}


async def prepared(visit: Visit) -> tuple[int, int]:
    """A conversation that is open, and an approved template of its channel."""
    live = next(live for live in visit.rt.channels.by_id.values() if live.row.name == "Shop")
    page = [Listed("1", Draft("order_ready", "en", "UTILITY", (BODY,)), "APPROVED")]
    await visit.rt.db.write(message_templates.take, live.row.id, page, NOW)
    chat = await visit.chat(ANA)
    await change(visit.rt, "update conversation set heard_at = :now where id = :id", now=NOW, id=chat)
    return chat, await visit.one("select id from template")


async def newest(visit: Visit, chat: int) -> c.Content:
    text = await visit.one("select content from message where conversation_id = :id order by id desc limit 1", id=chat)
    return c.decode(text)


async def upload(visit: Visit, path: str, name: str, data: bytes, **fields: str) -> int:
    answer = await visit.client.post(
        path, data={"csrf": visit.csrf, **fields}, files={"file": (name, data)}, headers=visit.headers()
    )
    return answer.status_code


async def test_a_file_is_kept_and_queued_and_another_type_or_size_is_refused(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat, _template = await prepared(visit)
        path = f"/inbox/{chat}/file"
        assert "image/png" in (await visit.get(path)).text
        assert await upload(visit, path, "../cake.png", PIXEL, caption="Your cake 🎂") == 303
        said = await newest(visit, chat)
        assert isinstance(said, c.Image) and said.caption == "Your cake 🎂" and said.size == len(PIXEL)
        served = await visit.get(f"/media/{said.media_id}")
        assert served.content == PIXEL and served.headers["content-type"] == "image/png"
        assert await upload(visit, path, "notes.txt", b"plain words") == 303
        assert isinstance(await newest(visit, chat), c.Document)
        for name, data, caption in (
            ("page.html", b"<html><script>", ""), ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(6_000_000), ""),
            ("empty.txt", b"", ""), ("song.mp3", b"ID3" + bytes(50), "words"),
        ):  # fmt: skip
            assert await upload(visit, path, name, data, caption=caption) == 422, name
        assert (await visit.post(path, {"caption": "x"})).status_code == 422


async def test_a_template_is_offered_filled_in_and_checked(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat, template = await prepared(visit)
        assert "order_ready" in (await visit.get(f"/inbox/{chat}/templates")).text
        path = f"/inbox/{chat}/templates/{template}"
        assert 'name="value.body.2"' in (await visit.get(path)).text
        drawn = await visit.post(f"{path}/draw", {"value.body.1": "<b>Ana</b>"}, hx=True)
        assert "Hello &lt;b&gt;Ana&lt;/b&gt;, order {{2}}" in drawn.text
        refused = await visit.post(path, {"value.body.1": "Ana", "value.body.2": "a\nb"})
        assert refused.status_code == 422 and "Without line breaks" in refused.text and 'value="Ana"' in refused.text
        assert (await visit.post(path, {"value.body.1": "Ana", "value.body.2": "7"})).status_code == 303
        said = await newest(visit, chat)
        assert isinstance(said, c.Template) and said.text == "Hello Ana, order 7 is ready."
        await change(visit.rt, "update template set status = 'PAUSED'")
        assert "paused it" in (await visit.post(path, {"value.body.1": "Ana", "value.body.2": "7"})).text
        assert "order_ready" not in (await visit.get(f"/inbox/{chat}/templates")).text


async def test_once_the_day_is_over_only_a_template_goes(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat, template = await prepared(visit)
        await change(visit.rt, "update conversation set heard_at = :old where id = :id", old=NOW - 86_400_001, id=chat)
        page = (await visit.get(f"/inbox/{chat}")).text
        assert "more than 24 hours old" in page and f"/inbox/{chat}/templates" in page and "<textarea" not in page
        answer = await visit.post(f"/inbox/{chat}/reply", {"text": "too late"}, hx=True)
        assert answer.status_code == 422
        assert await upload(visit, f"/inbox/{chat}/file", "cake.png", PIXEL) == 422
        fields = {"value.body.1": "Ana", "value.body.2": "7"}
        assert (await visit.post(f"/inbox/{chat}/templates/{template}", fields)).status_code == 303


async def test_buttons_are_sent_and_limits_are_told(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat, _template = await prepared(visit)
        path = f"/inbox/{chat}/buttons"
        assert (await visit.get(path)).text.count('name="title"') == 3
        assert (await visit.post(path, {"text": "Deliver?", "title": ["Yes", "No", ""]})).status_code == 303
        said = await newest(visit, chat)
        assert isinstance(said, c.Buttons) and [choice.title for choice in said.choices] == ["Yes", "No"]
        assert (await visit.post(path, {"text": "Deliver?", "title": ["x" * 21]})).status_code == 422
        assert (await visit.post(path, {"text": "Deliver?"})).status_code == 422


async def test_a_viewer_sees_the_pages_and_sends_nothing(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat, template = await prepared(visit)
        await visit.become("viewer")
        for path in ("file", "buttons", f"templates/{template}"):
            assert (await visit.post(f"/inbox/{chat}/{path}", {"text": "x"})).status_code == 403
