"""`/bots/{id}/replay`: past conversations run through the draft, how far that is, and both chats side by side."""

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app import replay
from app.bot.replay import OUTCOMES
from app.errors import Invalid, TooMany
from app.i18n import _, current
from app.replay import EVER, MOST_CHATS, Choice, Differing, Run
from app.routes import faces
from app.routes.bots import head_values, place, read_bot
from app.routes.happened import happened, readable
from app.routes.respond import Form, form, fragment, page, redirect, refused
from app.store import bots as store

if TYPE_CHECKING:
    from app.runtime import Runtime

SHOWN: Final = ("changed", "lost", "gained", "stopped")  # which conversations are shown first, as far as there are any
GIVEN: Final = {"by": "last", "last": "500", "since": "", "until": "", "tag": ""}


async def show(request: Request) -> Response:
    bot = await read_bot(request)
    return await page(request, "bots/replay.html", **await values(request, bot))


async def summary(request: Request) -> Response:
    """How far it is, for the bell; once it is over, the page."""
    bot = await read_bot(request)
    run = run_of(request, bot)
    if run is None or not run.open:
        return redirect(request, place(request, "bots.replay", bot.id))
    return await fragment(request, "bots/_replayed.html", bot=bot, run=run)


async def begin(request: Request) -> Response:
    rt: Runtime = request.state.rt
    bot = await read_bot(request)
    fields = await form(request)
    try:
        choice = choice_of(fields)
        version = await replay.compiled(rt, bot.draft)
        choice = msgspec.structs.replace(choice, now=rt.clock.now())
        rt.replays.start(request.state.user.id, bot.id, bot.draft_revision, version, choice)
    except (Invalid, TooMany) as error:
        given = {name: fields.text(name, limit=200) for name in GIVEN}
        return await refused(request, "bots/replay.html", error, **await values(request, bot) | {"given": given})
    return redirect(request, place(request, "bots.replay", bot.id))


async def cancel(request: Request) -> Response:
    bot = await read_bot(request)
    request.state.rt.replays.cancel(request.state.user.id, bot.id)
    return redirect(request, place(request, "bots.replay", bot.id))


async def values(request: Request, bot: store.Bot) -> dict[str, Any]:
    run = run_of(request, bot)
    report = run.report if run is not None else None
    differing = report.differing if report is not None else []
    outcome = outcome_of(request, differing)
    listed = [one for one in differing if one.outcome == outcome]
    chosen = request.query_params.get("chat", "")
    head = await head_values(request, bot)
    return head | {
        "topics": (*head["topics"], f"replay-{bot.id}"),
        "run": run,
        "report": report,
        "outcome": outcome,
        "listed": listed,
        "chosen": any(str(one.conversation_id) == chosen for one in listed),
        "open": next((one for one in listed if str(one.conversation_id) == chosen), listed[0] if listed else None),
        "faces": faces,
        "happened": happened,
        "readable": readable,
        "most": MOST_CHATS,
        "given": given_of(run.choice) if run is not None else GIVEN,
        "error": "",
        "errors": {},
    }


def run_of(request: Request, bot: store.Bot) -> Run | None:
    found: Run | None = request.state.rt.replays.get(request.state.user.id, bot.id)
    return found


def outcome_of(request: Request, differing: list[Differing]) -> str:
    """What the address asks for, else the first of which there is something to see."""
    asked = request.query_params.get("outcome", "")
    there = {one.outcome for one in differing}
    return asked if asked in OUTCOMES else next((name for name in SHOWN if name in there), "same")


# ---- what is chosen -------------------------------------------------------------------------------------------------


def choice_of(fields: Form) -> Choice:
    """Raises `Invalid` naming the field."""
    match fields.text("by", limit=20):
        case "period":
            since, until = day_of(fields, "since"), day_of(fields, "until")
            if until < since:
                raise wrong("until", _("The last day comes before the first."))
            return Choice(MOST_CHATS, midnight(since), midnight(until + timedelta(days=1)))
        case "tag":
            tag = fields.text("tag", limit=100)
            if not tag:
                raise wrong("tag", _("Write the tag."))
            return Choice(MOST_CHATS, tag=tag)
        case _:
            last = fields.number("last") or 0
            if not 1 <= last <= MOST_CHATS:
                raise wrong("last", _("A number from 1 to {most}.").format(most=MOST_CHATS))
            return Choice(last)


def wrong(name: str, sentence: str) -> Invalid:
    return Invalid(_("Choose which conversations."), fields={name: sentence})


def day_of(fields: Form, name: str) -> date:
    try:
        found = date.fromisoformat(fields.text(name, limit=10))
    except ValueError:
        raise wrong(name, _("A day, like 2026-09-21.")) from None
    if not 2000 <= found.year < 3000:
        raise wrong(name, _("A day, like 2026-09-21."))
    return found


def midnight(day: date) -> int:
    """The beginning of the day where the person is, ms UTC."""
    return int(datetime.combine(day, time(), ZoneInfo(current.get().zone)).timestamp()) * 1000


def given_of(choice: Choice) -> dict[str, str]:
    """The form as it was sent."""
    if choice.tag:
        return GIVEN | {"by": "tag", "tag": choice.tag}
    if choice.until < EVER:
        zone = ZoneInfo(current.get().zone)
        first = datetime.fromtimestamp(choice.since / 1000, zone).date()
        last = datetime.fromtimestamp((choice.until - 1) / 1000, zone).date()
        return GIVEN | {"by": "period", "since": first.isoformat(), "until": last.isoformat()}
    return GIVEN | {"last": str(choice.last)}
