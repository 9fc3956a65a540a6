"""That nothing speaks around `_()`: in the pseudo-language every readable text of every page, refusal and command is in
brackets, but for what people wrote themselves."""

import contextlib
import html
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.requests import Request
from starlette.routing import Route

from app import cli, handoff, i18n
from app import content as c
from app.db import Full, Query
from app.documents import starters
from app.said import N_
from app.store.settings import PUT
from tests.routes.visiting import ANA, PRIYA, Visit, visiting
from tests.shell import House

SKIPPED = re.compile(
    r"<(script|select|style|kbd|time|textarea|svg)\b.*?</\1>|<title>.*?</title>|<!--.*?-->"
    r"|<span class=\"avatar[^>]*>[^<]*<",
    re.DOTALL,
)
# What is the same in every language: our name, the networks', addresses, versions, units, codes.
NAMES = re.compile(
    r"(Parley( [\d.]+)?|Simulator|WhatsApp Cloud API|parley\.toml|parley user reset-password|python-httpx\S*"
    r"|https?://\S+|\S+@\S+\.example|127\.0\.0\.1\S*|/\S*|[\d.,]+ (B|kB|MB|GB)|SQLite [\d.]+|PostgreSQL [\d.]+"
    r"|(Python )?[\d.]+, \w+ \w+|EAAG…|phone_number_quality_update|[a-z_]+=\S*|xx)"
)
COLUMNS = (
    "select text from message",
    "select content from message",
    "select name from contact",
    "select name from channel",
    "select config from channel",
    "select name from bot",
    "select note from version where note is not null",
    "select draft from bot",
    "select document from version",
    "select name from app_user",
    "select output from turn",
    "select value from setting",
)
EVERY_KIND: tuple[c.Content, ...] = (
    c.Text("One for the *road*"),
    c.Image(url="https://luna.example/a.jpg", caption="A cake of ours"),
    c.Video(url="https://luna.example/a.mp4"),
    c.Audio(url="https://luna.example/a.ogg"),
    c.Document(url="https://luna.example/a.pdf", filename="Prices of today.pdf"),
    c.Sticker(url="https://luna.example/a.webp"),
    c.Location(1.5, 2.5, "The shop", "Rua das Flores 12"),
    c.Contacts((c.Card("Dona Célia", (("+551191", "CELL"),)),)),
    c.Buttons("Which one?", (c.Choice("a", "The first"), c.Choice("b", "The second"))),
    c.ChoiceList("Which of these?", "Our menu", (c.Section((c.Choice("a", "Bread", "with seeds"),), "Today"),)),
    c.Link("See our album", "To the album", "https://luna.example/album"),
    c.Flow("Where to?", {"flow_id": "1", "flow_cta": "Give the address"}),
    c.Flow("Where to?", {"flow_id": "1"}),
    c.Ask("Where are you?", "location"),
    c.Ask("What is your number?", "contact_info"),
    c.Template("order_ready", "en", (), ""),
    c.Pressed("a", "The first"),
    c.Picked("a", "Bread"),
    c.FlowReply("delivery", "", {"street": "Rua das Flores 12"}),
    c.Order("111", ({"quantity": 2, "item_price": 96},)),
    c.System("user_changed_number"),
    c.System("something_else"),
    c.Edit("wamid.gone", c.Text("Something else")),
    c.Delete("wamid.gone"),
    c.Reaction("wamid.gone", "❤️"),
    c.Unsupported("", ""),
)
WRONG = """bot: Half a bot
rules:
  - name: one
    when: {says: hi}
    do: [{say: "{{ nope.name }} and {{ x() }}", butons: [a]}]
  - name: one
    when: {says: {regex: "(("}}
    do: [{sya: hello}]
"""
DOUBTFUL = """bot: Doubts
rules:
  - name: one
    when: {says: [hi, hello]}
    do: [{say: "{{ contact.nmae }}", buttons: [a, b, c, d]}]
  - name: two
    when: {says: hi}
    do: [{say: "Pick one", buttons: ["A title that is far too long for a button", b]}]
  - name: three
    when: {says: {all: [big, order]}}
    do: [{say: "{{ missing }}x"}, {handoff: orders}]
"""


@pytest.fixture
async def visit(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visiting(tmp_path) as found:
        await speak(found)
        yield found


async def speak(visit: Visit) -> None:
    await visit.post("/account", {"name": "Rosa", "language": "xx", "zone": "", "theme": ""})


class Reader:
    """Reads pages. What people wrote is known from the database, and may be shown as it is."""

    def __init__(self, texts: set[str]) -> None:
        self.texts = texts

    def raw(self, page: str) -> list[str]:
        """The readable texts that were not translated."""
        plain = SKIPPED.sub("<>", page)
        texts = re.findall(r">([^<>]+)<", plain)
        texts += re.findall(r'\b(?:aria-label|placeholder|title|alt|data-offline)="([^"]+)"', plain)
        return [text for text in map(clean, texts) if re.search(r"[^\W\d_]{2}", text) and not self.passes(text)]

    def passes(self, text: str) -> bool:
        """Translated, a name, or somebody's own words (at least eight letters of them where they are cut)."""
        if text.startswith("[") or "·]" in text or NAMES.fullmatch(text):
            return True
        text = text.rstrip("…").strip("“”\u2068\u2069 ")
        parts = text.split(", ")
        known = all(NAMES.fullmatch(part) or part.strip('"}])') in self.texts for part in parts)
        return known or text in self.texts or (len(text) >= 8 and any(text in each for each in self.texts))


def clean(text: str) -> str:
    return " ".join(html.unescape(text).split()).strip(" ·,:()+")


async def reader_of(visit: Visit) -> Reader:
    found = {each for one in starters() for each in leaves(one.text)}
    for sql in COLUMNS:
        for value in await visit.rt.db.reader.all(Query(sql, lambda value: value)):
            found |= set(leaves(value))
    return Reader(found)


def leaves(value: str) -> Iterator[str]:
    """The texts in a column: the text itself, its lines, those of a JSON document but for our own sentences in it."""
    try:
        yield from inside(msgspec.json.decode(value or ""))
    except msgspec.DecodeError:
        yield from map(clean, value.splitlines())
        yield from re.findall(r"\w[\w'.-]*", value)  # a document is shown word by word, in colours
        yield from map(clean, re.findall(r'[^:,{}\[\]"\n]+', value))


def inside(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield clean(value)
    elif isinstance(value, dict):
        parts = [value[key] for key in value if key not in ("verdict", "near", "degraded", "problems")]
        yield from (text for part in [*value, *parts] for text in inside(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in inside(part))


async def test_every_text_of_every_page_can_be_translated(visit: Visit) -> None:
    pages = {path: (await visit.get(path)).text for path in await addresses(visit)}
    reader = await reader_of(visit)
    assert [path for path, page in pages.items() if '<html lang="xx"' not in page] == []
    found = {path: raw for path, page in pages.items() if (raw := reader.raw(page))}
    assert found == {}


async def addresses(visit: Visit) -> list[str]:
    """One page of every kind, with something of every kind on it."""
    ana, priya = await visit.chat(ANA), await visit.chat(PRIYA)
    rosa = await visit.one("select id from app_user where role = 'owner'")
    for kind in EVERY_KIND:
        await visit.rt.db.write(handoff.say, priya, kind, rosa)
    shop = await visit.one("select id from channel where name = 'Shop'")
    bakery = await visit.one("select id from bot")
    wrong, doubtful = [await new_bot(visit, text) for text in (WRONG, DOUBTFUL)]
    await visit.post(f"/bots/{bakery}/publish", {"note": "", "channel": str(shop)})
    for text in ("hi", "helo", "big order", "nothing of the kind", "big", "hello"):
        await visit.post("/simulator/say", {"bot": str(doubtful), "who": "self", "on": "telegram", "text": text})
    explained = await visit.one("select id from message where conversation_id = :id and turn_id is not null", id=ana)
    return [
        "/",
        *(f"/inbox{view}" for view in ("", "?view=waiting", "?q=nothing+like+it", "?view=closed")),
        f"/inbox/{ana}",
        f"/inbox/{ana}?why={explained}",
        f"/inbox/{priya}",
        "/channels",
        "/channels/new/whatsapp_cloud",
        f"/channels/{shop}",
        "/bots",
        *(f"/bots/{bot}" for bot in (bakery, wrong, doubtful)),
        f"/bots/{bakery}/versions",
        f"/bots/{bakery}/versions/1",
        f"/bots/{bakery}/diff?from=1&to=0",
        f"/bots/{bakery}/publish",
        f"/bots/{bakery}/replay",
        f"/bots/{wrong}/publish",
        *(f"/simulator?bot={doubtful}&on={network}" for network in ("telegram", "whatsapp_cloud")),
        f"/simulator?bot={wrong}",
        "/settings",
        "/account",
        "/confirm",
    ]


async def new_bot(visit: Visit, text: str) -> int:
    """A bot with this draft, right or wrong."""
    name = f"Bot {len(text)}"
    await visit.post("/bots", {"name": name, "starter": "blank"})
    bot = int(await visit.one("select id from bot where name = :name", name=name))
    await visit.post(f"/bots/{bot}", {"text": text, "revision": "1"})
    return bot


async def test_every_refusal_can_be_translated(visit: Visit) -> None:
    """Whole pages, forms with what is wrong in them, toasts, and the pages of a failing database and of a crash."""
    visit.app.router.routes[:0] = [Route("/crash", crash), Route("/full", full)]
    ana = await visit.chat(ANA)
    shop = await visit.one("select id from channel where name = 'Shop'")
    bot = await visit.one("select id from bot")
    answered = await visit.one("select id from message where conversation_id = :id and direction = 'in'", id=ana)
    answers = [
        (404, await visit.get("/nothing-here")),
        (404, await visit.get("/inbox/7")),
        (404, await visit.get("/bots/7")),
        (405, await visit.get("/logout")),
        (409, await visit.post(f"/inbox/messages/{answered}/resend")),
        (409, await visit.post(f"/bots/{bot}", {"text": "bot: Luna Bakery", "revision": "0"})),
        (422, await visit.post("/channels/new/whatsapp_cloud", {"name": "7"})),
        (422, await visit.post(f"/channels/{shop}", {"name": "Shop", "rate": "5000"})),
        (422, await visit.post("/bots", {"name": "n" * 90, "starter": "blank"})),
        (422, await visit.post(f"/inbox/{ana}/reply", {"text": "a" * 5000}, hx=True)),
        (422, await visit.post("/simulator/say", {"bot": str(bot), "text": ""})),
        (422, await visit.post("/settings", {"business": "", "language": "yy", "zone": "z", "answer_hours": "0"})),
        (422, await visit.post("/settings/invitations", {"email": "nobody", "role": "agent"})),
        (422, await visit.post("/account/password", {"current": "x", "password": "short", "again": "short"})),
        (500, await visit.get("/crash")),
        (503, await visit.get("/full")),
    ]
    visit.csrf, csrf = "wrong", visit.csrf
    answers.append((403, await visit.post("/account", {"name": "Rosa"})))
    visit.csrf = csrf
    await visit.become("agent")
    await speak(visit)
    answers.append((403, await visit.get("/channels/new")))
    reader = await reader_of(visit)
    assert [(status, answer.url.path) for status, answer in answers if answer.status_code != status] == []
    assert {answer.url.path: raw for _, answer in answers if (raw := reader.raw(answer.text))} == {}


async def crash(request: Request) -> Any:
    raise RuntimeError("not shown")


async def full(request: Request) -> Any:
    raise Full("not shown")


async def test_what_was_done_is_told_in_the_language_chosen_with_it(visit: Visit) -> None:
    await visit.post("/account", {"name": "Rosa", "language": "en", "zone": "", "theme": ""})
    answer = await visit.client.post(
        "/account", data={"csrf": visit.csrf, "name": "Rosa", "language": "xx"}, headers=visit.headers()
    )
    flash = answer.headers["set-cookie"].partition(";")[0]
    page = (await visit.get("/account", Cookie=f"{visit.cookie}; {flash}")).text
    assert f"{i18n.pseudo('Saved.')}" in page


async def test_who_is_not_logged_in_yet_is_spoken_to_in_the_installations_language(house: House) -> None:
    await house.rt.db.write(lambda tx: tx.run(PUT, name="language", value="xx"))
    reader = Reader(set())
    for path in ("/setup", "/login", f"/setup?token={house.app.state.setup.issue()}"):
        page = (await house.browser().get(path)).text
        assert '<html lang="xx"' in page and reader.raw(page) == [], path


@pytest.mark.parametrize(
    "words",
    [
        ("bot", "lint", "WRONG"),
        ("bot", "export", "nobody"),
        ("channel", "add", "fax", "--name", "Fax"),
        ("channel", "add", "whatsapp_cloud", "--name", "Shop"),
        ("channel", "list"),
        ("user", "list"),
        ("user", "disable", "x@luna.example"),
        ("channel", "kinds"),
    ],
    ids=" ".join,
)
def test_commands_speak_the_terminals_language(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "WRONG").write_text(WRONG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name, value in at(tmp_path).items():
        monkeypatch.setenv(name, value)
    copy_context().run(ended, words)  # what is spoken here is another's afterwards
    told = capsys.readouterr()
    assert_foreign(told.out + told.err)


def ended(words: tuple[str, ...]) -> None:
    with contextlib.suppress(SystemExit):  # argparse ends the process itself
        cli.main(list(words))


def test_a_process_of_its_own_speaks_the_terminals_language(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "app", "doctor"],
        cwd=tmp_path,
        env={**os.environ, **at(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert_foreign(found.stdout + found.stderr)


def at(folder: Path) -> dict[str, str]:
    return {"LC_ALL": "xx_XX.UTF-8", "PARLEY_DATA": str(folder / "data"), "NO_COLOR": "1"}


def assert_foreign(told: str) -> None:
    lines = [line for line in told.splitlines() if re.search(r"[^\W\d_]{2}", line)]
    plain = [line for line in lines if "·]" not in line and not re.match(r" -  parley|\w+: ", line)]
    assert lines and plain == []


def test_a_sentence_of_the_domain_is_told_with_what_stands_in_it() -> None:
    said = N_("{field} is longer than {most} characters.", field=N_("Access token"), most=4000)
    assert said == "Access token is longer than 4,000 characters."
    i18n.speak("de", "")
    assert i18n.tell(said) == "Access token is longer than 4.000 characters."
    i18n.speak("xx", "")
    assert i18n.tell(said).startswith("[[Àççéšš tõkéñ·") and i18n.tell("Rosa") == "Rosa"
    i18n.speak("en", "")
