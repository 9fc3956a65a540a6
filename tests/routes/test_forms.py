"""Forms beside the editor: they change the draft and nothing else in it, keep what was typed when they are refused, and
leave to the document what they cannot show."""

import re
from pathlib import Path

import pytest

from app import bots
from tests.routes.visiting import Visit, visiting

pytestmark = pytest.mark.anyio
DRAFT = """# Luna's bot
bot: Luna
hours: {zone: UTC, mon-fri: "08:00-18:00"} # summer
rules:
  # greets
  - name: greeting
    when: {says: [hi, hello]}
    do:
      - say: "Hello <b>you</b>." # first
        buttons: [Menu]
  - name: order
    when: {says: {any: [order]}}
    do: [{start: order}]
fallback: {do: [{say: Sorry.}]}
flows:
  order:
    - ask: {text: {en: "What?", pt: "O que?"}, save: item}
    - say: {en: Thanks.}
"""


async def made(visit: Visit, text: str = DRAFT) -> str:
    return f"/bots/{await bots.create(visit.rt, 'Luna', text, None)}"


async def draft(visit: Visit, page: str) -> str:
    return (await bots.get(visit.rt.db.reader, int(page.rpartition("/")[2]))).draft


async def test_a_rule_is_changed_where_it_stands(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        html = (await visit.get(f"{page}/rules?rule=0")).text
        assert "hi\nhello</textarea>" in html and "Hello &lt;b&gt;you&lt;/b&gt;.</textarea>" in html
        given = {
            "revision": "1",
            "rule": "0",
            "was": "greeting",
            "name": "greeting",
            "words": "hi\r\noi",
            "say.0": "Oi!",
        }
        answer = await visit.post(f"{page}/rules", given | {"buttons.0": "Menu\r\nOrder", "handoff.new": "New"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{page}/rules?rule=0")
        assert await draft(visit, page) == DRAFT.replace("[hi, hello]", "[hi, oi]").replace(
            '"Hello <b>you</b>." # first\n        buttons: [Menu]\n',
            "Oi! # first\n        buttons: [Menu, Order]\n      - {handoff: New}\n",
        )


async def test_htmx_gets_the_form_the_bar_and_a_word(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        given = {"revision": "1", "rule": "0", "was": "greeting", "name": "greets"}
        answer = await visit.post(f"{page}/rules", given, hx=True)
        assert answer.status_code == 200 and answer.text.lstrip().startswith('<div class="panes form-panes one"')
        assert 'name="revision" value="2"' in answer.text and 'id="bot-version" hx-swap-oob="true"' in answer.text
        assert "Saved." in answer.headers["HX-Trigger"] and "<html" not in answer.text


async def test_what_a_form_cannot_show_is_left_to_the_document(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        html = (await visit.get(f"{page}/rules?rule=1")).text
        assert "It listens for more than words." in html and "A step that only the document shows" in html
        assert f'href="{page}#l11"' in html and f'href="{page}#l13"' in html
        given = {"revision": "1", "rule": "1", "was": "order", "name": "orders", "words": "ignored"}
        await visit.post(f"{page}/rules", given)
        assert await draft(visit, page) == DRAFT.replace("name: order\n", "name: orders\n")


async def test_what_is_wrong_is_said_and_what_was_typed_stays(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        given = {"revision": "1", "rule": "0", "was": "greeting", "name": "order", "words": "<i>x</i>"}
        answer = await visit.post(f"{page}/rules", given, hx=True)
        assert answer.status_code == 422 and "Two rules are called “order”." in answer.text
        assert "&lt;i&gt;x&lt;/i&gt;</textarea>" in answer.text and await draft(visit, page) == DRAFT


async def test_somebody_elses_words_are_never_overwritten_and_the_rule_is_found_again(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        theirs = DRAFT.replace("  # greets\n", "  - {name: new, when: {says: new}, do: [{say: New.}]}\n  # greets\n")
        await visit.post(page, {"text": theirs, "revision": "1"})
        given = {"revision": "1", "rule": "0", "was": "greeting", "name": "greeting", "say.0": "Mine."}
        answer = await visit.post(f"{page}/rules", given, hx=True)
        assert answer.status_code == 409 and "Nothing was overwritten" in answer.text
        assert "Mine.</textarea>" in answer.text and await draft(visit, page) == theirs
        assert 'name="rule" value="1"' in answer.text and 'name="revision" value="2"' in answer.text
        await visit.post(f"{page}/rules", given | {"revision": "2", "rule": "1"})
        assert "Mine." in await draft(visit, page) and "New." in await draft(visit, page)


async def test_the_bar_tells_that_somebody_saved_since(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        assert f'hx-get="{page}/bar?revision=1"' in (await visit.get(f"{page}/hours")).text
        assert f'hx-get="{page}/bar"' in (await visit.get(f"{page}/versions")).text
        assert "hx-get" not in (await visit.get(page)).text.partition('id="bot-version"')[2].partition(">")[0]
        said = "Saved by somebody since"
        assert said not in (await visit.get(f"{page}/bar?revision=1", hx=True)).text
        await visit.post(page, {"text": DRAFT + "# theirs\n", "revision": "1"})
        assert said in (await visit.get(f"{page}/bar?revision=1", hx=True)).text
        assert said not in (await visit.get(f"{page}/bar", hx=True)).text


async def test_a_rule_is_added_moved_removed_and_brought_back(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        assert 'name="say.new"' in (await visit.get(f"{page}/rules?rule=new")).text
        given = {
            "revision": "1",
            "rule": "new",
            "name": "thanks 🙏",
            "words": "thanks\nthank you",
            "say.new": "Welcome: you!",
        }
        assert (await visit.post(f"{page}/rules", given | {"words": " "})).status_code == 422
        await visit.post(f"{page}/rules", given | {"buttons.new": "Menu", "where": "last"})
        assert 'name: "thanks 🙏"' in await draft(visit, page)
        await visit.post(f"{page}/rules/arrange", {"revision": "2", "rule": "2", "how": "up"})
        text = await draft(visit, page)
        assert text.index("thanks 🙏") < text.index("name: order") and "# greets" in text
        answer = await visit.post(f"{page}/rules/arrange", {"revision": "3", "rule": "0", "how": "remove"}, hx=True)
        assert "Undo brings it back." in answer.headers["HX-Trigger"] and "greeting" not in answer.text
        assert "# greets" in await draft(visit, page) and "# first" in await draft(visit, page)
        for revision in ("4", "5", "6"):
            assert "Undo" in (await visit.get(f"{page}/rules")).text
            assert (await visit.post(f"{page}/undo", {"revision": revision})).status_code == 303
        assert await draft(visit, page) == DRAFT
        assert "Undo" not in (await visit.get(f"{page}/rules")).text
        assert (await visit.post(f"{page}/undo", {"revision": "7"})).status_code == 409


async def test_rules_are_found_by_their_words(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        html = (await visit.get(f"{page}/rules?q=HELLO")).text
        assert "greeting" in html and "rule=1" not in html
        assert "No rule has these words." in (await visit.get(f"{page}/rules?q=nothing")).text
        assert (await visit.get(f"{page}/rules?rule=99")).status_code == 200


async def test_every_text_is_listed_reworded_and_translated(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        html = (await visit.get(f"{page}/texts")).text
        for text in ("Menu", "Sorry.", "What?", "O que?", "Thanks."):
            assert f"\n{text}</textarea>" in html, text
        assert "6 texts" in html and html.count("Not translated yet") == 1
        [missing] = re.findall(r'name="(t\.\d+\.pt)"', html)
        [sorry] = re.findall(r'name="(t\.\d+)"[^>]*>\nSorry\.', html)
        await visit.post(f"{page}/texts", {"revision": "1", missing: "Obrigado.", sorry: "Pardon: me"})
        text = DRAFT.replace("{en: Thanks.}", '{en: Thanks., pt: "Obrigado."}').replace("Sorry.", '"Pardon: me"')
        assert await draft(visit, page) == text
        assert "Pardon" in (await visit.get(f"{page}/texts?q=pardon")).text
        portuguese = (await visit.get(f"{page}/texts?language=pt")).text
        assert "Obrigado." in portuguese and "Thanks." not in portuguese


async def test_hours_are_split_where_one_day_differs(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        html = (await visit.get(f"{page}/hours")).text
        assert html.count('value="08:00-18:00"') == 5 and "Wednesday" in html
        given = {f"day.{day}": "08:00-18:00" for day in (0, 1, 3, 4)}
        given |= {"revision": "1", "zone": "Europe/Lisbon", "day.2": ""}
        answer = await visit.post(f"{page}/hours", given | {"day.5": "25:00-26:00"})
        assert answer.status_code == 422 and 'value="25:00-26:00"' in answer.text
        await visit.post(f"{page}/hours", given | {"day.5": ""})
        assert await draft(visit, page) == DRAFT.replace(
            '{zone: UTC, mon-fri: "08:00-18:00"}',
            '{zone: "Europe/Lisbon", mon-tue: "08:00-18:00", wed: "closed", thu-fri: "08:00-18:00"}',
        )


async def test_holidays_are_added_renamed_and_taken_away(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        new = {"revision": "1", "date.new": "12-24", "name.new": "Christmas Eve", "hours.new": "08:00-12:00"}
        refused = await visit.post(f"{page}/hours", new | {"date.new": "13-24"})
        assert refused.status_code == 422 and 'value="13-24"' in refused.text and "a date, like" in refused.text
        await visit.post(f"{page}/hours", new)
        holidays = 'holidays: [{date: "12-24", name: Christmas Eve, hours: "08:00-12:00"}]'
        assert await draft(visit, page) == DRAFT.replace(
            'mon-fri: "08:00-18:00"', f'mon-fri: "08:00-18:00", {holidays}'
        )
        assert 'value="Christmas Eve"' in (await visit.get(f"{page}/hours")).text
        await visit.post(f"{page}/hours", {"revision": "2", "date.0": "12-24", "to.0": "12-26", "hours.0": ""})
        assert '{date: "12-24", to: "12-26", name: Christmas Eve, hours: closed}' in await draft(visit, page)
        await visit.post(f"{page}/hours", {"revision": "3", "date.0": ""})
        assert "holidays: []" in await draft(visit, page)


async def test_a_document_that_cannot_be_read_has_no_form(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit, "bot: Luna\nrules: [\n")
        for path in ("rules", "texts", "hours"):
            html = (await visit.get(f"{page}/{path}")).text
            assert "The document has to be in order first" in html, path
        answer = await visit.post(f"{page}/texts", {"revision": "1", "t.0": "x"})
        assert answer.status_code == 422 and "has to be in order first" in answer.text
        assert (await visit.get(f"{page}/map")).status_code == 200


async def test_the_map_leads_into_the_document(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        html = (await visit.get(f"{page}/map")).text
        assert f'href="{page}#l17"' in html and "<svg" in html


@pytest.mark.parametrize(
    "fields",
    [{"t.99": "x"}, {"t.0.pt": "x"}, {"t.x": "y"}, {"t.": "y"}, {"t.0.0.0": "x"}, {"t.-1": "x"}],
)
async def test_made_up_fields_change_nothing(tmp_path: Path, fields: dict[str, str]) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        answer = await visit.post(f"{page}/texts", {"revision": "1"} | fields)
        assert answer.status_code == 422 and await draft(visit, page) == DRAFT


async def test_only_builders_fill_in_forms(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        page = await made(visit)
        await visit.become("agent")
        for path in ("rules", "texts", "hours"):
            assert (await visit.get(f"{page}/{path}")).status_code == 403
            assert (await visit.post(f"{page}/{path}", {"revision": "1"})).status_code == 403
        for path in ("rules/arrange", "undo"):
            assert (await visit.post(f"{page}/{path}", {"revision": "1"})).status_code == 403
        assert (await visit.get(f"{page}/map")).status_code == 200
