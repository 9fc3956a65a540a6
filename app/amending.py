"""Changes that forms make to a bot's draft, and taking them back.

A form works on the draft that is stored, and only while nobody saved since the form was shown. What it makes of the
text has to be at least as good as before. Each change is remembered as the stretch of text that it replaced, so that
the newest can be taken back, one after the other, as long as the draft is what that change left.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from app import bots, documents
from app.bot.document import DocumentError
from app.bot.shape import Problem
from app.bot.source import ByHand, Edit, Source, applied
from app.bot.tree import NotYaml
from app.db import Tx
from app.errors import Conflict, Invalid
from app.said import N_
from app.store import amendments as store

if TYPE_CHECKING:
    from app.runtime import Runtime
    from app.store.bots import Bot
    from app.store.users import User

KEPT: Final = 50  # changes of a bot that can be taken back

Change = Callable[[Source], list[Edit]]


async def amend(rt: "Runtime", bot_id: int, revision: int, change: Change, user: "User | None") -> int:
    """Make a change to the draft with this revision. Returns the new revision, the same if nothing changed. Raises
    `Conflict` if somebody saved since, `Invalid` if the text cannot be changed so, `NotFound`."""
    return await replace(rt, bot_id, revision, partial(amended, change=change), user)


async def replace(rt: "Runtime", bot_id: int, revision: int, make: Callable[[str], str], user: "User | None") -> int:
    """The same for any way to make the new text of the old."""
    bot = await bots.get(rt.db.reader, bot_id)
    if bot.draft_revision != revision:
        raise bots.saved_meanwhile()
    text = await rt.versions.aside(partial(checked, make=make), bot.draft)
    if text == bot.draft:
        return revision
    bots.check_size(text)
    name = await rt.versions.aside(documents.name_of, text)
    left = await asyncio.to_thread(difference, bot.draft, text)
    return await rt.db.write(keep, bot, text, left, name, bots.id_of(user))


async def can_undo(rt: "Runtime", bot: "Bot") -> bool:
    """Is the draft what the newest change of a form left."""
    newest = await rt.db.reader.one(store.NEWEST, bot_id=bot.id)
    return newest is not None and newest.digest == documents.digest_of(bot.draft)


async def undo(rt: "Runtime", bot_id: int, revision: int, user: "User | None") -> None:
    """Take the newest change of a form back. Raises `Conflict` if the draft is not what it left."""
    bot = await bots.get(rt.db.reader, bot_id)
    newest = await rt.db.reader.one(store.NEWEST, bot_id=bot_id)
    if bot.draft_revision != revision or newest is None or newest.digest != documents.digest_of(bot.draft):
        raise Conflict(N_("There is nothing to take back: the draft was changed since, in the editor or by somebody."))
    text = bot.draft[: newest.place] + newest.before + bot.draft[newest.place + newest.length :]
    name = await rt.versions.aside(documents.name_of, text)
    await rt.db.write(take_back, bot, newest.id, text, name, bots.id_of(user))


# ---- texts ----------------------------------------------------------------------------------------------------------


def amended(text: str, change: Change) -> str:
    """Raises `Invalid`, `ByHand`."""
    try:
        source = Source(text)
    except NotYaml as error:
        raise documents.not_in_order(DocumentError([error.problem])) from None
    return applied(source.text, change(source))


def checked(text: str, make: Callable[[str], str]) -> str:
    """The new text, if it can be read and has no error that the old one had not. Raises `Invalid`."""
    try:
        new = make(text)
        Source(new)
    except (ByHand, NotYaml) as error:
        why = error.said if isinstance(error, ByHand) else error.problem.message
        said = N_("A form cannot write this without losing something: {why} Change it in the document.", why=why)
        raise Invalid(said, code="by_hand") from None
    except LookupError:
        raise Invalid(N_("What the form was about is not there any more. Look at the page again.")) from None
    if new == text:
        return text
    more = Counter(str(problem.message) for problem in errors(new))
    more -= Counter(str(problem.message) for problem in errors(text))
    for problem in errors(new):
        if str(problem.message) in more:
            raise Invalid(documents.sentence(problem), code="document")
    return new


def errors(text: str) -> list[Problem]:
    return [problem for problem in documents.read(text).problems if problem.severity == "error"]


class Left(NamedTuple):
    """What a change left: the digest of the new text, and where `length` characters stand now instead of `before`."""

    digest: str
    place: int
    length: int
    before: str


def difference(old: str, new: str) -> Left:
    most = min(len(old), len(new))
    start = next((n for n in range(most) if old[n] != new[n]), most)
    end = next((n for n in range(most - start) if old[-1 - n] != new[-1 - n]), most - start)
    return Left(documents.digest_of(new), start, len(new) - start - end, old[start : len(old) - end])


# ---- units of work --------------------------------------------------------------------------------------------------


def keep(tx: Tx, bot: "Bot", text: str, left: Left, name: str, user_id: int | None) -> int:
    revision = bots.store_draft(tx, bot.id, text, bot.draft_revision, name, user_id)
    tx.run(
        store.INSERT, id=tx.new_id(), bot_id=bot.id, digest=left.digest, place=left.place, length=left.length,
        stood=left.before, now=tx.now,
    )  # fmt: skip
    tx.run(store.PRUNE, bot_id=bot.id, keep=KEPT)
    return revision


def take_back(tx: Tx, bot: "Bot", amendment_id: int, text: str, name: str, user_id: int | None) -> None:
    bots.store_draft(tx, bot.id, text, bot.draft_revision, name, user_id)
    tx.run(store.DELETE, id=amendment_id)
