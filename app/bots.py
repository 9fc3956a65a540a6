"""Bots as people work on them: a draft that is edited, numbered versions that never change, which one is live where.

Publishing and rolling back are the same act, pointing a channel at a version, and each is recorded in `publication`.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from app import message_templates
from app.audit import entry, logged
from app.bot.named import Known
from app.configuring import publish_change
from app.db import Reader, Tx
from app.documents import Around, digest_of, name_of, problems_of, sentence, settled, starters
from app.errors import Conflict, Invalid, NotFound
from app.events import BOT_UPDATED, Event
from app.said import N_
from app.store import bots as store
from app.store import channels as channel_rows
from app.store import secrets, teams, users
from app.store import settings as setting_rows

if TYPE_CHECKING:
    from app.runtime import Runtime
    from app.store.users import User

LONGEST: Final = 2_000_000  # characters of a document
NOTE: Final = 500

T = TypeVar("T")

log = logging.getLogger(__name__)


# ---- what people do -------------------------------------------------------------------------------------------------


async def create(rt: "Runtime", name: str, text: str, user: "User | None") -> int:
    """A new bot with this draft. `name` '' takes the document's. Raises `Invalid`, `Conflict` if the name is taken."""
    check_size(text)
    found = check_name(name or await rt.versions.aside(name_of, text))
    return await rt.db.write(insert, found, text, id_of(user))


async def create_from(rt: "Runtime", key: str, name: str, user: "User | None") -> int:
    """A new bot from a starter, under this name ('' = the starter's own). Raises `Invalid`, `Conflict`."""
    found = next((one for one in starters() if one.key == key), None)
    if found is None:
        raise Invalid(N_("Choose what to begin with."), fields={"starter": N_("Choose one.")})
    clean = check_name(name) if name else found.name
    zone = (await rt.db.read(setting_rows.read_all))["zone"]
    return await create(rt, clean, settled(found.text, clean, zone), user)


async def save_draft(rt: "Runtime", bot_id: int, text: str, revision: int, user: "User | None") -> int:
    """Keep the text, right or wrong, and return its revision. Raises `Conflict` if somebody saved since `revision`."""
    check_size(text)
    name = await rt.versions.aside(name_of, text)
    return await rt.db.write(store_draft, bot_id, text, revision, name, id_of(user))


async def publish(
    rt: "Runtime",
    bot_id: int,
    channel_ids: Sequence[int] | None,
    note: str,
    user: "User | None",
    *,
    anyway: bool = False,
) -> int:
    """Make the draft a version and put it live; None = on every channel without a bot. Returns its number.

    Raises `Invalid` while the draft has errors or, unless `anyway`, a test of it fails; `NotFound`; `Conflict` if
    another bot has the document's name.
    """
    bot, name = await ready(rt, bot_id, note, anyway=anyway)
    line = entry("bot.published", bot.name, note.strip())
    version_id, number, channels = await rt.db.write(
        logged, line, put_live, bot, name, channel_ids, note.strip(), id_of(user)
    )
    await rt.versions.load(version_id)
    await go_live(rt, channels, version_id)
    return number


async def ready(rt: "Runtime", bot_id: int, note: str, *, anyway: bool) -> tuple[store.Bot, str]:
    """The bot and what its draft calls it, if the draft can be published. Raises as `publish` does."""
    bot = await get(rt.db.reader, bot_id)
    await check(rt, bot.draft, anyway=anyway)
    if len(note) > NOTE:
        raise Invalid(
            N_("The note is longer than {most} characters.", most=NOTE),
            fields={"note": N_("At most {most} characters.", most=NOTE)},
        )
    return bot, await rt.versions.aside(name_of, bot.draft)


async def roll_back(rt: "Runtime", channel_id: int, version_id: int, user: "User | None") -> int:
    """Point a channel at a version that was published before. Returns its number."""
    await rt.versions.load(version_id)
    line = entry("bot.pointed", channel_id, str(version_id))
    number = await rt.db.write(logged, line, point, channel_id, version_id, id_of(user))
    await go_live(rt, [channel_id], version_id)
    return number


async def go_live(rt: "Runtime", channel_ids: Iterable[int], version_id: int) -> None:
    """From the next message on, the running channels answer with this version."""
    for channel_id in channel_ids:
        running = rt.channels.by_id.get(channel_id)
        if running is not None:
            running.row = msgspec.structs.replace(running.row, version_id=version_id)
            running.here = msgspec.structs.replace(running.here, version_id=version_id)
    await rt.versions.load_live()


async def get(db: Reader, bot_id: int) -> store.Bot:
    bot = await db.one(store.BY_ID, id=bot_id)
    if bot is None:
        raise NotFound(N_("There is no such bot."))
    return bot


async def find(db: Reader, name_or_id: str) -> store.Bot:
    """By name, case ignored, or by id."""
    bot = await db.one(store.BY_NAME, name=store.fold(name_or_id))
    if bot is None and name_or_id.isdecimal() and len(name_or_id) < 19:
        bot = await db.one(store.BY_ID, id=int(name_or_id))
    if bot is None:
        raise NotFound(N_("There is no bot “{name}”.", name=name_or_id))
    return bot


async def around(db: Reader, bot_id: int) -> Around:
    """The channels on which the bot is live; if there are none, those on which none is. And what it may name."""
    channels = await db.all(store.CHANNELS)
    own = [channel for channel in channels if channel.bot_id == bot_id]
    free = [channel for channel in channels if channel.version_id is None]
    chosen = own or free
    places = tuple((channel.channel, channel.connector) for channel in chosen)
    return Around(places, await known(db, [(channel.channel_id, channel.channel) for channel in chosen]))


async def known(db: Reader, channels: list[tuple[int, str]]) -> Known:
    """What a bot may name where it is live on these channels, each its id and name."""
    return Known(
        frozenset(secret.name for secret in await db.all(secrets.ALL)),
        frozenset(name for _, name in await db.all(teams.ALL)),
        frozenset(user.email for user in await db.all(users.ALL) if user.disabled_at is None),
        await message_templates.known(db, channels),
    )


async def text_of(db: Reader, bot: store.Bot, number: int) -> str:
    """The document of a version; 0 is the draft."""
    if number == 0:
        return bot.draft
    version = await db.one(store.BY_NUMBER, bot_id=bot.id, number=number)
    if version is None:
        raise NotFound(N_("The bot has no version {number}.", number=number))
    return version.document


def id_of(user: "User | None") -> int | None:
    """None stands for the command line."""
    return None if user is None else user.id


# ---- units of work --------------------------------------------------------------------------------------------------


def insert(tx: Tx, name: str, text: str, user_id: int | None) -> int:
    bot_id = store.insert(tx, name, text, user_id)
    if bot_id is None:
        raise Conflict(N_("There already is a bot “{name}”.", name=name), fields={"name": N_("This name is taken.")})
    tell(tx, bot_id)
    return bot_id


def store_draft(tx: Tx, bot_id: int, text: str, revision: int, name: str, user_id: int | None) -> int:
    if not tx.run(store.SAVE_DRAFT, id=bot_id, draft=text, revision=revision, draft_by=user_id, now=tx.now):
        if tx.one(store.BY_ID, id=bot_id) is None:
            raise NotFound(N_("There is no such bot."))
        raise saved_meanwhile()
    take_name(tx, bot_id, name)
    tell(tx, bot_id)
    return revision + 1


def saved_meanwhile() -> Conflict:
    return Conflict(N_("Somebody saved this bot while you were editing it. Nothing was overwritten."))


def take_name(tx: Tx, bot_id: int, name: str) -> None:
    """The bot is called what its document says, as long as that is free; publishing insists on it."""
    if name and tx.one(store.BY_NAME, name=store.fold(name)) is None:
        tx.run(store.RENAME, id=bot_id, name=name, name_folded=store.fold(name))


def snapshot(tx: Tx, bot_id: int, text: str) -> int:
    """The id of a version with this text, for trying it out: a known one, or a new one without a number."""
    digest = digest_of(text)
    known = tx.one(store.BY_DIGEST, bot_id=bot_id, digest=digest)
    return known if known is not None else store.insert_version(tx, bot_id, text, digest)


def put_live(
    tx: Tx, bot: store.Bot, name: str, channel_ids: Sequence[int] | None, note: str, user_id: int | None
) -> tuple[int, int, list[int]]:
    """(version, its number, channels it is live on from now)."""
    version_id, number = keep_version(tx, bot, name, note, user_id)
    chosen = choose(tx.all(store.CHANNELS), channel_ids)
    for channel_id in chosen:
        point(tx, channel_id, version_id, user_id)
    tell(tx, bot.id)
    return version_id, number, chosen


def keep_version(tx: Tx, bot: store.Bot, name: str, note: str, user_id: int | None) -> tuple[int, int]:
    """The draft becomes a version that never changes: (version, its number). The newest is used again if nothing
    changed."""
    tx.lock("bot", bot.id)
    now = tx.one(store.BY_ID, id=bot.id)
    if now is None or now.draft_revision != bot.draft_revision:
        raise Conflict(N_("Somebody saved this bot a moment ago. Look at the draft again, then publish."))
    owner = tx.one(store.BY_NAME, name=store.fold(name))
    if owner is not None and owner.id != bot.id:
        raise Conflict(N_("Another bot is already named “{name}”. Change the name in the document.", name=owner.name))
    return number_draft(tx, now, note, user_id)


def choose(channels: Sequence[store.Live], wanted: Sequence[int] | None) -> list[int]:
    """The channels named, or every one without a bot. Raises `NotFound` if one is not there."""
    if wanted is None:
        return [channel.channel_id for channel in channels if channel.version_id is None]
    if not set(wanted) <= {channel.channel_id for channel in channels}:
        raise NotFound(N_("There is no such channel."))
    return list(dict.fromkeys(wanted))


def number_draft(tx: Tx, bot: store.Bot, note: str, user_id: int | None) -> tuple[int, int]:
    digest = digest_of(bot.draft)
    newest = tx.one(store.BY_NUMBER, bot_id=bot.id, number=bot.last_number)
    if newest is not None and newest.digest == digest:
        return newest.id, bot.last_number
    number = bot.last_number + 1
    tx.run(store.SET_NUMBER, id=bot.id, number=number)
    return store.insert_version(tx, bot.id, bot.draft, digest, number=number, note=note, user_id=user_id), number


def point(tx: Tx, channel_id: int, version_id: int, user_id: int | None) -> int:
    """This channel answers with this version; recorded. Returns the version's number."""
    channel = tx.one(channel_rows.BY_ID, id=channel_id)
    version = tx.one(store.VERSION, id=version_id)
    if channel is None or version is None or version.number is None:
        raise NotFound(N_("There is no such channel or version."))
    if channel.version_id != version_id:
        tx.run(channel_rows.SET_VERSION, id=channel_id, version_id=version_id)
        tx.run(
            store.INSERT_PUBLICATION, id=tx.new_id(), channel_id=channel_id, version_id=version_id,
            previous_id=channel.version_id, user_id=user_id, now=tx.now,
        )  # fmt: skip
        publish_change(tx, channel_id)
        tell(tx, version.bot_id)
    return version.number


def tell(tx: Tx, bot_id: int) -> None:
    tx.publish(Event(BOT_UPDATED, ("bots", f"bot-{bot_id}"), b'{"id":"%d"}' % bot_id))


# ---- checks ---------------------------------------------------------------------------------------------------------


async def check(rt: "Runtime", text: str, *, anyway: bool = False) -> None:
    """Raises `Invalid` while the document has errors or, unless `anyway`, a test of it fails."""
    problems = await rt.versions.aside(problems_of, text)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        said = N_(
            "This bot cannot be published yet. Errors: {count}. The first is in line {line}: {sentence}",
            count=len(errors), line=errors[0].line, sentence=sentence(errors[0]),
        )  # fmt: skip
        raise Invalid(said, code="document")
    failing = [problem for problem in problems if problem.severity == "test"]
    if failing and not anyway:
        said = N_(
            "This bot was not published, because tests fail: {count}. The first is in line {line}: {sentence}",
            count=len(failing), line=failing[0].line, sentence=sentence(failing[0]),
        )  # fmt: skip
        raise Invalid(said, code="tests")


def check_name(name: str) -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > 80:
        raise Invalid(N_("A bot needs a name of 1 to 80 characters."), fields={"name": N_("1 to 80 characters.")})
    return clean


def check_size(text: str) -> None:
    if len(text) > LONGEST:
        raise Invalid(
            N_("A bot document has at most {most} characters; this one has {count}.", most=LONGEST, count=len(text))
        )
