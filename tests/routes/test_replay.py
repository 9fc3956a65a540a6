"""The page of a replay: choosing, how far it is, both chats, refusals, and who may."""

import asyncio
import re
from pathlib import Path

import pytest

from app import bots
from tests.routes.visiting import Visit, visiting
from tests.shop import BOT, open_shop, said, take_in

pytestmark = pytest.mark.anyio
DRAFT = BOT.replace("One.", "Uno <b>.").replace("[hi, hello]", "[hi, menu]")


async def shop(visit: Visit, draft: str = DRAFT) -> str:
    """The page of a bot with three conversations behind it and a draft that says something else."""
    live = await open_shop(visit.rt)
    for who, words in (("111", "hi"), ("222", "twice"), ("333", "menu <img src=x>"), ("444", "hello")):
        await take_in(visit.rt, live, said(visit.rt, words, who, name=f"<i>{who}"))
    bot_id = int(await visit.one("select id from bot"))
    await bots.save_draft(visit.rt, bot_id, draft, 1, None)
    return f"/bots/{bot_id}/replay"


async def finished() -> None:
    for task in asyncio.all_tasks():
        if task.get_name() == "replay":
            await task


async def test_a_replay_is_chosen_counted_and_shown_side_by_side(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await shop(visit)
        assert f'href="{page}"' in (await visit.get(page.removesuffix("/replay"))).text
        assert "Choose conversations" in (await visit.get(page)).text
        answer = await visit.post(page, {"by": "last", "last": "100"})
        assert (answer.status_code, answer.headers["location"]) == (303, page)
        await finished()
        html = (await visit.get(page)).text
        for count, label in ((1, "Same"), (1, "Changed"), (1, "Newly answered"), (1, "Newly unanswered")):
            assert re.search(rf"<b>{count}</b><span><i class=\"swatch \w*\"></i>{label}<", html), label
        assert "4 conversations, 4 turns" in html and "nothing was sent" in html
        assert re.search(r'class="msg out bot changed"><div class="bubble"[^>]*>One\.<', html)
        assert re.search(r'class="msg out bot changed"><div class="bubble"[^>]*>Uno &lt;b&gt;\.<', html)
        gained = (await visit.get(f"{page}?outcome=gained")).text
        assert "menu &lt;img src=x&gt;" in gained and "<img src=x>" not in gained and "<i>333" not in gained
        assert 'class="quick"' in gained and "fallback" in gained
        assert "the draft says what was said then" in (await visit.get(f"{page}?outcome=same")).text
        for strange in ("outcome=x", "chat=x", "outcome=lost&chat=1", "chat=%00"):
            assert (await visit.get(f"{page}?{strange}")).status_code == 200


async def test_how_far_it_is_works_with_and_without_script_and_can_be_cancelled(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await shop(visit)
        async with visit.rt.replays._one:
            await visit.post(page, {"last": "10"})
            html = (await visit.get(page)).text
            assert '<noscript><meta http-equiv="refresh"' in html and "<progress" in html
            assert re.search(r"topics=[^\"]*,replay-\d+", html) and "this one comes next" in html
            summary = await visit.get(f"{page}/summary", hx=True)
            assert summary.status_code == 200 and "<progress" in summary.text
            assert (await visit.post(f"{page}/cancel")).status_code == 303
        assert "This replay was cancelled." in (await visit.get(page)).text
        over = await visit.get(f"{page}/summary", hx=True)
        assert (over.status_code, over.headers["hx-redirect"]) == (204, page)


async def test_a_period_and_a_tag_are_chosen_and_stay_in_the_form(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await shop(visit)
        await visit.post(page, {"by": "period", "since": "2026-09-01", "until": "2026-09-30"})
        await finished()
        html = (await visit.get(page)).text
        assert "4 conversations" in html and 'value="2026-09-01"' in html and 'value="2026-09-30"' in html
        await visit.post(page, {"by": "tag", "tag": "vip"})
        await finished()
        html = (await visit.get(page)).text
        assert "No such conversations" in html and 'value="vip"' in html


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"last": "0"}, "A number from 1 to 10000."),
        ({"last": "many"}, "A number from 1 to 10000."),
        ({"by": "period", "since": "2026-09-31", "until": "2026-10-01"}, "A day, like 2026-09-21."),
        ({"by": "period", "since": "0001-01-01", "until": "9999-12-31"}, "A day, like 2026-09-21."),
        ({"by": "period", "since": "2026-09-30", "until": "2026-09-01"}, "The last day comes before the first."),
        ({"by": "tag", "tag": " "}, "Write the tag."),
    ],
)
async def test_a_wrong_choice_is_named_at_its_field(tmp_path: Path, fields: dict[str, str], sentence: str) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        answer = await visit.post(await shop(visit), fields)
        assert answer.status_code == 422 and sentence in answer.text and 'aria-invalid="true"' in answer.text


async def test_a_draft_with_errors_is_refused_by_line(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await shop(visit, BOT + "colour: red\n")
        answer = await visit.post(page, {"last": "10"})
        assert answer.status_code == 422 and "The draft has to be in order first. Line" in answer.text


async def test_a_draft_saved_since_is_told(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await shop(visit)
        await visit.post(page, {"last": "10"})
        await finished()
        assert "The draft was saved since." not in (await visit.get(page)).text
        await bots.save_draft(visit.rt, int(page.split("/")[2]), BOT, 2, None)
        assert "The draft was saved since." in (await visit.get(page)).text


async def test_only_who_may_change_the_bot_may_replay(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await shop(visit)
        await visit.become("agent")
        assert f'href="{page}"' not in (await visit.get(page.removesuffix("/replay"))).text
        assert (await visit.get(page)).status_code == 403
        for path in (page, f"{page}/cancel"):
            assert (await visit.post(path, {"last": "1"})).status_code == 403
