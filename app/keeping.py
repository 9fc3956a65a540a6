"""Makes a test of a conversation that took place: what was said goes into the draft's `tests`."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from app import bots, documents
from app.bot.amend import add_first
from app.bot.document import DocumentError, parse
from app.bot.retold import retold
from app.bot.scene import Decision, TurnInput
from app.errors import Invalid
from app.said import N_
from app.store import turns

if TYPE_CHECKING:
    from app.runtime import Runtime
    from app.store.users import User

TURNS: Final = 20  # the newest ones: a test has at most 50 lines

_given: msgspec.json.Decoder[TurnInput] = msgspec.json.Decoder(TurnInput)
_output: msgspec.json.Decoder[Decision] = msgspec.json.Decoder(Decision)


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
        zone = document.hours.zone if document.hours else "UTC"
        item = retold(decoded(rows), zone, taken, [rule.when for rule in document.rules])
        if item is None:
            raise Invalid(N_("The bot has decided nothing here that could be a test."))
        text = add_first(draft, "tests", item)
        parse(text)
    except DocumentError as error:
        raise documents.not_in_order(error) from None
    name: str = item["name"]
    return name, text


def decoded(rows: Sequence[tuple[str, str]]) -> list[tuple[TurnInput, Decision]]:
    """The turns without those of another release."""
    found = []
    for given, output in rows:
        try:
            found.append((_given.decode(given), _output.decode(output)))
        except msgspec.DecodeError:
            continue
    return found
