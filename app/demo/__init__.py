"""A demo: a plausible month of made-up chats on a channel of their own, so that every page has life in it.

It is written by the units that write real chats, at times of the past, and is gone again with `remove`. Nothing of it
leaves the machine. The same seed makes the same people, words and times.
"""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from app import bots, connecting, documents, erase, events, users
from app.bot.document import parse
from app.db import Tx
from app.demo.chats import of
from app.demo.editions import Edition, draft, grown
from app.demo.month import HOUR, plan
from app.demo.past import Past
from app.demo.play import Player
from app.errors import Conflict, Invalid, NotFound
from app.said import N_
from app.store import bots as bot_rows
from app.store import demo as store
from app.store import settings as setting_rows

if TYPE_CHECKING:
    from app.channels import Live
    from app.runtime import Runtime

KIND: Final = "demo"
NAME: Final = "Demo"
STARTER: Final = "bakery"
SEED: Final = 1
COLLEAGUE: Final = "paulo@demo.example"


class Filled(msgspec.Struct, frozen=True):
    """What was made."""

    bot_id: int
    bot: str
    channel: str
    people: int
    visits: int
    messages: int


async def fill(
    rt: "Runtime", *, starter: str = STARTER, seed: int = SEED, anyway: bool = False, user_id: int | None = None
) -> Filled:
    """A month of chats with the bot of this starter, up to now.

    Raises `Invalid` for an unknown starter; `Conflict` if a demo is here already or, unless `anyway`, real
    conversations are.
    """
    chosen = next((one for one in documents.starters() if one.key == starter), None)
    if chosen is None:
        names = ", ".join(one.key for one in documents.starters())
        raise Invalid(N_("There is no starter “{name}”. There are: {names}.", name=starter, names=names))
    await check(rt, anyway)
    now = rt.clock.now()
    settings = await rt.db.read(setting_rows.read_all)
    live = await channel(rt)
    bot_id, name = await rt.db.write(make_bot, chosen, user_id, now)
    visits = plan(f"{starter} {seed}", of(starter, parse(chosen.text)), now, settings["zone"])
    player = Player(rt, live, await team(rt), f"{starter} {seed}")
    known = grown(starter, documents.settled(chosen.text, name, settings["zone"]))
    for edition, until in zip(known, [*(now - one.ago for one in known[1:]), now], strict=True):
        version_id = await publish(rt, bot_id, live, edition, now, user_id)
        while visits and (visits[0].at < until or edition is known[-1]):
            await player.play(visits.pop(0), version_id, now)
    await rt.db.write(improve, bot_id, draft(known[-1].text), user_id, now - 5 * HOUR)
    await rt.db.write(ring)
    return Filled(bot_id, name, live.row.name, len(player.chats), player.visits, player.lines)


async def check(rt: "Runtime", anyway: bool) -> None:
    if await rt.db.reader.all(store.CHANNELS):
        raise Conflict(N_("There is a demo here already. Remove it first: parley demo --remove"))
    others = await rt.db.reader.one(store.OTHERS)
    if others and not anyway:
        raise Conflict(
            N_("Real conversations are here, and a demo would stand between them. If you want that, say --anyway.")
        )


async def channel(rt: "Runtime") -> "Live":
    """The demo's own."""
    try:
        return rt.channels.get(await connecting.add(rt.channels, KIND, NAME, {}))
    except Conflict:
        # The name may be taken by a channel of another kind.
        return rt.channels.get(await connecting.add(rt.channels, KIND, f"{NAME} ({KIND})", {}))


async def team(rt: "Runtime") -> tuple[int, ...]:
    """Who answers: the owner, if there is one, and a colleague who cannot log in."""
    try:
        colleague = (await users.find(rt, COLLEAGUE)).id
    except NotFound:
        colleague, _password = await users.add(rt, email=COLLEAGUE, name="Paulo Reis", role="agent")
        await users.disable(rt, colleague)
    owner = await rt.db.reader.one(store.OWNER)
    return (colleague,) if owner is None else (colleague, owner)


async def publish(rt: "Runtime", bot_id: int, live: "Live", edition: Edition, now: int, user_id: int | None) -> int:
    """The edition goes live on the demo's channel, at its time. Returns the version."""
    version_id = await rt.db.write(put_live, bot_id, live.row.id, edition, now - edition.ago, user_id)
    await rt.versions.load(version_id)
    await bots.go_live(rt, [live.row.id], version_id)
    return version_id


async def remove(rt: "Runtime") -> int:
    """Everybody made up, and all that was said with them, is erased and the channel removed. The bot stays. Returns how
    many people there were. Raises `NotFound`."""
    channels = await rt.db.reader.all(store.CHANNELS)
    people = 0
    for channel_id in channels:
        if channel_id in rt.channels.by_id:
            await connecting.remove(rt.channels, channel_id)
        while found := await rt.db.reader.all(store.CONTACTS, channel_id=channel_id):
            for contact_id in found:
                await erase.contact(rt, contact_id)
            people += len(found)
        await rt.db.write(drop, channel_id)
    if not channels:
        raise NotFound(N_("There is no demo here."))
    return people


# ---- units of work --------------------------------------------------------------------------------------------------


def make_bot(tx: Tx, starter: documents.Starter, user_id: int | None, now: int) -> tuple[int, str]:
    """The bot, made before the month began, under the starter's name or the first free one like it."""
    name, number = starter.name, 1
    while tx.one(bot_rows.BY_NAME, name=bot_rows.fold(name)) is not None:
        number += 1
        name = f"{starter.name} {number}"
    past = Past(tx, now - grown(starter.key, starter.text)[0].ago - HOUR)
    return bots.insert(past, name, starter.text, user_id), name


def put_live(tx: Tx, bot_id: int, channel_id: int, edition: Edition, at: int, user_id: int | None) -> int:
    past = Past(tx, at)
    improve(tx, bot_id, edition.text, user_id, at)
    bot = past.one(bot_rows.BY_ID, id=bot_id)
    assert bot is not None
    version_id, _number = bots.number_draft(past, bot, edition.note, user_id)
    bots.point(past, channel_id, version_id, user_id)
    return version_id


def improve(tx: Tx, bot_id: int, text: str, user_id: int | None, at: int) -> None:
    """The bot's draft is this text now."""
    bot = tx.one(bot_rows.BY_ID, id=bot_id)
    assert bot is not None
    tx.run(bot_rows.SAVE_DRAFT, id=bot_id, draft=text, revision=bot.draft_revision, draft_by=user_id, now=at)


def ring(tx: Tx) -> None:
    """Whoever looks at a page sees it fill."""
    topics: dict[str, Any] = {
        events.CONVERSATION_UPDATED: ("conversations",), events.ATTENTION_UPDATED: ("attention",),
        events.CHANNEL_UPDATED: ("channels",), events.BOT_UPDATED: ("bots",),
    }  # fmt: skip
    for type_, names in topics.items():
        tx.publish(events.Event(type_, names))


def drop(tx: Tx, channel_id: int) -> None:
    """The channel's row goes too: nothing is left that could be read."""
    tx.run(store.DROP_PUBLICATIONS, channel_id=channel_id)
    tx.run(store.DROP_CHANNEL, id=channel_id)
    ring(tx)
