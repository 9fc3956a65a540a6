"""Bots over the API: documents, drafts, versions, tests, and which version is live where."""

from datetime import UTC
from typing import Annotated

import msgspec

from app import bots, planned
from app import documents as texts
from app.bot.shape import Problem
from app.errors import Conflict, Invalid, NotFound
from app.i18n import tell
from app.routes.api.endpoint import Body, Call, Page, Paging, key_of, page
from app.said import N_
from app.store import bots as store
from app.views import Id, Time

LARGEST = 4_000_000
Document = Annotated[str, msgspec.Meta(max_length=bots.LONGEST, description="The bot document, as YAML.")]
Name = Annotated[str, msgspec.Meta(max_length=100)]
Note = Annotated[str, msgspec.Meta(max_length=bots.NOTE)]


class Place(msgspec.Struct, frozen=True):
    """A version live on a channel."""

    channel_id: Id
    channel: str
    version: int


class Bot(msgspec.Struct, frozen=True):
    """A bot. `version` is its newest, null before the first; `draft_revision` goes up with each change of the draft."""

    id: Id
    name: str
    version: int | None
    draft_revision: int
    draft_at: Time
    live: list[Place]


class Draft(msgspec.Struct, frozen=True):
    """What is being worked on."""

    document: str
    revision: int


class NewBot(Body, frozen=True):
    """A document, or the key of a starter: bakery, blank, clinic, faq, leads, restaurant and what else is there."""

    document: Document | None = None
    starter: Annotated[str, msgspec.Meta(max_length=50)] | None = None
    name: Name = ""


class DraftIn(Body, frozen=True):
    """`revision` is the one that was changed: if somebody saved since, nothing is written and the answer is 409."""

    document: Document
    revision: Annotated[int, msgspec.Meta(ge=1)]


class Publishing(Body, frozen=True):
    """`channels` by name or id; without them every channel without a bot. `at`: not now but then, as a local time
    like 2026-12-01 08:00 in UTC. `anyway`: although a test fails."""

    channels: tuple[Annotated[str, msgspec.Meta(max_length=100)], ...] | None = None
    note: Note = ""
    at: Annotated[str, msgspec.Meta(max_length=40)] = ""
    anyway: bool = False


class PublishedOut(msgspec.Struct, frozen=True):
    version: int
    live: list[Place]


class Version(msgspec.Struct, frozen=True):
    """A version never changes. `id` is what a channel is pointed at."""

    id: Id
    number: int
    note: str
    author: str
    published_at: Time


class VersionText(msgspec.Struct, frozen=True):
    id: Id
    number: int
    document: str


class Checking(Body, frozen=True):
    document: Document


class Found(msgspec.Struct, frozen=True):
    """A problem of a document: an error keeps it from being published."""

    line: int
    column: int
    severity: str
    message: str


class Problems(msgspec.Struct, frozen=True):
    problems: list[Found]


class Outcome(msgspec.Struct, frozen=True):
    name: str
    passed: bool
    message: str


class Outcomes(msgspec.Struct, frozen=True):
    passed: bool
    tests: list[Outcome]


class Pointing(Body, frozen=True):
    version_id: Id


class Pointed(msgspec.Struct, frozen=True):
    version: int


class Starter(msgspec.Struct, frozen=True):
    key: str
    name: str
    about: str


class Starters(msgspec.Struct, frozen=True):
    starters: list[Starter]


async def index(call: Call, query: Paging) -> Page[Bot]:
    key = key_of(query.cursor, 1) or (0,)
    rows = sorted(await call.rt.db.read(store.list_bots), key=lambda row: row.id)
    shown, cursor = page([row for row in rows if row.id > key[0]][: query.limit + 1], query.limit, lambda r: (r.id,))
    return Page([await _shown(call, row.id) for row in shown], cursor)


async def create(call: Call, body: NewBot) -> Bot:
    if (body.document is None) == (body.starter is None):
        said = N_("Give a document or the key of a starter.")
        raise Invalid(said, fields={"document": said})
    person = await call.person()
    if body.document is not None:
        bot_id = await bots.create(call.rt, body.name, body.document, person)
    else:
        bot_id = await bots.create_from(call.rt, body.starter or "", body.name, person)
    return await _shown(call, bot_id)


async def show(call: Call) -> Bot:
    return await _shown(call, call.id)


async def draft(call: Call) -> Draft:
    bot = await bots.get(call.rt.db.reader, call.id)
    return Draft(bot.draft, bot.draft_revision)


async def save(call: Call, body: DraftIn) -> Draft:
    """Kept as it is, right or wrong: only publishing asks for a document without errors."""
    await bots.get(call.rt.db.reader, call.id)
    revision = await bots.save_draft(call.rt, call.id, body.document, body.revision, await call.person())
    return Draft(body.document, revision)


async def lint(call: Call, body: Checking) -> Problems:
    """What is wrong with a document, or would be on the channels where the bot is live. Nothing is stored."""
    around = await bots.around(call.rt.db.reader, (await bots.get(call.rt.db.reader, call.id)).id)
    now = call.rt.clock.now()
    found = await call.rt.versions.aside(lambda text: texts.problems_of(text, around, now), body.document)
    return Problems([_problem(each) for each in found])


async def test(call: Call) -> Outcomes:
    """Run the tests in the draft. Raises what is wrong with it if they cannot be run."""
    bot = await bots.get(call.rt.db.reader, call.id)
    found = await call.rt.versions.aside(texts.test, bot.draft)
    outcomes = [Outcome(each.name, each.passed, "" if each.passed else tell(texts.why(each))) for each in found]
    return Outcomes(all(each.passed for each in outcomes), outcomes)


async def publish(call: Call, body: Publishing) -> PublishedOut:
    """Make the draft a version and put it live, now or at a time. Refused while it has errors or a test fails."""
    names = body.channels
    chosen = None if names is None else [(await call.rt.channels.find(name)).id for name in names]
    person = await call.person()
    if body.at:
        at = planned.moment(body.at, UTC, call.rt.clock.now())
        number = await planned.plan(call.rt, call.id, chosen, body.note, at, person, anyway=body.anyway)
    else:
        number = await bots.publish(call.rt, call.id, chosen, body.note, person, anyway=body.anyway)
    return PublishedOut(number, await _live(call, call.id))


async def versions(call: Call, query: Paging) -> Page[Version]:
    """Newest first."""
    await bots.get(call.rt.db.reader, call.id)
    key = key_of(query.cursor, 1)
    rows = await call.rt.db.reader.all(store.VERSIONS, bot_id=call.id)
    found = [row for row in rows if key is None or row.number < key[0]][: query.limit + 1]
    shown, cursor = page(found, query.limit, lambda row: (row.number,))
    return Page([Version(str(row.id), row.number, row.note, row.author, row.published_at) for row in shown], cursor)


async def version(call: Call) -> VersionText:
    bot = await bots.get(call.rt.db.reader, call.id)
    number = int(call.request.path_params["number"])
    row = await call.rt.db.reader.one(store.BY_NUMBER, bot_id=bot.id, number=number)
    if row is None or row.number is None:
        raise NotFound(N_("The bot has no version {number}.", number=number))
    return VersionText(str(row.id), row.number, row.document)


async def point(call: Call, body: Pointing) -> Pointed:
    """The channel answers with this version from the next message on: another bot, or a version from before."""
    live = call.rt.channels.get(call.id)
    if live.row.connector == "simulator":
        raise Conflict(N_("The simulator tries any version by itself."))
    return Pointed(await bots.roll_back(call.rt, call.id, int(body.version_id), await call.person()))


async def starters(call: Call) -> Starters:
    """What a new bot can begin with."""
    return Starters([Starter(each.key, each.name, each.about) for each in texts.starters()])


async def _shown(call: Call, bot_id: int) -> Bot:
    bot = await bots.get(call.rt.db.reader, bot_id)
    return Bot(
        str(bot.id), bot.name, bot.last_number or None, bot.draft_revision, bot.draft_at, await _live(call, bot.id)
    )


async def _live(call: Call, bot_id: int) -> list[Place]:
    return [
        Place(str(each.channel_id), each.channel, each.number)
        for each in await call.rt.db.read(store.list_channels)
        if each.bot_id == bot_id and each.number is not None
    ]


def _problem(problem: Problem) -> Found:
    return Found(problem.line, problem.column, problem.severity, tell(texts.sentence(problem)))
