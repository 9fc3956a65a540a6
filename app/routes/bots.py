"""A bot's draft: with its problems, kept as it is written, beside a text that came, and as a file."""

import asyncio
import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app import bots, documents
from app.bot import map as flows
from app.bot.schema import json_schema
from app.bot.shape import Problem
from app.errors import Conflict
from app.i18n import _, fmt
from app.routes import code
from app.routes.respond import Form, form, fragment, page, redirect
from app.store import bots as store
from app.store import older, planned, users

if TYPE_CHECKING:
    from app.runtime import Runtime

LISTED: Final = 500  # rules beside the editor
FORM_LIMIT: Final = 900_000  # characters in one field; longer documents come by `parley bot import`


# ---- the draft ------------------------------------------------------------------------------------------------------


async def show(request: Request) -> Response:
    return await page(request, "bots/show.html", **await draft_values(request, await read_bot(request)))


async def draft_values(request: Request, bot: store.Bot) -> dict[str, Any]:
    rt: Runtime = request.state.rt
    draft = await looked_at(rt, bot, bot.draft)
    return {**await head_values(request, bot), **drawn(draft), "swap": False, "phrases": phrases()}


def phrases() -> str:
    """The code editor's own words, as JSON: what it says in English and what it shall say."""
    said = {
        "Find": _("Find"), "Replace": _("Replace"), "next": _("next"), "previous": _("previous"), "all": _("all"),
        "match case": _("match case"), "regexp": _("regular expression"), "by word": _("by word"),
        "replace": _("replace"), "replace all": _("replace all"), "close": _("close"), "go": _("go"), "to": _("to"),
        "Go to line": _("Go to line"), "on line": _("on line"), "current match": _("current match"),
        "replaced match on line $": _("replaced match on line $"), "replaced $ matches": _("replaced $ matches"),
        "Completions": _("Completions"), "Diagnostics": _("Problems"), "No diagnostics": _("Nothing to fix"),
        "Selection deleted": _("Selection deleted"), "Control character": _("Control character"),
    }  # fmt: skip
    return msgspec.json.encode(said).decode()


def drawn(draft: "Draft") -> dict[str, Any]:
    return {
        "draft": draft,
        "excerpts": draft.excerpts,
        "gutter": draft.gutter,
        "sentence": documents.sentence,
        "maps": draft.maps,
        "short": flows.short,
        "fits": flows.TITLE,
    }


class Draft(msgspec.Struct, frozen=True):
    """A document looked at. `rules` are the first of its rules, `more` how many are not among them."""

    text: str
    problems: tuple[Problem, ...]
    rules: tuple[documents.Listed, ...]
    more: int
    excerpts: list[list[code.Line]]
    gutter: list[tuple[int, str]]
    maps: flows.Maps

    @property
    def errors(self) -> int:
        return sum(1 for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> int:
        return len(self.problems) - self.errors - self.failing

    @property
    def failing(self) -> int:
        """Tests of the document that fail."""
        return sum(1 for problem in self.problems if problem.severity == "test")


async def looked_at(rt: "Runtime", bot: store.Bot, text: str) -> Draft:
    """In a thread: a text that was not read lately takes its time."""
    around = await bots.around(rt.db.reader, bot.id)
    return await rt.versions.aside(partial(look_at, around=around, now=rt.clock.now()), text)


def look_at(text: str, around: documents.Around, now: int) -> Draft:
    found, problems = documents.read(text), tuple(documents.problems_of(text, around, now))
    rules = found.rules[:LISTED]
    excerpts, gutter = code.excerpts(text, problems), code.gutter(text, problems)
    return Draft(text, problems, rules, len(found.rules) - len(rules), excerpts, gutter, flows.maps(text))


async def head_values(request: Request, bot: store.Bot) -> dict[str, Any]:
    """What every page about a bot shows: where it is live, and how far the draft is from its newest version."""
    db = request.state.rt.db
    newest = await bots.text_of(db.reader, bot, bot.last_number) if bot.last_number else ""
    live = await db.read(store.list_channels)
    return {
        "bot": bot,
        "live": [channel for channel in live if channel.bot_id == bot.id],
        "changes": await asyncio.to_thread(count_changes, newest, bot.draft) if bot.last_number else None,
        "planned": await db.reader.all(planned.OF_BOT, bot_id=bot.id),
        "older": await db.read(older.list_older, bot.id),
        "channel_names": names_of(live),
        "topics": (f"bot-{bot.id}",),
    }


async def bar(request: Request) -> Response:
    """Where the bot is live and what is planned, for the bell; `?revision=`: what the form beside it was made of."""
    values = await head_values(request, await read_bot(request))
    return await fragment(request, "bots/_bar.html", **values | {"seen": number_of(request, "revision")})


def names_of(channels: Sequence[store.Live]) -> Callable[[planned.Planned], str]:
    """For a template: the names of the channels that a planned version is for; removed ones are left out."""
    names = {channel.channel_id: channel.channel for channel in channels}
    return lambda one: ", ".join(names[channel_id] for channel_id in one.channel_ids if channel_id in names)


def count_changes(old: str, new: str) -> int:
    """Stretches of lines that differ."""
    changed = [line.kind in ("gone", "added") for line in documents.diff(old, new)]
    return sum(1 for before, here in zip([False, *changed], changed, strict=False) if here and not before)


async def save(request: Request) -> Response:
    """Keep the draft; if somebody saved meanwhile, show both texts and keep nothing."""
    rt: Runtime = request.state.rt
    bot = await read_bot(request)
    fields = await form(request)
    text, revision = document_of(fields), fields.number("revision") or 0
    try:
        if text != bot.draft:
            await bots.save_draft(rt, bot.id, text, revision, request.state.user)
    except Conflict:
        return await both(request, await read_bot(request), text)
    match fields.text("then", limit=20):
        case "try":
            return redirect(request, f"{request.app.url_path_for('simulator')}?bot={bot.id}")
        case "publish":
            return redirect(request, place(request, "bots.publish", bot.id))
        case _:
            return redirect(request, place(request, "bots.show", bot.id), done=_("Draft saved."))


class Kept(msgspec.Struct, frozen=True):
    """What the page hears about its draft. `newer`: what is stored was not written here, and was not overwritten.
    `since`: the revision that was asked about; `revision`: the one that is stored."""

    newer: bool
    since: int
    revision: int
    said: str


async def keep(request: Request) -> Response:
    """The draft as it is being written. Somebody else's is never overwritten: the answer says so, nothing is kept."""
    bot = await read_bot(request)
    fields = await form(request)
    text, revision = document_of(fields), fields.number("revision") or 0
    try:
        if text != bot.draft:
            await bots.save_draft(request.state.rt, bot.id, text, revision, request.state.user)
    except Conflict:
        return await kept(request, revision, newer=True)
    return await kept(request, revision, newer=False)


async def state(request: Request) -> Response:
    """Is the draft still the one with `?revision=`."""
    revision = number_of(request, "revision")
    bot = await read_bot(request)
    return await kept(request, revision, newer=bot.draft_revision != revision)


async def kept(request: Request, since: int, *, newer: bool) -> Response:
    bot = await read_bot(request)
    at = fmt.time(bot.draft_at)
    said = _("Saved {time}").format(time=at)
    if newer:
        writer = await request.state.rt.db.reader.one(users.BY_ID, id=bot.draft_by) if bot.draft_by else None
        name = writer.name if writer else _("The command line")
        said = _("{name} saved this bot at {time}. Your text stays here and overwrites nothing.").format(
            name=name, time=at
        )
    answer = Kept(newer, since, bot.draft_revision, said)
    return Response(msgspec.json.encode(answer), media_type="application/json")


async def schema(request: Request) -> Response:
    """What may stand where in a document, for completion in the editor."""
    return Response(
        encoded_schema(), media_type="application/schema+json", headers={"Cache-Control": "private, no-cache"}
    )


@cache
def encoded_schema() -> bytes:
    return msgspec.json.encode(json_schema())


async def both(request: Request, bot: store.Bot, text: str, *, imported: bool = False) -> Response:
    """The draft that is stored and the text that came, side by side, and what differs."""
    lines = code.comparison(await asyncio.to_thread(documents.diff, bot.draft, text))
    values = await head_values(request, bot) | {"text": text, "lines": lines, "imported": imported}
    return await page(request, "bots/conflict.html", status=409, **values)


async def check(request: Request) -> Response:
    """The problems of what is being written, and its line numbers: for the editor, nothing is kept."""
    bot = await read_bot(request)
    rt: Runtime = request.state.rt
    draft = await looked_at(rt, bot, document_of(await form(request)))
    return await fragment(request, "bots/_checked.html", bot=bot, swap=True, **drawn(draft))


async def export(request: Request) -> Response:
    """The document as a file: the draft, or `?version=`."""
    bot = await read_bot(request)
    number = number_of(request, "version")
    text = await bots.text_of(request.state.rt.db.reader, bot, number)
    stem = re.sub(r"[^a-z0-9]+", "-", bot.name.casefold()).strip("-") or "bot"
    full = quote(f"{bot.name}.yaml", safe="")
    disposition = f"attachment; filename=\"{stem}.yaml\"; filename*=UTF-8''{full}"
    return Response(text, media_type="application/yaml", headers={"Content-Disposition": disposition})


# ---- reading a request ----------------------------------------------------------------------------------------------


async def read_bot(request: Request) -> store.Bot:
    return await bots.get(request.state.rt.db.reader, request.path_params["id"])


def document_of(fields: Form) -> str:
    return tidy(fields.text("text", limit=FORM_LIMIT, strip=False))


def tidy(text: str) -> str:
    """Line ends as the document has them: browsers send carriage returns."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def number_of(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def place(request: Request, name: str, bot_id: int) -> str:
    return str(request.app.url_path_for(name, id=bot_id))
