"""Commands on bots and the demo."""

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from app import (
    bots,
    demo,
    documents,
    i18n,
    planned,
    replay,
    vault,
)
from app.errors import Invalid
from app.said import N_
from app.store import bots as bot_rows
from app.store import settings as setting_rows

if TYPE_CHECKING:
    from app.runtime import Runtime

Row = dict[str, Any]


# ---- bots -----------------------------------------------------------------------------------------------------------


async def import_bot(rt: "Runtime", *, text: str) -> Row:
    """The document becomes the draft of the bot that it names; a new bot if there is none."""
    name = await rt.versions.aside(documents.name_of, text)
    if not name:
        raise Invalid("This document has errors, so it was not imported.", code="document")
    known = await rt.db.reader.one(bot_rows.BY_NAME, name=bot_rows.fold(name))
    if known is None:
        return {"id": str(await bots.create(rt, name, text, None)), "name": name, "new": True}
    if known.draft != text:
        await bots.save_draft(rt, known.id, text, known.draft_revision, None)
    return {"id": str(known.id), "name": known.name, "new": False}


async def export_bot(rt: "Runtime", *, name: str, number: int) -> Row:
    """The draft, or with a number that version."""
    bot = await bots.find(rt.db.reader, name)
    return {"name": bot.name, "document": await bots.text_of(rt.db.reader, bot, number)}


async def around(rt: "Runtime", *, channels: list[str]) -> Row:
    """These channels, and what a document may name there: an `Around` as JSON holds it. Raises `NotFound`."""
    found = [await rt.channels.find(each) for each in channels]
    known = await bots.known(rt.db.reader, [(row.id, row.name) for row in found])
    around: Row = msgspec.to_builtins(documents.Around(tuple((row.name, row.connector) for row in found), known))
    return around


async def publish_bot(
    rt: "Runtime", *, name: str, channels: list[str] | None, note: str, anyway: bool, at: str = ""
) -> Row:
    """On the channels named, or on every channel without a bot; now, or `at` a time: in the installation's zone, unless
    it tells its own offset. Tells the secrets that its calls name and that are not there."""
    bot = await bots.find(rt.db.reader, name)
    chosen = None if channels is None else [(await rt.channels.find(each)).id for each in channels]
    told: Row = {"id": str(bot.id), "name": bot.name, "missing_secrets": await missed(rt, bot.draft)}
    if at:
        zone = i18n.zone((await rt.db.read(setting_rows.read_all))["zone"])
        moment = planned.moment(at, zone, rt.clock.now())
        number = await planned.plan(rt, bot.id, chosen, note, moment, None, anyway=anyway)
        return told | {"version": number, "live": [], "at": moment}
    number = await bots.publish(rt, bot.id, chosen, note, None, anyway=anyway)
    on = [channel for channel in await rt.db.read(bot_rows.list_channels) if channel.bot_id == bot.id]
    live = [channel.channel for channel in on if channel.number == number]
    older = [channel.channel for channel in on if channel.number != number]
    return told | {"version": number, "live": live, "older": older}


async def missed(rt: "Runtime", text: str) -> list[Row]:
    """Where a document names secrets that are not there."""
    problems = await rt.versions.aside(partial(documents.missed, secrets=await vault.names(rt)), text)
    return [{"line": problem.line, "message": problem.message} for problem in problems]


async def replay_bot(rt: "Runtime", *, name: str, text: str | None, last: int, tag: str) -> Row:
    """Past conversations of the bot through a document, or without one through its draft: counts, and of each
    conversation that differs the first turns that do."""
    bot = await bots.find(rt.db.reader, name)
    if not 1 <= last <= replay.MOST_CHATS:
        raise Invalid(N_("Between 1 and {most} conversations are replayed at once.", most=replay.MOST_CHATS))
    version = await replay.compiled(rt, bot.draft if text is None else text)
    choice = replay.Choice(last, tag=tag, now=rt.clock.now())
    report = await replay.replay(rt.db.reader, bot.id, version, choice, lambda done, total: None)
    return {
        "id": str(bot.id),
        "name": bot.name,
        "conversations": report.conversations,
        "turns": report.turns,
        "held": report.held,
        "unreadable": report.unreadable,
        "cut": report.cut,
        "took_ms": report.took,
        "differing": [_differing(one) for one in report.differing],
    }


def _differing(one: replay.Differing) -> Row:
    turns = [turn for turn in one.turns if turn.outcome != "same"][:3]
    return {
        "conversation": str(one.conversation_id),
        "contact": one.name,
        "outcome": one.outcome,
        "differences": one.differences,
        "turns": [
            {
                "outcome": turn.outcome,
                "at": turn.at,
                "asked": turn.asked,
                "before": [{"who": said.who, "text": said.text, "rule": said.rule} for said in turn.before],
                "after": [{"who": said.who, "text": said.text, "rule": said.rule} for said in turn.after],
            }
            for turn in turns
        ],
    }


async def list_bots(rt: "Runtime") -> list[Row]:
    live = await rt.db.read(bot_rows.list_channels)
    return [
        {
            "id": str(bot.id),
            "name": bot.name,
            "version": bot.last_number or None,
            "live": {c.channel: c.number for c in live if c.bot_id == bot.id},
        }
        for bot in await rt.db.read(bot_rows.list_bots)
    ]


# ---- upkeep ---------------------------------------------------------------------------------------------------------


async def fill_demo(rt: "Runtime", *, starter: str, seed: int, anyway: bool) -> Row:
    """A month of made-up chats."""
    made = await demo.fill(rt, starter=starter, seed=seed, anyway=anyway)
    return {
        "bot_id": str(made.bot_id),
        "bot": made.bot,
        "channel": made.channel,
        "people": made.people,
        "visits": made.visits,
        "messages": made.messages,
    }


async def remove_demo(rt: "Runtime") -> Row:
    return {"people": await demo.remove(rt)}
