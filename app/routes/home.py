"""Home: today in four numbers, what needs a person, what happens now, and how channels, bots and the machine stand.

Every number is counted from the database when it is shown; the simulator is left out of the numbers of the day.
"""

import shutil
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import anyio
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.connectors.base import State
from app.i18n import _, fmt
from app.routes import faces, kinds, states
from app.routes.respond import allowed, form, fragment, is_htmx, page, redirect
from app.routes.standing import concern
from app.store import account_facts, away, error_groups, overview, planned, webhooks
from app.store import inbox as inbox_rows
from app.store.overview import Attention, ChannelState, Hour

if TYPE_CHECKING:
    from app.runtime import Runtime

DAY: Final = 86_400_000
HOUR: Final = 3_600_000
NOW_ROWS: Final = 6
ERRORS: Final = 100  # counting stops here
MOST_CONCERNS: Final = 10
NONE: Final = "\u2013"
BAD_STATES: Final = (State.LOGGED_OUT, State.BROKEN)


class Tile(msgspec.Struct, frozen=True):
    """A number with its unit and a comparison in words. `spark`: the last 24 hours, None where nothing is known."""

    label: str
    value: str
    unit: str
    delta: str
    spark: tuple[float | None, ...] = ()

    def points(self) -> list[str]:
        """The line of the sparkline in a box of 120 by 28; empty where nothing happened."""
        known = [(place, value) for place, value in enumerate(self.spark) if value is not None]
        top, step = max((value for _place, value in known), default=0), 120 / max(1, len(self.spark) - 1)
        if not top:
            return []
        return [f"{place * step:.1f} {26 - 22 * value / top:.1f}" for place, value in known]


async def show(request: Request) -> Response:
    rt: Runtime = request.state.rt
    values = {**await numbers(rt), **await concerns(rt), **await happening(request), **await standing(rt)}
    return await page(request, "home/index.html", topics=("channels", "bots"), greeting=greeting(request), **values)


async def tiles(request: Request) -> Response:
    found = await numbers(request.state.rt)
    return await fragment(request, "home/_tiles.html", version=repr(found), **found)


async def attention(request: Request) -> Response:
    rt: Runtime = request.state.rt
    found = await concerns(rt)
    version = repr(
        (
            found["attention"],
            found["stopped"],
            found["unpublished"],
            found["undelivered"],
            found["errors"],
            found["fallen"],
            found["away"],
            found["failing"],
            rt.clock.now() // 60_000,
        )
    )
    return await fragment(request, "home/_attention.html", version=version, **found)


async def now(request: Request) -> Response:
    found = await happening(request)
    version = repr((found["rows"], fmt.date(request.state.rt.clock.now())))
    return await fragment(request, "home/_now.html", version=version, **found)


async def channels(request: Request) -> Response:
    found = await standing(request.state.rt)
    return await fragment(request, "home/_channels.html", version=repr((found["channels"], found["today"])), **found)


async def dismiss(request: Request) -> Response:
    """Updates in quarantine for one reason were looked at; they stay kept until they expire."""
    rt: Runtime = request.state.rt
    reason = (await form(request)).required("reason", limit=100)
    await rt.db.write(overview.see_quarantined, reason)
    if is_htmx(request):
        return await fragment(request, "home/_attention.html", **await concerns(rt))
    return redirect(request, str(request.app.url_path_for("home")))


def greeting(request: Request) -> str:
    """By the hour of the person's own zone."""
    hour = fmt.moment(request.state.rt.clock.now()).hour
    name = request.state.user.name.split(" ", 1)[0]
    said = _("Good morning, {name}") if 5 <= hour < 12 else _("Good evening, {name}")
    return (_("Good afternoon, {name}") if 12 <= hour < 18 else said).format(name=name)


# ---- the numbers of the day ------------------------------------------------------------------------------------------


class Sum(msgspec.Struct, frozen=True):
    messages: int
    asked: int
    answered: int


def total(hours: Iterable[Hour]) -> Sum:
    chosen = list(hours)
    return Sum(
        sum(hour.messages for hour in chosen),
        sum(hour.asked for hour in chosen),
        sum(hour.answered for hour in chosen),
    )


async def numbers(rt: "Runtime") -> dict[str, Any]:
    """The four tiles."""
    at = rt.clock.now()
    midnight = start_of_day(at)
    skip = simulator_id(rt)
    today = total(await counted(rt, midnight, at + 1, skip))
    yesterday = total(await counted(rt, midnight - DAY, at - DAY, skip))
    hourly = await counted(rt, at - at % HOUR - 23 * HOUR, at + 1, skip)
    by_hour = [total(hour for hour in hourly if hour.hour == place) for place in range(24)]
    bot, people = await rt.db.read(overview.get_first_replies, midnight, skip)
    waiting, since = await rt.db.read(overview.get_waiting)
    return {
        "tiles": (
            Tile(
                _("Messages today"),
                fmt.number(today.messages),
                "",
                compare(today.messages, yesterday.messages),
                tuple(float(hour.messages) for hour in by_hour),
            ),
            answered_tile(today, yesterday, by_hour),
            reply_tile(bot, people),
            waiting_tile(waiting, at - since if since else 0),
        )
    }


async def counted(rt: "Runtime", since: int, until: int, skip: int) -> list[Hour]:
    found = await rt.db.read(overview.count_hours, since, until)
    return [hour for hour in found if hour.channel_id != skip]


def start_of_day(at: int) -> int:
    """Midnight in the zone of whoever asks, ms UTC."""
    midnight = fmt.moment(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(midnight.timestamp() * 1000)


def simulator_id(rt: "Runtime") -> int:
    live = rt.channels.by_account.get(("simulator", "simulator"))
    return live.row.id if live else 0


def compare(today: int, yesterday: int) -> str:
    if today == yesterday:
        return _("as many as yesterday at this time") if today else _("none yesterday by this time either")
    more = today > yesterday
    text = _("{n} more than yesterday at this time") if more else _("{n} fewer than yesterday at this time")
    return text.format(n=fmt.number(abs(today - yesterday)))


def answered_tile(today: Sum, yesterday: Sum, by_hour: list[Sum]) -> Tile:
    """Of the customers' messages, how many the bot answered."""
    label = _("Answered by the bot")
    if not today.asked:
        return Tile(label, NONE, "", _("no customer wrote yet today"))
    share = today.answered / today.asked
    if yesterday.asked:
        delta = _("{share} yesterday at this time").format(share=fmt.percent(yesterday.answered / yesterday.asked))
    else:
        delta = _("{n} of {all} messages").format(n=fmt.number(today.answered), all=fmt.number(today.asked))
    spark = tuple(hour.answered / hour.asked if hour.asked else None for hour in by_hour)
    return Tile(label, fmt.number(round(share * 100)), "%", delta, spark)


def reply_tile(bot: overview.FirstReply, people: overview.FirstReply) -> Tile:
    """The mean time to the first reply: the bot's if it answered today, else people's."""
    label = _("First reply")
    by_people = _("by the bot, on average")
    if people.answers:
        by_people = _("people: {time}").format(time=fmt.duration(people.ms))
    if bot.answers:
        return Tile(label, *number_and_unit(bot.ms), by_people)
    if people.answers:
        return Tile(label, *number_and_unit(people.ms), _("by people, on average"))
    return Tile(label, NONE, "", _("no replies yet today"))


def number_and_unit(ms: int) -> tuple[str, str]:
    text = fmt.duration(ms)
    number, _space, unit = text.partition(" ")
    return number, unit


def waiting_tile(count: int, longest: int) -> Tile:
    delta = _("longest {time}").format(time=fmt.duration(longest)) if count else _("nobody waits")
    return Tile(_("Waiting for a person"), fmt.number(count), "", delta)


# ---- what needs a person ---------------------------------------------------------------------------------------------


async def concerns(rt: "Runtime") -> dict[str, Any]:
    """Everything under "Needs attention" and how many that is."""
    found: Attention = await rt.db.read(overview.get_attention, rt.clock.now() - DAY)
    stopped = [channel for channel in await rt.db.read(overview.list_channels) if is_stopped(channel)]
    counts = found.held_count, found.waiting_count, found.failed_count, len(found.quarantined), len(found.crashed)
    unpublished = await rt.db.read(planned.list_failed)
    undelivered = [
        (row.id, urlsplit(row.url).netloc, row.disabled_why)
        for row in await rt.db.reader.all(webhooks.ALL)
        if row.disabled_at and row.disabled_why
    ]
    errors = await rt.db.reader.one(error_groups.COUNT_OPEN, many=ERRORS) or 0
    fallen = await rt.db.reader.all(account_facts.CONCERNS, limit=MOST_CONCERNS)
    left = await rt.db.read(away.list_left)
    failing = rt.handlers.failing(rt.clock.now() - DAY)
    count = sum(counts) + len(stopped) + len(unpublished) + len(undelivered) + len(fallen) + len(left) + bool(errors)
    count += len(failing)
    drawn = {"faces": faces, "states": states, "kinds": kinds}
    return {
        "attention": found,
        "stopped": stopped,
        "unpublished": unpublished,
        "undelivered": undelivered,
        "errors": errors,
        "fallen": [(one, *concern(one)) for one in fallen],
        "away": left,
        "failing": failing,
        "attention_count": count,
        **drawn,
    }


def is_stopped(channel: ChannelState) -> bool:
    return channel.halted_at is not None or channel.state in BAD_STATES


async def happening(request: Request) -> dict[str, Any]:
    """The conversations with the newest messages."""
    rt: Runtime = request.state.rt
    rows = await rt.db.read(_newest, request.state.user.id)
    return {"rows": rows, "names": allowed(request), "faces": faces, "kinds": kinds}


async def _newest(db: Any, user_id: int) -> list[inbox_rows.Row]:
    return await inbox_rows.list_rows(db, "all", user_id, limit=NOW_ROWS)


# ---- channels, bots, the machine -------------------------------------------------------------------------------------


async def standing(rt: "Runtime") -> dict[str, Any]:
    at = rt.clock.now()
    hours = await rt.db.read(overview.count_hours, start_of_day(at), at + 1)
    today: dict[int, int] = {}
    for hour in hours:
        today[hour.channel_id] = today.get(hour.channel_id, 0) + hour.messages
    queue = await rt.db.read(overview.count_queue)
    return {
        "channels": await rt.db.read(overview.list_channels),
        "bots": await rt.db.read(overview.list_bots),
        "today": today,
        "faces": faces,
        "states": states,
        "queued": queue.get("queued", 0) + queue.get("sending", 0) + queue.get("unknown", 0),
        "held": queue.get("held", 0),
        "disk": await anyio.to_thread.run_sync(disk, rt),
        "uptime": at - rt.started_at,
    }


def disk(rt: "Runtime") -> tuple[int, int]:
    """(bytes of the database's files, bytes free on its disk)."""
    folder = rt.settings.data
    used = sum(path.stat().st_size for path in folder.glob("parley.db*") if path.is_file())
    return used, shutil.disk_usage(folder).free
