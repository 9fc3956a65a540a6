"""`/inbox/{id}/steps`: a past conversation event by event, and what another document would have made of it from there.

Which event, and what it is run again with, stand in the address: the page can be kept, shared and reloaded.
"""

from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app import stepping
from app.bot.scene import TurnInput
from app.errors import Invalid, NotFound
from app.i18n import _, ngettext, tell
from app.routes import explain, faces
from app.routes.happened import Line, happened, readable, short
from app.routes.inbox import read_head
from app.routes.respond import page
from app.security.permissions import Action, may
from app.stepping import Rerun, Trail
from app.store import bots as bot_rows
from app.store.explained import Turn

if TYPE_CHECKING:
    from app.runtime import Runtime

VERSIONS: Final = 50  # the newest, that a conversation can be run again with

_input: msgspec.json.Decoder[TurnInput] = msgspec.json.Decoder(TurnInput)


class Stop(msgspec.Struct, frozen=True):
    """One event of the list. `event` is None where another release of the program stored it."""

    id: int
    at: int
    number: int
    event: Line | None
    here: bool


class Choice(msgspec.Struct, frozen=True):
    """A document the conversation can be run again with; `value` is `BOT.VERSION`, 0 for the draft."""

    value: str
    label: str
    chosen: bool


async def show(request: Request) -> Response:
    rt: Runtime = request.state.rt
    head = await read_head(request)
    trail = await stepping.trail(rt.db.reader, head.id, number_of(request.query_params.get("turn", "")))
    chosen = read_choice(request)
    run, error, status = None, "", 200
    if trail is not None and chosen is not None:
        try:
            run = await stepping.run_again(rt, trail.here, *chosen)
        except (Invalid, NotFound) as problem:
            error, status = tell(problem.said), problem.status
    return await page(
        request,
        "stepping/show.html",
        status=status,
        head=head,
        title=faces.title(head.name, head.phone, head.username),
        trail=trail,
        stops=stops(trail) if trail is not None else [],
        why=await explain.read(rt.db.reader, trail.here) if trail is not None else None,
        choices=await choices(request, trail.here, chosen) if trail is not None else [],
        chosen=chosen,
        run=run,
        parted=parted(trail, run) if trail is not None and run is not None else "",
        happened=happened,
        readable=readable,
        short=short,
        error=error,
    )


def number_of(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def read_choice(request: Request) -> tuple[int, int] | None:
    """What the address asks to run again with: (bot, version), for whoever may change bots."""
    bot, _dot, version = request.query_params.get("with", "").partition(".")
    found = number_of(bot), number_of(version)
    if found[0] is None or found[1] is None or not may(request.state.user, Action.BUILD):
        return None
    return found[0], found[1]


def stops(trail: Trail) -> list[Stop]:
    first = trail.place - next(at for at, turn in enumerate(trail.turns) if turn.id == trail.here.id)
    return [
        Stop(turn.id, turn.at, first + at, event_of(turn), turn.id == trail.here.id)
        for at, turn in enumerate(trail.turns)
    ]


def event_of(turn: Turn) -> Line | None:
    try:
        return happened(_input.decode(turn.input).event)
    except msgspec.DecodeError:
        return None


def parted(trail: Trail, run: Rerun) -> str:
    """Where both sides part, as a sentence."""
    if run.parts is not None:
        return _("Both go the same way up to event {n}, where they part.").format(n=trail.place + run.parts)
    return ngettext("Over {n} event both say the same.", "Over {n} events both say the same.", len(run.turns)).format(
        n=len(run.turns)
    )


async def choices(request: Request, here: Turn, chosen: tuple[int, int] | None) -> list[Choice]:
    """The draft and the versions of the bot that decided, then the drafts of the others."""
    if not may(request.state.user, Action.BUILD):
        return []
    rt: Runtime = request.state.rt
    known = sorted(await rt.db.read(bot_rows.list_bots), key=lambda bot: bot.id != here.bot_id)
    found: list[Choice] = []
    for bot in known:
        found.append(choice(bot.id, 0, _("{bot}, draft").format(bot=bot.name), chosen))
        if bot.id == here.bot_id:
            versions = (await rt.db.reader.all(bot_rows.VERSIONS, bot_id=bot.id))[:VERSIONS]
            label = _("{bot}, version {n}")
            found += [
                choice(bot.id, version.number, label.format(bot=bot.name, n=version.number), chosen)
                for version in versions
            ]
    return found


def choice(bot_id: int, number: int, label: str, chosen: Any) -> Choice:
    return Choice(f"{bot_id}.{number}", label, chosen == (bot_id, number))
