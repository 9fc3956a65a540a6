"""The simulator: the page talks to any version of a bot through the real pipeline."""

import asyncio
import re
from pathlib import Path

import pytest

from app import bots, documents
from tests.routes.visiting import Visit, visiting

pytestmark = pytest.mark.anyio
BOT = """bot: Luna
rules:
  - name: greeting
    when: {says: hi}
    do: [{say: "Hello {{ contact.first_name or 'stranger' }}.", buttons: [Menu, Order, Hours, Person]}]
  - name: menu
    when: {says: menu}
    do: [{say: Bread and cake.}]
  - name: person
    when: {says: person}
    do: [{handoff: wants a person}]
fallback: {do: [{say: "Sorry?"}]}
"""


async def started(visit: Visit, text: str = BOT) -> dict[str, str]:
    """What is being tried, as the page's forms send it."""
    bot_id = await bots.create(visit.rt, "Luna", text, None)
    return {"bot": str(bot_id), "version": "0", "who": "new", "on": "whatsapp_cloud"}


async def screen(visit: Visit, trial: dict[str, str]) -> str:
    """The phone, once everything said is read."""
    query = "&".join(f"{name}={value}" for name, value in trial.items())
    async with asyncio.timeout(10):
        while True:
            html = (await visit.get(f"/simulator/screen?{query}")).text
            if not any(f'aria-label="{state}"' in html for state in ("Queued", "Sent", "Delivered")):
                return html
            await asyncio.sleep(0.01)


async def reasons(visit: Visit, trial: dict[str, str]) -> str:
    return (await visit.get("/simulator/reasons?" + "&".join(f"{k}={v}" for k, v in trial.items()))).text


async def test_a_customer_is_answered_by_the_draft_and_the_answer_explains_itself(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        trial = await started(visit)
        answer = await visit.post("/simulator/say", trial | {"text": "hi"})
        assert answer.status_code == 303 and f"bot={trial['bot']}" in answer.headers["location"]
        html = await screen(visit, trial)
        assert "Hello stranger." in html and 'aria-label="Read"' in html and 'href="#turn-1"' in html
        why = await reasons(visit, trial)
        assert "Rule “greeting”" in why and "<mark>hi</mark>" in why and "/bots/" in why
        page = await visit.get(answer.headers["location"])
        assert page.status_code == 200 and "Hello stranger." in page.text


async def test_a_button_is_pressed_and_a_row_is_picked(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        trial = await started(visit)
        await visit.post("/simulator/say", trial | {"text": "hi"}, hx=True)
        html = await screen(visit, trial)
        assert 'name="kind" value="list"' in html, "four choices are a list on WhatsApp"
        choice = re.search(r'name="choice" value="([^"]+)"[^>]*>Menu', html)
        assert choice
        await visit.post("/simulator/say", trial | {"kind": "list", "choice": choice[1], "title": "Menu"}, hx=True)
        assert "Bread and cake." in await screen(visit, trial)
        assert await visit.one("select count(*) from message where kind = 'list_reply'") == 1


SENSES = """bot: Senses
rules:
  - {name: first, when: {first: true}, continue: true, do: [{tag: seen}]}
  - {name: thanks, when: {reaction: 👍}, do: [{say: Thanks.}]}
  - {name: pictures, when: {media: [image, video]}, do: [{say: A picture.}]}
  - {name: files, when: {media: any}, do: [{say: A file.}]}
  - {name: where, when: {location: true}, do: [{say: A place.}]}
  - {name: order, when: {order: true}, do: [{say: An order.}]}
  - {name: ad, when: {referral: {source_type: ad}}, do: [{say: An ad.}]}
fallback: {do: [{say: "Sorry?"}]}
"""


async def test_a_customer_sends_more_than_words(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        trial = await started(visit, SENSES)
        answer = await visit.post("/simulator/say", trial | {"emoji": "👍"}, hx=True)
        assert answer.status_code == 422 and "no answer to react to" in answer.text
        for sample, reply in (
            ("location", "A place."), ("order", "An order."), ("ad", "An ad."), ("photo", "A picture."),
            ("video", "A picture."), ("voice", "A file."), ("document", "A file."), ("sticker", "A file."),
        ):  # fmt: skip
            answer = await visit.post("/simulator/say", trial | {"sample": sample, "text": ""}, hx=True)
            assert answer.status_code == 200, sample
            assert await visit.one("select text from message where direction = 'out' order by id desc limit 1") == reply
        await visit.post("/simulator/say", trial | {"sample": "photo", "text": "my cake"}, hx=True)
        assert "my cake" in await screen(visit, trial)
        await visit.post("/simulator/say", trial | {"emoji": "👍"}, hx=True)
        html = await screen(visit, trial)
        assert "Thanks." in html and '<span class="reaction">👍</span>' in html
        why = await reasons(visit, trial)
        assert "Rule where had all that it asks for: a location." in why
        assert "Before that: Rule first had all that it asks for: the first message ever." in why


async def test_the_scene_shows_what_the_network_can_show(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        trial = await started(visit)
        await visit.post("/simulator/say", trial | {"on": "telegram", "text": "hi"})
        html = await screen(visit, trial)
        assert html.count('name="kind" value="buttons"') == 4 and 'aria-label="Failed"' not in html
        await visit.post("/simulator/say", trial | {"on": "whatsapp_web", "text": "hi"})
        assert "4. Person" in await screen(visit, trial)
        await visit.post("/simulator/say", trial | {"on": "whatsapp_web", "text": "1"})
        assert "Bread and cake." in await screen(visit, trial)


async def test_the_chat_follows_the_version_that_is_chosen(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        trial = await started(visit)
        bot_id = int(trial["bot"])
        await bots.publish(visit.rt, bot_id, [], "", None)
        await bots.save_draft(visit.rt, bot_id, BOT.replace("Bread and cake.", "Soup."), 1, None)
        await visit.post("/simulator/say", trial | {"text": "menu"})
        assert "Soup." in await screen(visit, trial)
        await visit.post("/simulator/say", trial | {"version": "1", "text": "menu"})
        assert "Bread and cake." in await screen(visit, trial)


async def test_a_draft_with_errors_cannot_be_tried_and_says_where(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        trial = await started(visit, BOT.replace("says: menu", "sais: menu"))
        for hx in (True, False):
            answer = await visit.post("/simulator/say", trial | {"text": "hi"}, hx=hx)
            assert answer.status_code == 422 and "cannot be tried yet: line 7" in answer.text
        assert await visit.one("select count(*) from message") == 0


@pytest.mark.parametrize("text", ["", "   ", "x" * 5000])
async def test_an_empty_or_endless_message_is_refused(tmp_path: Path, text: str) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        answer = await visit.post("/simulator/say", await started(visit) | {"text": text}, hx=True)
        assert answer.status_code == 422 and 'role="alert"' in answer.text


async def test_after_a_hand_off_the_bot_is_silent_until_one_starts_over(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        trial = await started(visit)
        await visit.post("/simulator/say", trial | {"text": "person"})
        await visit.post("/simulator/say", trial | {"text": "hi"})
        html = await screen(visit, trial)
        assert "wants a person" in html and "The bot is silent now" in html and "Hello" not in html
        answer = await visit.post("/simulator/over", trial)
        assert answer.status_code == 303
        assert "Say “hi” as a customer would." in await screen(visit, trial)
        await visit.post("/simulator/say", trial | {"text": "hi"})
        assert "Hello stranger." in await screen(visit, trial)


async def test_each_user_plays_customers_of_their_own(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        trial = await started(visit)
        await visit.post("/simulator/say", trial | {"text": "hi"})
        await visit.post("/simulator/say", trial | {"who": "you", "text": "hi"})
        assert "Hello Rosa." in await screen(visit, trial | {"who": "you"})
        await visit.become("admin")
        assert "Say “hi” as a customer would." in await screen(visit, trial)


async def test_words_of_the_customer_are_never_html(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        trial = await started(visit)
        await visit.post("/simulator/say", trial | {"text": "<img src=x onerror=alert(1)> hi"})
        for html in (await screen(visit, trial), await reasons(visit, trial)):
            assert "<img" not in html and "&lt;img" in html


async def test_an_unchanged_phone_is_not_drawn_again(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        trial = await started(visit)
        await visit.post("/simulator/say", trial | {"text": "hi"})
        await screen(visit, trial)
        path = "/simulator/screen?" + "&".join(f"{name}={value}" for name, value in trial.items())
        first = await visit.get(path)
        again = await visit.get(path, **{"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304


async def test_the_page_works_without_a_bot_and_only_for_builders(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        assert "No bot to talk to yet" in (await visit.get("/simulator")).text
        assert (await visit.get("/simulator?bot=9&version=9&who=x&on=y")).status_code == 200
        trial = await started(visit)
        assert (await visit.post("/simulator/say", trial | {"version": "4", "text": "hi"})).status_code == 404
        await visit.become("agent")
        assert (await visit.get("/simulator")).status_code == 403
        assert (await visit.post("/simulator/say", trial | {"text": "hi"})).status_code == 403


async def test_a_run_becomes_a_test_of_the_draft_that_passes(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        trial = await started(visit, BOT + "# the end\n")
        await visit.post("/simulator/say", trial | {"text": "hi"}, hx=True)
        html = await screen(visit, trial)
        choice = re.search(r'name="choice" value="([^"]+)"[^>]*>Menu', html)
        assert choice
        await visit.post("/simulator/say", trial | {"kind": "list", "choice": choice[1], "title": "Menu"}, hx=True)
        await visit.post("/simulator/say", trial | {"text": "a person"}, hx=True)
        page = await reasons(visit, trial)
        form = re.search(r'action="([^"]+/tests)".*?name="conversation" value="(\d+)"', page, re.DOTALL)
        assert form and "Make this a test" in page
        for _again in range(2):
            answer = await visit.post(form[1], {"conversation": form[2]})
            assert answer.status_code == 303
        draft = (await bots.get(visit.rt.db.reader, int(trial["bot"]))).draft
        assert draft.startswith(BOT + "# the end\n")
        outcomes = documents.test(draft)
        assert [(outcome.name, outcome.wrong) for outcome in outcomes] == [("hi (2)", ()), ("hi", ())]
        assert [spoken.who for spoken in outcomes[0].chat] == ["user", "bot", "button", "bot", "user", "handoff"]


async def test_nothing_becomes_a_test_where_nothing_was_decided_or_the_draft_is_wrong(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        trial = await started(visit)
        page = f"/bots/{trial['bot']}/tests"
        for conversation in ("1", "x", ""):
            assert (await visit.post(page, {"conversation": conversation})).status_code == 422
        await bots.save_draft(visit.rt, int(trial["bot"]), BOT + "colour: red\n", 1, None)
        answer = await visit.post(page, {"conversation": "1"})
        assert answer.status_code == 422 and "The draft has to be in order first." in answer.text
        assert (await bots.get(visit.rt.db.reader, int(trial["bot"]))).draft == BOT + "colour: red\n"


CALLING = """bot: Luna
rules:
  - name: order
    when: {says: order}
    do:
      - call: {post: "https://127.0.0.1:8443/orders?who={{ contact.name }}", json: {item: bread}}
        failed: [{say: "It failed: {{ call.error }}."}]
"""


async def test_who_is_really_called_is_said_beside_the_phone_and_how_it_went_in_the_explanation(
    tmp_path: Path,
) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        trial = await started(visit, CALLING)
        page = (await visit.get("/simulator?" + "&".join(f"{k}={v}" for k, v in trial.items()))).text
        assert "This bot calls 127.0.0.1:8443, and does so here too" in page
        await visit.post("/simulator/say", trial | {"text": "order"})
        async with asyncio.timeout(10):
            while "It failed: not_allowed." not in await screen(visit, trial):
                await asyncio.sleep(0.01)
        why = await reasons(visit, trial)
        assert why.count("POST https://127.0.0.1:8443/orders?who=") == 2
        assert why.count("Calls may not go to this address.") == 3  # the verdict, too


async def test_of_a_bot_that_calls_nobody_nothing_is_said_about_calls(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        trial = await started(visit, BOT.replace("Bread and cake.", "Give us a call."))
        page = (await visit.get("/simulator?" + "&".join(f"{k}={v}" for k, v in trial.items()))).text
        assert "This bot calls" not in page
