"""Makes a test of a conversation that took place: what was said goes into the draft's `tests`."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import msgspec

from app import bots, content, documents
from app.bot.amend import add_first
from app.bot.document import Document, DocumentError, parse
from app.bot.flow import NAME
from app.bot.lines import sends
from app.bot.moment import length_of
from app.bot.scene import Arrived, ContactView, Decision, TimerFired, TurnInput
from app.bot.trials import heard
from app.bot.triggers import NETWORKS
from app.bot.words import fold
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
PAUSE: Final = 60_000  # ms between two turns, from which on the test waits, too


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
        item = case_of(rows, document, taken)
        text = add_first(draft, "tests", item)
        parse(text)
    except DocumentError as error:
        raise documents.not_in_order(error) from None
    name: str = item["name"]
    return name, text


def case_of(rows: Sequence[tuple[str, str]], document: Document, taken: set[str]) -> dict[str, Any]:
    """The test as it is written. What no test can have, and turns of another release, are left out."""
    chat: list[dict[str, Any]] = []
    first: TurnInput | None = None
    now = 0
    for given, output in rows:
        try:
            turn = msgspec.json.decode(given, type=TurnInput)
            decision = msgspec.json.decode(output, type=Decision)
        except msgspec.DecodeError:
            continue
        lines = lines_of(turn, decision, turn.now - now if first else 0)
        begins = bool(lines) and "user" in lines[0]
        if lines and (chat or begins) and len(chat) + len(lines) <= LINES:
            first, now = first or turn, turn.now
            chat += lines
    if first is None:
        raise Invalid(N_("The bot has decided nothing here that could be a test."))
    opening = chat[0]["user"]
    said = " ".join(str(opening if isinstance(opening, str) else kind_of(opening)).split())[:60]
    zone, scene = document.hours.zone if document.hours else "UTC", first.scene
    item: dict[str, Any] = {"name": unused(said, taken), "at": local(first.now, zone)}
    item |= {"last_heard": local(scene.last_heard, zone)} if 0 < scene.last_heard <= first.now else {}
    item |= {"network": scene.network} if scene.network in NETWORKS[1:] else {}
    item |= {"channel": scene.channel[:200]} if any(rule.when.channel for rule in document.rules) else {}
    answers = [text for line in chat for who, text in line.items() if who in ("bot", "handoff")]
    contact = somebody(scene.contact, answers) | asked_of(scene.contact, document)
    return item | ({"contact": contact} if contact else {}) | {"chat": chat}


def local(at: int, zone: str) -> str:
    return f"{datetime.fromtimestamp(at / 1_000, UTC).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def kind_of(opening: dict[str, Any]) -> str:
    """What a test is called that begins without a text."""
    ((name, value),) = opening.items()
    return value if isinstance(value, str) else name


def somebody(contact: ContactView, answers: Sequence[str]) -> dict[str, Any]:
    """The contact of the test. Who it was is kept only where an answer has the name; a bot that asks whether there is
    a name finds one."""
    name, first = contact.name.strip()[:200], contact.first_name.strip()[:200]
    if not any(word and word in answer for word in (name, first) for answer in answers):
        return {"name": _("a customer")} if name else {}
    return {"name": name} | ({"first_name": first} if first else {})


def asked_of(contact: ContactView, document: Document) -> dict[str, Any]:
    """Tags and fields that rules ask for, as far as the contact has them."""
    rules = [rule.when for rule in document.rules]
    tags = {fold(tag.text) for when in rules for tag in (*when.tag, *when.no_tag)}
    names = {name for when in rules for name in (*when.field, *(field.text for field in when.no_field))}
    own = [tag for tag in contact.tags if fold(tag) in tags]
    plain = {name: contact.fields[name] for name in sorted(names & contact.fields.keys())}
    fields = {name: value for name, value in plain.items() if isinstance(value, str | int | float) and value != ""}
    return ({"tags": own[:50]} if own else {}) | ({"fields": fields} if fields else {})


def lines_of(turn: TurnInput, decision: Decision, passed: int) -> list[dict[str, Any]]:
    """The lines of one turn, `passed` ms after the one before."""
    event = turn.event
    answers = [{who: text[:TEXT] or "*"} for who, text in heard(decision)]
    wait = [{"wait": length_of(-(-passed // 1_000))}] if passed >= PAUSE else []
    if isinstance(event, TimerFired):
        return [*(wait or [{"wait": length_of(max(1, -(-passed // 1_000)))}]), *answers]
    if not isinstance(event, Arrived):
        return []
    words = (event.text or content.text(event.content))[:TEXT]
    sent = sends(event.content)
    if sent is None and not words.strip():
        return []
    referral = {name: value[:200] for name, value in (event.referral or {}).items() if is_told(name, value)}
    user: Any = sent or ({"text": words} if referral else words)
    return [*wait, {"user": user | {"referral": referral} if referral else user}, *answers]


def is_told(name: str, value: object) -> bool:
    """Whether a test can have it: what a link or ad tells in words."""
    return isinstance(value, str) and bool(value.strip()) and re.fullmatch(NAME, name) is not None


def unused(name: str, taken: set[str]) -> str:
    """The name, numbered if another test has it."""
    numbers = range(2, len(taken) + 3)
    return name if name not in taken else next(f"{name} ({n})" for n in numbers if f"{name} ({n})" not in taken)
