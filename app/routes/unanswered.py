"""What the bot missed: groups of messages, each with “Make a rule of this” and “Ignore”."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app import unanswered
from app.errors import Invalid
from app.i18n import _
from app.routes.bots import head_values, place, read_bot
from app.routes.respond import Form, form, page, redirect, refused

LONGEST = 4096  # a WhatsApp text


async def show(request: Request) -> Response:
    days = period(request.query_params.get("days", ""))
    return await page(request, "bots/unanswered.html", **await values(request, days))


async def values(request: Request, days: int) -> dict[str, Any]:
    bot = await read_bot(request)
    return {
        **await head_values(request, bot),
        "days": days,
        "periods": unanswered.PERIODS,
        "missed": await unanswered.missed(request.state.rt, bot, days),
        "shown": unanswered.SHOWN,
        "said": unanswered.SAID,
        "most": unanswered.MOST,
        "error": "",
        "errors": {},
        "asked": 0,
        "says": "",
    }


async def make_rule(request: Request) -> Response:
    """The draft gets the rule, and what else was missed stays in sight. A refused answer stays in its field."""
    fields = await form(request)
    bot_id, (turn_id, days), says = request.path_params["id"], asked(fields), fields.text("says", limit=LONGEST)
    try:
        line = await unanswered.make_rule(request.state.rt, bot_id, turn_id, days, says, request.state.user)
    except Invalid as error:
        shown = await values(request, days) | {"asked": turn_id, "says": says}
        return await refused(request, "bots/unanswered.html", error, **shown)
    return back(
        request, days, _("The draft has a new rule in line {line}. Publish it when you are ready.").format(line=line)
    )


async def ignore(request: Request) -> Response:
    turn_id, days = asked(await form(request))
    await unanswered.ignore(request.state.rt, request.path_params["id"], turn_id, days)
    return back(request, days, _("Ignored, and so is what will be like it."))


async def show_again(request: Request) -> Response:
    turn_id, days = asked(await form(request))
    await unanswered.show_again(request.state.rt, request.path_params["id"], turn_id, days)
    return back(request, days, _("It counts as unanswered again."))


def asked(fields: Form) -> tuple[int, int]:
    """The turn that the group is called by, and the period."""
    return fields.number("turn") or 0, period(fields.text("days", limit=10))


def back(request: Request, days: int, done: str) -> Response:
    to = f"{place(request, 'bots.unanswered', request.path_params['id'])}?days={days}"
    return redirect(request, to, done=done)


def period(text: str) -> int:
    """One of the periods; 30 days if nothing else is asked for."""
    return next((days for days in unanswered.PERIODS if str(days) == text), 30)
