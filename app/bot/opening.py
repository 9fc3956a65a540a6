"""Whether a business is open at a moment: hours made ready to be asked."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from app.bot.hours import Holiday, Hours, Spans
from app.said import N_, Sentence

# Beyond these no calendar has a day; a moment out of them is taken as the nearest (ms UTC).
EARLIEST, LATEST = 0, 4_102_444_800_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Opening(msgspec.Struct, frozen=True):
    """`days` from Monday; `holidays` by `2026-12-25`, `yearly` by `12-25`. The first that a document names counts."""

    zone: ZoneInfo
    days: tuple[Spans, ...]
    holidays: dict[str, Holiday]
    yearly: dict[str, Holiday]

    def at(self, now: int) -> "Moment":
        """`now` is milliseconds UTC."""
        moment = (EPOCH + timedelta(milliseconds=min(max(now, EARLIEST), LATEST))).astimezone(self.zone)
        date = moment.date().isoformat()
        holiday = self.holidays.get(date) or self.yearly.get(date[5:])
        spans = self.days[moment.weekday()] if holiday is None else holiday.spans
        minute = moment.hour * 60 + moment.minute
        return Moment(any(start <= minute < end for start, end in spans), holiday)


class Moment(msgspec.Struct, frozen=True):
    open: bool
    holiday: Holiday | None = None

    @property
    def said(self) -> Sentence:
        if self.holiday is not None and not self.open:
            name = self.holiday.name or self.holiday.date
            return N_("outside opening hours ({holiday})", holiday=name)
        return N_("inside opening hours") if self.open else N_("outside opening hours")


def opening(hours: Hours) -> Opening:
    dated: dict[str, Holiday] = {}
    yearly: dict[str, Holiday] = {}
    for holiday in hours.holidays:
        for date in dates(holiday):
            (dated if len(date) == 10 else yearly).setdefault(date, holiday)
    return Opening(ZoneInfo(hours.zone), hours.days, dated, yearly)


def dates(holiday: Holiday) -> list[str]:
    """Every day of it. Those of every year may go over the end of one, and are counted from a leap year."""
    if not holiday.to:
        return [holiday.date]
    prefix, end = ("", "") if len(holiday.date) == 10 else ("2000-", "2000-")
    if end and holiday.to < holiday.date:
        end = "2001-"
    day = datetime.fromisoformat(prefix + holiday.date)
    # A leap day as the end of a spell that goes into a year without one is the first of March.
    last = datetime.fromisoformat(end + ("03-01" if end == "2001-" and holiday.to == "02-29" else holiday.to))
    return [(day + timedelta(days=n)).date().isoformat()[len(prefix) :] for n in range((last - day).days + 1)]
