"""The page of what the bot missed: groups, a rule made of one, one set aside, and nothing kept of who is erased."""

import re
from pathlib import Path

import pytest

from app import bots, connecting, erase
from app.bot.document import parse
from tests.routes.visiting import Visit, visiting
from tests.shop import change, said, take_in

pytestmark = pytest.mark.anyio
DAY = 86_400_000
DRAFT = """bot: Luna
rules:
  - name: greeting  # keep me
    when: {says: hi}
    do: [{say: Hello.}]
fallback: {do: [{say: "Sorry?"}], after: 2, then: [{say: "Still not."}]}
"""
VALUES = {"phone_number_id": "77", "access_token": "t", "app_secret": "s", "verify_token": "v"}


class Shop:
    """A channel on which the bot is live, and customers who write to it."""

    def __init__(self, visit: Visit, bot_id: int, channel_id: int) -> None:
        self.visit, self.bot_id, self.channel_id = visit, bot_id, channel_id
        self.page = f"/bots/{bot_id}/unanswered"

    async def hears(self, *texts: str, who: str = "16505551234", days_ago: int = 0) -> None:
        rt = self.visit.rt
        for text in texts:
            outcome = await take_in(rt, rt.channels.by_id[self.channel_id], said(rt, text, who, account="77"))
            at = rt.clock.now() - days_ago * DAY
            await change(rt, "update turn set at = :at where id = :id", at=at, id=outcome.message_id)

    async def html(self, query: str = "") -> str:
        answer = await self.visit.get(self.page + query)
        assert answer.status_code == 200
        return answer.text

    async def draft(self) -> str:
        return (await bots.get(self.visit.rt.db.reader, self.bot_id)).draft

    async def press(self, action: str, words: str, query: str = "", **more: str) -> str:
        """The button of this name beside the group with these words. Returns where it leads."""
        html = await self.html(query)
        row = next(row for row in html.split('<li class="wraps">') if words in row)
        found = re.search(rf'unanswered/{action}".*?name="days" value="(\d+)".*?name="turn" value="(\d+)"', row)
        assert found, row
        answer = await self.visit.post(f"{self.page}/{action}", {"days": found[1], "turn": found[2], **more})
        assert answer.status_code == 303
        return answer.headers["location"]


async def opened(visit: Visit, text: str = DRAFT) -> Shop:
    bot_id = await bots.create(visit.rt, "Luna of the page", text, None)
    channel_id = await connecting.add(visit.rt.channels, "whatsapp_cloud", "Second shop", VALUES)
    visit.rt.channels.by_id[channel_id].sender.open = False
    await bots.publish(visit.rt, bot_id, [channel_id], "", None)
    return Shop(visit, bot_id, channel_id)


async def test_what_was_missed_is_grouped_and_leads_to_a_rule_on_both_databases(
    tmp_path: Path, database_url: str
) -> None:
    url = database_url if database_url.startswith("postgresql:") else ""
    async with visiting(tmp_path, database_url=url) as visit:
        shop = await opened(visit)
        assert "Nothing was missed" in await shop.html()
        await shop.hears("hi", "Is there parking?", "parking <b>", "هل عندكم توصيل إلى جدة؟ 🎂", "parkng near you")
        html = await shop.html()
        assert "3 messages" in html and "1 message<" in html and "parking &lt;b&gt;" in html and ">hi<" not in html
        assert re.search(r'<a class="quote" dir="auto" href="/inbox/\d+#message-\d+">هل عندكم', html)
        await shop.press("ignore", "توصيل")
        await shop.hears("توصيل جدة")
        html = await shop.html()
        assert html.index("parking &lt;b&gt;") < html.index('id="ignored-head"') < html.index("توصيل جدة")
        await shop.press("again", "توصيل")
        assert 'id="ignored-head"' not in await shop.html()
        says = 'Yes, behind the "house": two places.'
        assert await shop.press("rule", "parking", says=says) == f"{shop.page}?days=30"
        draft = await shop.draft()
        assert draft.startswith(DRAFT[: DRAFT.index("fallback")]) and draft.splitlines()[5] == '  - name: "parking"'
        rule = parse(draft).rules[1]
        assert rule.name.text == "parking" and says in str(rule.do)
        html = await shop.html()
        assert "parking" not in html.split('id="missed-head"')[1] and "3 more messages were missed" in html


async def test_a_period_is_chosen_and_anything_else_is_thirty_days(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        shop = await opened(visit)
        await shop.hears("new question", days_ago=1)
        await shop.hears("elder flower", days_ago=20)
        await shop.hears("ancient history", days_ago=80)
        await shop.hears("before everything", days_ago=100)
        for query, seen in {"?days=7": 1, "?days=30": 2, "?days=90": 3, "": 2, "?days=x": 2, "?days=9999": 2}.items():
            html = await shop.html(query)
            there = [text in html for text in ("new question", "elder flower", "ancient history", "before everything")]
            assert there.count(True) == seen and there[0], query


async def test_what_is_ignored_stays_so_when_its_messages_are_older_than_the_period(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        shop = await opened(visit)
        await shop.hears("do you sell drones", days_ago=40)
        await shop.press("ignore", "drones", "?days=90")
        await shop.hears("drones?")
        html = await shop.html("?days=7")
        assert "Nothing was missed" in html and html.index('id="ignored-head"') < html.index("drones?")


async def test_who_is_erased_is_not_on_the_page_and_the_simulator_never_was(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        shop = await opened(visit)
        await shop.hears("where is my drone", who="16505550001")
        await shop.hears("the price of drones", who="16505550002")
        await shop.press("ignore", "my drone")
        trial = {"bot": str(shop.bot_id), "version": "0", "who": "new", "on": "whatsapp_cloud", "text": "tried only"}
        await visit.post("/simulator/say", trial)
        html = await shop.html()
        assert "my drone" in html and "tried only" not in html
        contact_id = await visit.one("select contact_id from identity where value = '16505550001'")
        await erase.contact(visit.rt, contact_id)
        html = await shop.html()
        assert "my drone" not in html and html.index('id="ignored-head"') < html.index("the price of drones")


async def test_a_draft_with_errors_is_named_and_kept(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        shop = await opened(visit)
        await shop.hears("parking")
        await bots.save_draft(visit.rt, shop.bot_id, DRAFT + "colour: red\n", 1, None)
        turn = await visit.one("select id from turn where code = 'missed'")
        answer = await visit.post(f"{shop.page}/rule", {"turn": str(turn), "days": "30", "says": "Yes."})
        assert answer.status_code == 422 and "The draft has to be in order first. Line 7" in answer.text
        assert await shop.draft() == DRAFT + "colour: red\n"


@pytest.mark.parametrize(("says", "told"), [("", "Write what the bot answers."), ("{{ 1 + }}", "{{ 1 + }}")])
async def test_an_answer_that_the_bot_cannot_say_is_told_and_kept_in_its_field(
    tmp_path: Path, says: str, told: str
) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        shop = await opened(visit)
        await shop.hears("parking")
        turn = await visit.one("select id from turn where code = 'missed'")
        answer = await visit.post(f"{shop.page}/rule", {"turn": str(turn), "days": "30", "says": says})
        assert answer.status_code == 422 and told in answer.text and 'class="fold" open' in answer.text
        assert await shop.draft() == DRAFT


@pytest.mark.parametrize("turn", ["", "x", "1", "9" * 40])
@pytest.mark.parametrize("action", ["rule", "ignore", "again"])
async def test_a_group_that_is_not_there_is_not_found(tmp_path: Path, action: str, turn: str) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        shop = await opened(visit)
        answer = await visit.post(f"{shop.page}/{action}", {"turn": turn, "days": "30", "says": "Yes."})
        assert answer.status_code in (404, 422) and await shop.draft() == DRAFT


@pytest.mark.parametrize(
    ("referer", "leads"),
    [("http://127.0.0.1:8080/bots?x=%3C", 'href="/bots?x=%3C"'), ("http://evil.example/bots", ""), ("", "")],
)
async def test_a_refused_form_leads_back_to_its_page_and_nowhere_else(tmp_path: Path, referer: str, leads: str) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        base = str(visit.client.base_url)
        headers = visit.headers() | {"Referer": referer.replace("http://127.0.0.1:8080", base)}
        answer = await visit.client.post("/bots/1/unanswered/ignore", data={"csrf": visit.csrf}, headers=headers)
        assert answer.status_code == 404 and ("Go back" in answer.text) == bool(leads) and leads in answer.text


async def test_who_only_reads_has_no_buttons(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        shop = await opened(visit)
        await shop.hears("parking")
        await visit.become("viewer")
        html = await shop.html()
        assert "parking" in html and "Make a rule of this" not in html
        turn = await visit.one("select id from turn where code = 'missed'")
        assert (await visit.post(f"{shop.page}/rule", {"turn": str(turn), "days": "30"})).status_code == 403
