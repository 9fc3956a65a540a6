"""What people asked and no rule of the bot knew, like beside like: to make a rule of it, or to set it aside.

The words are read where they stand, in the messages, and kept nowhere else: what is set aside is a mark on turns.
"""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app import bots, documents
from app.bot.alike import alike, shared
from app.bot.amend import add_at
from app.bot.asked import bare
from app.bot.document import DocumentError, Version, compile_version, parse
from app.bot.match import match
from app.bot.retold import unused
from app.db import Tx
from app.errors import Invalid, NotFound
from app.said import N_
from app.store import bots as bot_rows
from app.store import turns

if TYPE_CHECKING:
    from app.runtime import Runtime
    from app.store.users import User

PERIODS: Final = (7, 30, 90)  # days
DAY: Final = 86_400_000
MOST: Final = 2_000  # the newest misses
SHOWN: Final = 100  # groups
SAID: Final = 5  # wordings of a group
SET_ASIDE: Final = 1_000  # marks that are looked at
MARKED: Final = 20  # turns of a group that say it was set aside
NAME: Final = 60


class Group(msgspec.Struct, frozen=True):
    """Messages that ask the same, the newest first. `ignored`: somebody set it aside."""

    misses: tuple[turns.Miss, ...]
    ignored: bool

    @property
    def id(self) -> int:
        """The turn it is called by."""
        return self.misses[0].id

    @property
    def wordings(self) -> tuple[turns.Miss, ...]:
        """The newest message of each wording."""
        return tuple({" ".join(miss.text.split()): miss for miss in reversed(self.misses)}.values())[::-1]


class Missed(msgspec.Struct, frozen=True):
    """Groups, the largest first. `answered`: messages that a rule of the draft would know by now; `most`: there are
    older ones that were not looked at."""

    groups: tuple[Group, ...]
    ignored: tuple[Group, ...]
    answered: int
    most: bool


async def missed(rt: "Runtime", bot: bot_rows.Bot, days: int) -> Missed:
    """What the bot missed in the last days. The simulator does not count."""
    since = rt.clock.now() - days * DAY
    rows = await rt.db.reader.all(turns.MISSED, bot_id=bot.id, since=since, limit=MOST)
    aside = await rt.db.reader.all(turns.IGNORED, bot_id=bot.id, limit=SET_ASIDE)
    return await rt.versions.aside(partial(sorted_out, rows, aside), bot.draft)


async def make_rule(rt: "Runtime", bot_id: int, turn_id: int, days: int, says: str, user: "User | None") -> int:
    """A rule for the group of this turn that answers with the text `says`, in the draft. Returns its line.

    Raises `NotFound`, `Conflict` if somebody saves at the same moment, `Invalid` if there is no answer, it cannot be a
    text of a bot, or the draft has errors.
    """
    if not says:
        raise Invalid(N_("Write what the bot answers."))
    bot = await bots.get(rt.db.reader, bot_id)
    group = await find(rt, bot, turn_id, days)
    text, line = await rt.versions.aside(partial(with_rule, [miss.text for miss in group.misses], says), bot.draft)
    await bots.save_draft(rt, bot_id, text, bot.draft_revision, user)
    return line


async def ignore(rt: "Runtime", bot_id: int, turn_id: int, days: int) -> None:
    """Set the group of this turn aside, and whatever will be like it. Raises `NotFound`."""
    group = await find(rt, await bots.get(rt.db.reader, bot_id), turn_id, days)
    await rt.db.write(mark, [miss.id for miss in group.wordings[:MARKED]], rt.clock.now())


async def show_again(rt: "Runtime", bot_id: int, turn_id: int, days: int) -> None:
    """Take the marks away from the group of this turn. Raises `NotFound`."""
    group = await find(rt, await bots.get(rt.db.reader, bot_id), turn_id, days)
    await rt.db.write(mark, [miss.id for miss in group.misses if miss.ignored_at is not None], None)


async def find(rt: "Runtime", bot: bot_rows.Bot, turn_id: int, days: int) -> Group:
    found = await missed(rt, bot, days)
    for group in (*found.groups, *found.ignored):
        if any(miss.id == turn_id for miss in group.misses):
            return group
    raise NotFound(N_("These messages are not among the unanswered ones any more."))


def mark(tx: Tx, ids: Sequence[int], at: int | None) -> None:
    tx.many(turns.IGNORE, [{"id": id, "at": at} for id in ids])


# ---- in a thread ----------------------------------------------------------------------------------------------------


def sorted_out(rows: Sequence[turns.Miss], aside: Sequence[turns.Miss], draft: str) -> Missed:
    """`rows` and `aside` (what is marked, of any age) are the newest first."""
    version = compiled(draft)
    left = [miss for miss in rows if version is None or order_of(version, miss.text) is None]
    both = sorted([*left, *aside], key=lambda miss: (-miss.at, -miss.id))
    made = [tuple(both[place] for place in places) for places in alike([miss.text for miss in both])]
    groups = [Group(misses, any(miss.ignored_at is not None for miss in misses)) for misses in made]
    return Missed(
        tuple(group for group in groups if not group.ignored),
        tuple(group for group in groups if group.ignored),
        len(rows) - len(left),
        len(rows) == MOST,
    )


@lru_cache(maxsize=1)
def compiled(draft: str) -> Version | None:
    """None while it has errors."""
    try:
        return compile_version(draft)
    except DocumentError:
        return None


def order_of(version: Version, text: str) -> int | None:
    """The place of the rule that this text meets, whoever writes it and when."""
    order = match(version.index, bare(text, version.pairs)).order
    return None if order < 0 else version.places[order]


def with_rule(texts: Sequence[str], says: str, draft: str) -> tuple[str, int]:
    """The draft with a rule that these texts meet, before the first one that has them already, and the rule's line."""
    try:
        document = parse(draft)
        version = compile_version(draft)
    except DocumentError as error:
        raise documents.not_in_order(error) from None
    words, name = condition(texts)
    name = unused(name, {rule.name.text for rule in document.rules})
    item: dict[str, Any] = {"name": name, "when": {"says": words}, "do": [{"say": says}]}
    swallowed = [place for text in (*texts, *phrases(words)) if (place := order_of(version, text)) is not None]
    place = min(swallowed, default=len(document.rules))
    # One that is asked earlier whatever stands before it has to be overtaken by priority.
    priority = max((document.rules[place].priority for place in swallowed), default=0)
    item |= {"priority": priority} if priority > 0 else {}
    text, line = add_at(draft, "rules", place, item)
    try:
        after = [rule.name.text for rule in parse(text).rules]
        compile_version(text)
    except DocumentError as error:
        raise Invalid(error.problems[0].message, code="document") from None
    names = [rule.name.text for rule in document.rules]
    if after != [*names[:place], name, *names[place:]]:
        raise Invalid(N_("The rule could not be put into the document. Write it there yourself."), code="document")
    return text, line


def condition(texts: Sequence[str]) -> tuple[Any, str]:
    """What the rule listens for, as it is written, and a name for it."""
    found = shared(texts)
    if found.all:
        return {"all": list(found.all)}, " ".join(found.all)[:NAME]
    if found.any:
        return list(found.any), found.any[0][:NAME]
    whole = list(dict.fromkeys(text.strip()[:200] for text in texts))[:SAID]
    return {"exact": whole}, " ".join(whole[0].split())[:NAME]


def phrases(says: Any) -> list[str]:
    return [phrase for part in says.values() for phrase in part] if isinstance(says, dict) else says
