"""Analytics: a period in numbers beside the one before it, charts with their tables, rules, and what did not arrive."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app import analytics, sheets
from app.analytics import Sum
from app.db import Reader
from app.i18n import _, fmt, tell
from app.routes import charts, faces
from app.routes.api.endpoint import Csv
from app.routes.home import NONE, Tile, number_and_unit
from app.routes.respond import is_number, page

if TYPE_CHECKING:
    from app.runtime import Runtime

HOUR: Final = analytics.HOUR
MOST: Final = 12  # rows of a list
FLOWS: Final = 6  # that are drawn


class Day(msgspec.Struct, frozen=True):
    """One day of the person's own calendar."""

    date: str
    label: str
    full: str
    received: int
    by_bot: int
    by_people: int
    chats: int
    alone: int

    @property
    def share(self) -> float | None:
        return self.alone / self.chats if self.chats else None


async def show(request: Request) -> Response:
    return await page(request, "analytics/index.html", **await asked(request))


async def export(request: Request) -> Response:
    """Every number of the page, one a line: what is counted, of what, and how much of it."""
    found = await asked(request)
    return Csv(lines(found), headers=Csv.attachment(f"analytics-{found['days']}-days.csv"))


async def asked(request: Request) -> dict[str, Any]:
    rt: Runtime = request.state.rt
    params = request.query_params
    periods = {str(days): days for days in analytics.PERIODS}
    days = periods.get(params.get("days", ""), analytics.PERIODS[1])
    channel = params.get("channel", "")
    channel_id = int(channel) if is_number(channel) else 0
    order = analytics.order_of(rt.versions.live())
    return await rt.db.read(read, rt.clock.now(), days, channel_id, order)


async def lines(found: dict[str, Any]) -> AsyncIterator[str]:
    yield sheets.line(("what", "of", "count"))
    days: list[Day] = found["by_day"]
    for what in ("received", "by_bot", "by_people", "chats", "alone"):
        yield "".join(sheets.line((what, day.date, str(getattr(day, what)))) for day in days)
    week: dict[tuple[int, int], int] = found["week"]
    names = found["weekdays"]
    yield "".join(
        sheets.line(("received", f"{names[day]} {hour:02}:00", str(count)))
        for (day, hour), count in sorted(week.items())
    )
    total: Sum = found["sum"]
    for what, counts in (("rule", total.rules), ("status", sorted(total.statuses.items()))):
        yield "".join(sheets.line((what, name, str(count))) for name, count in counts)
    yield "".join(sheets.line(("not delivered", title, str(count))) for title, _code, count in found["failures"])
    for flow in total.flows:
        for question in flow.questions:
            yield sheets.line(("asked", f"{flow.name}/{question.name}", str(question.asked)))
            yield sheets.line(("answered", f"{flow.name}/{question.name}", str(question.answered)))
    for one in found["channels"]:
        yield sheets.line(("received by channel", one.name, str(one.received)))
        yield sheets.line(("sent by channel", one.name, str(one.sent)))


async def read(db: Reader, now: int, days: int, channel_id: int, order: analytics.Order) -> dict[str, Any]:
    """Everything the page shows, of the last `days` days with today, in the zone of whoever asks."""
    since, until = start(now, days - 1), now // HOUR + 1
    channels = await analytics.channels(db, since, until)
    chosen = channel_id if channel_id in [one.id for one in channels] else 0
    found = await analytics.total(db, since, until, chosen, order)
    before = await analytics.total(db, since - 24 * days, since, chosen)
    hours = await analytics.hourly(db, since, until, chosen)
    shown = by_day(hours, now, days)
    week = by_week(hours)
    return {
        "days": days,
        "periods": analytics.PERIODS,
        "channels": channels,
        "chosen": chosen,
        "sum": found,
        "tiles": tiles(found, before, shown, days),
        "by_day": shown,
        "bars": charts.bars([(day.label, day.by_bot, day.by_people) for day in shown]),
        "line": charts.line([(day.label, day.share) for day in shown]),
        "squares": charts.squares(week),
        "week": week,
        "weekdays": [name[:3] for name in fmt.weekdays()],
        "busiest": max(shown, key=lambda day: day.by_bot + day.by_people),
        "peak": max(week, key=lambda key: week[key]) if week else None,
        "delivered": sum(found.statuses.get(status, 0) for status in analytics.DELIVERED),
        "waiting_out": sum(found.statuses.get(status, 0) for status in analytics.PENDING),
        "failures": [(tell(problem.title) or problem.code or _("No reason given"), problem.code, count)
                     for problem, count in found.failures],
        "funnels": [funnel(flow) for flow in found.flows[:FLOWS]],
        "more_flows": max(0, len(found.flows) - FLOWS),
        "most": MOST,
        "as_of": await analytics.as_of(db),
        "faces": faces,
    }  # fmt: skip


def start(now: int, days_ago: int) -> int:
    """The hour since 1970 in which that day began."""
    midnight = (fmt.moment(now) - timedelta(days=days_ago)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(midnight.timestamp() * 1000) // HOUR


def by_day(hours: dict[int, dict[str, int]], now: int, days: int) -> list[Day]:
    """Oldest first, days without anything too."""
    sums: dict[Any, dict[str, int]] = {}
    for hour, values in hours.items():
        day = sums.setdefault(fmt.moment(hour * HOUR).date(), {})
        for metric, value in values.items():
            day[metric] = day.get(metric, 0) + value
    found = []
    for ago in range(days - 1, -1, -1):
        moment = fmt.moment(now) - timedelta(days=ago)
        values, at = sums.get(moment.date(), {}), int(moment.timestamp() * 1000)
        found.append(
            Day(
                moment.date().isoformat(), fmt.day_of_month(at), fmt.date(at), values.get("in", 0),
                values.get("bot", 0), values.get("person", 0), values.get("chat", 0), values.get("alone", 0),
            )
        )  # fmt: skip
    return found


def by_week(hours: dict[int, dict[str, int]]) -> dict[tuple[int, int], int]:
    """Customers' messages by (weekday from Monday, hour of the day)."""
    found: dict[tuple[int, int], int] = {}
    for hour, values in hours.items():
        if values.get("in"):
            moment = fmt.moment(hour * HOUR)
            key = moment.weekday(), moment.hour
            found[key] = found.get(key, 0) + values["in"]
    return found


def funnel(flow: analytics.Flow) -> tuple[analytics.Flow, list[charts.Step], analytics.Question]:
    """A flow, its bars, and the question at which most leave."""
    answered = [(_("“{name}” answered").format(name=one.name), one.answered) for one in flow.questions]
    bars = charts.funnel([(_("Started"), flow.questions[0].asked), *answered])
    return flow, bars, max(flow.questions, key=lambda one: one.left)


# ---- the four numbers ------------------------------------------------------------------------------------------------


def tiles(now: Sum, before: Sum, days: Sequence[Day], period: int) -> tuple[Tile, ...]:
    return (
        Tile(
            _("Conversations"), fmt.number(now.chats), "",
            _("{n} in the {days} days before").format(n=fmt.number(before.chats), days=period),
            tuple(float(day.chats) for day in days),
        ),
        alone(now, before, days),
        first_reply(now, before),
        missed(now, before),
    )  # fmt: skip


def alone(now: Sum, before: Sum, days: Sequence[Day]) -> Tile:
    label = _("Answered by the bot alone")
    if now.share is None:
        return Tile(label, NONE, "", _("nobody wrote"))
    delta = (
        _("nobody wrote before")
        if before.share is None
        else _("{share} before").format(share=fmt.percent(before.share))
    )
    return Tile(label, fmt.number(round(now.share * 100)), "%", delta, tuple(day.share for day in days))


def first_reply(now: Sum, before: Sum) -> Tile:
    label = _("First reply by a person")
    bot = _("bot: {time}").format(time=fmt.duration(now.bot_wait.ms)) if now.bot_wait.answers else ""
    if not now.person_wait.answers:
        return Tile(label, NONE, "", bot or _("no replies by people"))
    earlier = _("{time} before").format(time=fmt.duration(before.person_wait.ms)) if before.person_wait.answers else ""
    delta = " · ".join(part for part in (earlier, bot) if part)
    return Tile(label, *number_and_unit(now.person_wait.ms), delta or _("on average"))


def missed(now: Sum, before: Sum) -> Tile:
    share = fmt.percent(now.missed / now.received) if now.received else NONE
    delta = _("{share} of the messages, {n} before").format(share=share, n=fmt.number(before.missed))
    return Tile(_("Not answered by a rule"), fmt.number(now.missed), "", delta)
