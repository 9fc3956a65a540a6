"""Makes a test of a conversation that took place: what was said goes into the draft's `tests`."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import msgspec

from app import bots, content, documents
from app.bot.amend import add_first
from app.bot.document import DocumentError, parse
from app.bot.heard import heard
from app.bot.scene import Arrived, ContactView, Decision, TurnInput
from app.content import Picked, Pressed
from app.errors import Invalid
from app.i18n import _
from app.said import N_
from app.store import turns

if TYPE_CHECKING:
    from app.runtime import Runtime
    from app.store.users import User

TURNS: Final = 10  # the newest ones: a test has at most 50 lines
LINES: Final = 50
TEXT: Final = 4_000


async def add_test(rt: "Runtime", bot_id: int, conversation_id: int, user: "User | None") -> str:
    """The newest turns of this bot in the conversation become the first test of its draft. Returns the test's name.

    Raises `NotFound`, `Conflict` if somebody saves at the same moment, `Invalid` if there is nothing to test or the
    draft has errors.
    """
    bot = await bots.get(rt.db.reader, bot_id)
    rows = await rt.db.reader.all(turns.OF_BOT, conversation_id=conversation_id, bot_id=bot_id, limit=TURNS)
    name, text = await asyncio.to_thread(amended, bot.draft, rows[::-1])
    await bots.save_draft(rt, bot_id, text, bot.draft_revision, user)
    return name


def amended(draft: str, rows: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """The test's name and the draft with it. `rows`: (input, output) of turns, oldest first."""
    try:
        document = parse(draft)
        taken = {case.name.text for case in document.tests}
        item = case_of(rows, document.hours.zone if document.hours else "UTC", taken)
        text = add_first(draft, "tests", item)
        parse(text)
    except DocumentError as error:
        raise documents.not_in_order(error) from None
    name: str = item["name"]
    return name, text


def case_of(rows: Sequence[tuple[str, str]], zone: str, taken: set[str]) -> dict[str, Any]:
    """The test as it is written. Turns without words of the customer, and those of another release, are left out."""
    chat: list[dict[str, Any]] = []
    first: TurnInput | None = None
    for given, output in rows:
        try:
            turn = msgspec.json.decode(given, type=TurnInput)
            decision = msgspec.json.decode(output, type=Decision)
        except msgspec.DecodeError:
            continue
        lines = lines_of(turn, decision)
        if lines and len(chat) + len(lines) <= LINES:
            first = first or turn
            chat += lines
    if first is None:
        raise Invalid(N_("The bot has decided nothing here that could be a test."))
    opening = chat[0]["user"]
    said = " ".join((opening if isinstance(opening, str) else opening["button"]).split())[:60]
    local = datetime.fromtimestamp(first.now / 1_000, UTC).astimezone(ZoneInfo(zone))
    item: dict[str, Any] = {"name": unused(said, taken), "at": f"{local:%Y-%m-%d %H:%M}"}
    contact = somebody(first.scene.contact, [text for line in chat for who, text in line.items() if who != "user"])
    return item | ({"contact": contact} if contact else {}) | {"chat": chat}


def somebody(contact: ContactView, answers: Sequence[str]) -> dict[str, str]:
    """The contact of the test. Who it was is kept only where an answer has the name; a bot that asks whether there is
    a name finds one."""
    name, first = contact.name.strip()[:200], contact.first_name.strip()[:200]
    if not any(word and word in answer for word in (name, first) for answer in answers):
        return {"name": _("a customer")} if name else {}
    return {"name": name} | ({"first_name": first} if first else {})


def lines_of(turn: TurnInput, decision: Decision) -> list[dict[str, Any]]:
    if not isinstance(turn.event, Arrived):
        return []
    what = turn.event.content
    words = (turn.event.text or content.text(what))[:TEXT]
    if not words.strip():
        return []
    user: Any = {"button": what.title[:200]} if isinstance(what, Pressed | Picked) else words
    return [{"user": user}, *({who: text[:TEXT] or "*"} for who, text in heard(decision.effects))]


def unused(name: str, taken: set[str]) -> str:
    """The name, numbered if another test has it."""
    numbers = range(2, len(taken) + 3)
    return name if name not in taken else next(f"{name} ({n})" for n in numbers if f"{name} ({n})" not in taken)
