"""Forms beside the editor, for rules, texts and opening hours, and the map of flows. They change the same draft."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app import amending, documents, i18n
from app.bot import hours_form, rule_form, text_form
from app.bot import map as flows
from app.bot.amend import add_at
from app.bot.places import Places
from app.bot.source import child
from app.bot.spoken import ROLES
from app.bot.tree import NotYaml
from app.errors import Conflict, Invalid
from app.i18n import _, fmt, tell
from app.routes.bots import head_values, number_of, place, read_bot, tidy
from app.routes.respond import Form, form, fragment, is_htmx, page, redirect
from app.store import bots as store

if TYPE_CHECKING:
    from app.runtime import Runtime

LISTED: Final = 200  # rules in the list
SHOWN: Final = 40  # texts on a page
LONGEST: Final = 20_000  # characters in one field


class Broken(msgspec.Struct, frozen=True):
    """Why there is no form: the document cannot be read."""

    line: int
    said: str


async def values_for(request: Request, bot: store.Bot, look: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """What every form's page shows; `look` reads the draft for this one."""
    rt: Runtime = request.state.rt
    values = await head_values(request, bot)
    try:
        found = await rt.versions.aside(look, bot.draft)
        broken = None
    except NotYaml as error:
        found, broken = {}, Broken(error.problem.line, tell(documents.sentence(error.problem)))
    return {
        "undo": await amending.can_undo(rt, bot), "broken": broken, "error": "", "code": "", "given": {}, "swap": False,
        "newer": False, "seen": bot.draft_revision, **values, **found,
    }  # fmt: skip


async def answer(request: Request, name: str, values: dict[str, Any], *, status: int = 200, done: str = "") -> Response:
    """The page, or to htmx only what is in it."""
    if not is_htmx(request):
        return await page(request, f"bots/{name}.html", status=status, **values)
    response = await fragment(request, f"bots/_{name}.html", status=status, **values | {"swap": True})
    if done:
        response.headers["HX-Trigger"] = msgspec.json.encode({"parley:done": {"text": done}}).decode()
    return response


async def act(
    request: Request, name: str, to: str, work: Callable[[store.Bot, int, Form], Any], values: Callable[..., Any]
) -> Response:
    """Do what the form asks for. What cannot be done is told, and everything that was typed stays in the form."""
    bot = await read_bot(request)
    fields = await form(request)
    try:
        done = await work(bot, fields.number("revision") or 0, fields)
    except (Invalid, Conflict) as error:
        bot = await read_bot(request)
        shown = await values(request, bot, given_of(fields)) | {
            "error": tell(error.said), "code": error.code, "newer": isinstance(error, Conflict),
        }  # fmt: skip
        return await answer(request, name, shown, status=error.status)
    if not is_htmx(request):
        return redirect(request, to, done=done)
    return await answer(request, name, await values(request, await read_bot(request), {}), done=done)


def given_of(fields: Form) -> dict[str, str]:
    """What was typed, by field."""
    names = [name for name in fields.data if name not in ("csrf", "revision")]
    return {name: tidy(fields.text(name, limit=LONGEST, strip=False)) for name in names}


# ---- rules ----------------------------------------------------------------------------------------------------------


async def rules(request: Request) -> Response:
    bot = await read_bot(request)
    return await answer(request, "rules", await rule_values(request, bot, {}))


async def rule_values(request: Request, bot: store.Bot, given: dict[str, str]) -> dict[str, Any]:
    """The list, and the form of the rule that was chosen. After somebody else saved, the rule is found by its name."""
    chosen = given.get("rule", request.query_params.get("rule", ""))
    wanted = given.get("q", request.query_params.get("q", "")).strip()[:200]

    def look(text: str) -> dict[str, Any]:
        nodes = rule_form.rules_of(Places(text).root)
        number = number_in(chosen, len(nodes))
        was = given.get("was", "")
        names = [rule_form.text_of(child(node, "name")) for node in nodes]
        if number is not None and was and names[number] != was:
            number = names.index(was) if was in names else None
        forms = [rule_form.rule_form(node, n) for n, node in enumerate(nodes)]
        listed = [one for one in forms if not wanted or wanted.casefold() in spelled(one)]
        return {
            "rules": listed[:LISTED], "more": max(0, len(listed) - LISTED), "count": len(nodes), "wanted": wanted,
            "rule": forms[number] if number is not None else None, "new": chosen == "new",
        }  # fmt: skip

    return await values_for(request, bot, look) | {"given": given}


def spelled(one: rule_form.RuleForm) -> str:
    """Where a search looks."""
    said = [field.value for step in one.steps for field in step.fields]
    return " ".join([one.name, *(one.words or ()), *said]).casefold()


def number_in(text: str, count: int) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else count
    return number if number < count else None


async def save_rule(request: Request) -> Response:
    rt: Runtime = request.state.rt
    bot = await read_bot(request)
    to = place(request, "bots.rules", bot.id)
    fields = await form(request)
    chosen = fields.text("rule", limit=20)

    async def work(bot: store.Bot, revision: int, fields: Form) -> str:
        given = given_of(fields)
        number = number_in(chosen, 1_000_000)
        if chosen == "new":
            await amending.replace(rt, bot.id, revision, lambda text: with_rule(text, given), request.state.user)
            return _("The rule is in the document.")
        if number is None:
            raise Invalid(_("Choose a rule."))
        await amending.amend(
            rt, bot.id, revision, lambda source: rule_form.changed(source, number, given), request.state.user
        )
        return _("Saved.")

    async def values(request: Request, bot: store.Bot, given: dict[str, str]) -> dict[str, Any]:
        """After saving, the same rule is shown, and of a new one the rule that it became."""
        kept = {"rule": chosen, "q": fields.text("q", limit=200)}
        if chosen == "new":
            kept |= {"rule": "0", "was": fields.text("name", limit=LONGEST)}
        return (
            await rule_values(request, bot, given) if given else await rule_values(request, bot, kept) | {"given": {}}
        )

    return await act(request, "rules", f"{to}?rule={chosen if chosen != 'new' else ''}", work, values)


def with_rule(text: str, given: dict[str, str]) -> str:
    """The document with one rule more: first, or behind all others."""
    if not rule_form.lines(given.get("words", "")):
        raise Invalid(_("Say which words the rule listens for."))
    return add_at(text, "rules", 0 if given.get("where") == "first" else 1_000_000, rule_form.new_rule(given))[0]


async def arrange_rule(request: Request) -> Response:
    """A rule goes up, down, or away."""
    rt: Runtime = request.state.rt
    bot = await read_bot(request)

    async def work(bot: store.Bot, revision: int, fields: Form) -> str:
        number = number_in(fields.text("rule", limit=20), 1_000_000)
        how = fields.text("how", limit=10)
        if number is None or how not in ("up", "down", "remove"):
            raise Invalid(_("Choose a rule."))
        await amending.amend(
            rt, bot.id, revision, lambda source: rule_form.arranged(source, number, how), request.state.user
        )
        return _("The rule is gone. Undo brings it back.") if how == "remove" else _("Moved.")

    return await act(request, "rules", place(request, "bots.rules", bot.id), work, arranged_values)


async def arranged_values(request: Request, bot: store.Bot, given: dict[str, str]) -> dict[str, Any]:
    """Afterwards the rule is still the one that is shown, at its new place."""
    fields = await form(request)
    number, how = fields.number("rule") or 0, fields.text("how", limit=10)
    if given:  # it was refused
        return await rule_values(request, bot, {"rule": str(number)})
    where = {"up": str(number - 1), "down": str(number + 1)}.get(how, "")
    return await rule_values(request, bot, {"rule": where}) | {"given": {}}


# ---- texts ----------------------------------------------------------------------------------------------------------


async def texts(request: Request) -> Response:
    bot = await read_bot(request)
    return await answer(request, "texts", await text_values(request, bot, {}))


async def text_values(request: Request, bot: store.Bot, given: dict[str, str]) -> dict[str, Any]:
    """A page of the texts that hold some words, in one language or in all."""
    wanted = given.get("q", request.query_params.get("q", "")).strip()[:200]
    language = given.get("language", request.query_params.get("language", ""))[:40]
    first = number_in(given.get("from", str(number_of(request, "from"))), 10_000_000) or 0

    def look(text: str) -> dict[str, Any]:
        found = text_form.texts(Places(text).root)
        lines = [one for one in found.lines if wanted.casefold() in f"{one.value}\n{one.name}".casefold()]
        if language:
            lines = [one for one in lines if language in (one.language, *one.missing)]
        here = lines[first : first + SHOWN]
        return {
            "lines": here, "total": len(lines), "first": first, "languages": found.languages, "wanted": wanted,
            "tongue": language, "after": first + SHOWN if first + SHOWN < len(lines) else None,
            "before": max(0, first - SHOWN) if first else None,
        }  # fmt: skip

    return await values_for(request, bot, look) | {"given": given, "roles": ROLES}


async def save_texts(request: Request) -> Response:
    rt: Runtime = request.state.rt
    bot = await read_bot(request)

    async def work(bot: store.Bot, revision: int, fields: Form) -> str:
        given = {name: value for name, value in given_of(fields).items() if name.startswith("t.")}
        await amending.amend(
            rt, bot.id, revision, lambda source: text_form.changed(source, given), request.state.user
        )  # fmt: skip
        return _("Saved.")

    fields = await form(request)
    kept = {"q": fields.text("q", limit=200), "language": fields.text("language", limit=40)}
    first = fields.number("from") or 0
    to = request.url.replace(path=place(request, "bots.texts", bot.id)).include_query_params(**kept, **{"from": first})

    async def values(request: Request, bot: store.Bot, given: dict[str, str]) -> dict[str, Any]:
        found = await text_values(request, bot, given or {**kept, "from": str(first)})
        return found if given else found | {"given": {}}

    return await act(request, "texts", f"{to.path}?{to.query}", work, values)


# ---- hours ----------------------------------------------------------------------------------------------------------


async def hours(request: Request) -> Response:
    bot = await read_bot(request)
    return await answer(request, "hours", await hours_values(request, bot, {}))


async def hours_values(request: Request, bot: store.Bot, given: dict[str, str]) -> dict[str, Any]:
    def look(text: str) -> dict[str, Any]:
        return {"hours": hours_form.hours_form(Places(text).root)}

    named = {"day_names": fmt.weekdays(), "zones": i18n.zone_names()}
    return await values_for(request, bot, look) | named | {"given": given}


async def save_hours(request: Request) -> Response:
    rt: Runtime = request.state.rt
    bot = await read_bot(request)

    async def work(bot: store.Bot, revision: int, fields: Form) -> str:
        given = given_of(fields)
        await amending.amend(
            rt, bot.id, revision, lambda source: hours_form.changed(source, given), request.state.user
        )  # fmt: skip
        return _("Saved.")

    return await act(request, "hours", place(request, "bots.hours", bot.id), work, hours_values)


# ---- the map, and taking back ---------------------------------------------------------------------------------------


async def show_map(request: Request) -> Response:
    """The flows, drawn, on a page of their own."""
    rt: Runtime = request.state.rt
    bot = await read_bot(request)
    values = await head_values(request, bot)
    maps = await rt.versions.aside(flows.maps, bot.draft)
    return await page(
        request, "bots/map.html", maps=maps, short=flows.short, fits=flows.TITLE, swap=False,
        at=place(request, "bots.show", bot.id), **values,
    )  # fmt: skip


async def undo(request: Request) -> Response:
    """The newest change of a form is taken back."""
    bot = await read_bot(request)
    fields = await form(request)
    back = fields.text("back", limit=20)
    await amending.undo(request.state.rt, bot.id, fields.number("revision") or 0, request.state.user)
    name = {"texts": "bots.texts", "hours": "bots.hours"}.get(back, "bots.rules")
    return redirect(request, place(request, name, bot.id), done=_("Taken back."))
