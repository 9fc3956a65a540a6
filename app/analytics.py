"""What the statistics say of a period, for the page and for programs. Only `statistic` is read, never messages."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from app.bot.document import Version
from app.bot.program import Asking
from app.connectors.base import Problem
from app.db import Reader
from app.store import statistics as store

HOUR: Final = store.HOUR
PERIODS: Final = (7, 30, 90)
DELIVERED: Final = ("delivered", "read", "played")
PENDING: Final = ("queued", "sending", "unknown", "held")

LAST: Final = 1000  # place of a question that is in no live bot

Order = Mapping[str, int]
NO_ORDER: Final[Order] = {}

_problem: msgspec.json.Decoder[Problem] = msgspec.json.Decoder(Problem)


class Wait(msgspec.Struct, frozen=True):
    """First answers: how many, and how long they took on average (ms)."""

    answers: int
    ms: int


class Question(msgspec.Struct, frozen=True):
    """A question of a flow: the chats, once an hour, in which it was asked and in which it was answered."""

    name: str
    asked: int
    answered: int

    @property
    def left(self) -> int:
        """Without an answer."""
        return max(0, self.asked - self.answered)


class Flow(msgspec.Struct, frozen=True):
    """`questions` in the order in which they are asked."""

    name: str
    questions: list[Question]


class Sum(msgspec.Struct, frozen=True):
    """A period in numbers. `chats` counts a chat once for each day (UTC) on which the customer wrote; `alone`: of
    these, those that the bot answered and no person wrote in; `missed`: messages that no rule knew."""

    received: int
    by_bot: int
    by_people: int
    by_programs: int
    chats: int
    alone: int
    missed: int
    bot_wait: Wait
    person_wait: Wait
    statuses: dict[str, int]
    rules: list[tuple[str, int]]
    failures: list[tuple[Problem, int]]
    flows: list[Flow]

    @property
    def sent(self) -> int:
        return self.by_bot + self.by_people + self.by_programs

    @property
    def failed(self) -> int:
        return self.statuses.get("failed", 0)

    @property
    def share(self) -> float | None:
        """Of the chats, how many the bot answered alone; None without any."""
        return self.alone / self.chats if self.chats else None


class Channel(msgspec.Struct, frozen=True):
    id: int
    name: str
    connector: str
    received: int
    sent: int


async def total(db: Reader, since: int, until: int, channel_id: int = 0, order: Order = NO_ORDER) -> Sum:
    """`since` and `until` in hours since 1970; `channel_id` 0: all channels but the simulator; `order` as `order_of`
    tells."""
    rows = await db.all(store.TOTALS, since=since, until=until, channel_id=channel_id)
    plain = {row.metric: row.value for row in rows if not row.label}
    return Sum(
        plain.get("in", 0), plain.get("bot", 0), plain.get("person", 0), plain.get("program", 0), plain.get("chat", 0),
        plain.get("alone", 0), plain.get("missed", 0), wait(plain, "bot"), wait(plain, "person"),
        {row.label: row.value for row in rows if row.metric == "status"},
        [(row.label, row.value) for row in rows if row.metric == "rule"],
        [(_problem.decode(row.label), row.value) for row in rows if row.metric == "failed"], flows(rows, order),
    )  # fmt: skip


def flows(rows: list[store.Total], order: Order) -> list[Flow]:
    """Those that asked something, busiest first. A question that no live bot asks any more stands where its numbers
    put it."""
    asked = {row.label: row.value for row in rows if row.metric == "asked" and "/" in row.label}
    answered = {row.label: row.value for row in rows if row.metric == "answered"}
    found: dict[str, list[Question]] = {}
    for label in sorted(asked, key=lambda label: (order.get(label, LAST), -asked[label], label)):
        flow, _slash, question = label.removeprefix("flow ").rpartition("/")
        found.setdefault(flow, []).append(Question(question, asked[label], answered.get(label, 0)))
    return sorted((Flow(*one) for one in found.items()), key=lambda flow: (-flow.questions[0].asked, flow.name))


def order_of(versions: Iterable[Version]) -> Order:
    """The place of each question in the flows of these bots."""
    return {
        f"{program.shown}/{step.save}": step.number
        for version in versions
        for program in version.programs.values()
        for step in program.code
        if isinstance(step, Asking)
    }


def wait(plain: dict[str, int], who: str) -> Wait:
    answers = plain.get(f"{who}_n", 0)
    return Wait(answers, plain.get(f"{who}_ms", 0) // answers if answers else 0)


async def hourly(db: Reader, since: int, until: int, channel_id: int = 0) -> dict[int, dict[str, int]]:
    """By hour since 1970: `in`, `bot`, `person`, `program`, `chat`, `alone`. Hours without any are missing."""
    found: dict[int, dict[str, int]] = {}
    for row in await db.all(store.HOURLY, since=since, until=until, channel_id=channel_id):
        found.setdefault(row.hour, {})[row.metric] = row.value
    return found


async def channels(db: Reader, since: int, until: int) -> list[Channel]:
    """Busiest first."""
    found: dict[int, Channel] = {}
    for row in await db.all(store.CHANNELS, since=since, until=until):
        had = found.get(row.channel_id, Channel(row.channel_id, row.name, row.connector, 0, 0))
        received, sent = (row.value, 0) if row.metric == "in" else (0, row.value)
        found[row.channel_id] = msgspec.structs.replace(had, received=had.received + received, sent=had.sent + sent)
    return sorted(found.values(), key=lambda one: (-one.received - one.sent, one.id))


async def as_of(db: Reader) -> int:
    """When the newest slice was counted, ms UTC; 0: nothing was yet."""
    return await db.one(store.AS_OF) or 0
