"""Statistics over the API: the numbers of the Analytics page."""

from typing import Annotated

import msgspec
from msgspec import structs

from app import analytics, i18n
from app.routes.api.endpoint import Call, Query
from app.views import Id, Time


class Period(Query, frozen=True):
    """The last `days` times 24 hours, this hour included; without `channel`, all but the simulator."""

    days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 30
    channel: Id = "0"


class Count(msgspec.Struct, frozen=True):
    name: str
    count: int


class Failure(msgspec.Struct, frozen=True):
    """`code` is the network's."""

    code: str
    title: str
    count: int


class ChannelCount(msgspec.Struct, frozen=True):
    id: Id
    name: str
    received: int
    sent: int


class QuestionCount(msgspec.Struct, frozen=True):
    """Chats, once an hour, in which it was asked and in which it was answered."""

    name: str
    asked: int
    answered: int


class FlowCount(msgspec.Struct, frozen=True):
    """Questions in the order in which they are asked."""

    name: str
    questions: list[QuestionCount]


class Summary(msgspec.Struct, frozen=True):
    """`conversations` counts a chat once for each day (UTC) on which the customer wrote; `bot_alone`: of these, those
    that the bot answered and no person wrote in; `unanswered`: messages that no rule knew. Waits are averages (ms) from
    a customer's message to the first answer, null without any. `counted_at` is null before anything was counted."""

    since: Time
    until: Time
    counted_at: Time | None
    received: int
    sent_by_bot: int
    sent_by_people: int
    sent_by_programs: int
    conversations: int
    bot_alone: int
    unanswered: int
    bot_wait: int | None
    person_wait: int | None
    statuses: dict[str, int]
    rules: list[Count]
    failures: list[Failure]
    channels: list[ChannelCount]
    flows: list[FlowCount]


class Hour(msgspec.Struct, frozen=True):
    """Counts of the hour that begins `at`."""

    at: Time
    received: int
    sent_by_bot: int
    sent_by_people: int
    sent_by_programs: int
    conversations: int
    bot_alone: int


class Hours(msgspec.Struct, frozen=True):
    hours: list[Hour]


def within(call: Call, query: Period) -> tuple[int, int]:
    until = call.rt.clock.now() // analytics.HOUR + 1
    return until - 24 * query.days, until


async def summary(call: Call, query: Period) -> Summary:
    """The period in numbers. They are counted in the background: new messages within two minutes, receipts that come
    later within three hours, for a week."""
    since, until = within(call, query)
    db = call.rt.db.reader
    order = analytics.order_of(call.rt.versions.live())
    found = await analytics.total(db, since, until, int(query.channel), order)
    channels = await analytics.channels(db, since, until)
    return Summary(
        since * analytics.HOUR, until * analytics.HOUR, await analytics.as_of(db) or None, found.received, found.by_bot,
        found.by_people, found.by_programs, found.chats, found.alone, found.missed,
        found.bot_wait.ms if found.bot_wait.answers else None,
        found.person_wait.ms if found.person_wait.answers else None, found.statuses,
        [Count(name, count) for name, count in found.rules],
        [Failure(problem.code, i18n.tell(problem.title), count) for problem, count in found.failures],
        [ChannelCount(str(one.id), one.name, one.received, one.sent) for one in channels],
        [FlowCount(one.name, [QuestionCount(*structs.astuple(of)) for of in one.questions]) for one in found.flows],
    )  # fmt: skip


async def hours(call: Call, query: Period) -> Hours:
    """Hour by hour, oldest first; hours without a message are left out."""
    since, until = within(call, query)
    found = await analytics.hourly(call.rt.db.reader, since, until, int(query.channel))
    names = ("in", "bot", "person", "program", "chat", "alone")
    return Hours(
        [Hour(hour * analytics.HOUR, *(values.get(name, 0) for name in names)) for hour, values in found.items()]
    )
