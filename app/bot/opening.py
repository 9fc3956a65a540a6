"""Whether a business is open at a moment, holidays counted."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.bot.hours import Holiday, Hours, Spans

# A moment that no calendar has is taken as the nearest (ms UTC).
EARLIEST: Final = 0
LATEST: Final = 4_102_444_800_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def local(hours: Hours, now: int) -> datetime:
    """`now` is milliseconds UTC."""
    return (EPOCH + timedelta(milliseconds=min(max(now, EARLIEST), LATEST))).astimezone(ZoneInfo(hours.zone))


def day_of(hours: Hours, now: int) -> str:
    """Like `2026-12-25`."""
    return local(hours, now).date().isoformat()


def is_open(hours: Hours, now: int) -> bool:
    moment = local(hours, now)
    minute = moment.hour * 60 + moment.minute
    return any(start <= minute < end for start, end in spans_on(hours, moment.date()))


def spans_on(hours: Hours, day: date) -> Spans:
    """When it is open on a day; of several holidays the first in the document counts."""
    written = day.isoformat()
    for holiday in hours.holidays:
        if covers(holiday, written):
            return holiday.spans
    return hours.days[day.weekday()]


def ever_open(hours: Hours) -> bool:
    return any(hours.days) or any(holiday.spans for holiday in hours.holidays)


def is_past(holiday: Holiday, day: str) -> bool:
    """Whether it lies before a day like `2026-12-25` and does not come again."""
    last = holiday.to or holiday.date
    return len(last) == len(day) and last < day


def covers(holiday: Holiday, day: str) -> bool:
    """Whether it is a holiday on a day like `2026-12-25`. A spell of every year may go over the end of one."""
    first, last = holiday.date, holiday.to or holiday.date
    if len(first) < len(day):
        day = day[5:]
    return first <= day <= last if first <= last else day >= first or day <= last
