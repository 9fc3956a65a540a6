"""Days and times as people write them: `tomorrow at 3pm`, `next friday`, `in two days`, `24. Dezember`, `12/05`.

Read from the beginning of a message, once through, so the work is bounded. A day without a year is the next one from
today on; a time without a day is the next one.
"""

import calendar
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from app.bot.datewords import SOON, known, month_first
from app.bot.values import MISSING
from app.bot.words import fold

READ: Final = 200  # characters
MOST_WORDS: Final = 40
A_CLOCK: Final = "\x00"  # stands for a time that was taken out
_ISO: Final = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_DATE: Final = re.compile(r"(?<![\d:.])(\d{1,2})([/.-])(\d{1,2})(?:\2(\d{4}|\d{2})?)?(?![\d:])")
_CLOCK: Final = re.compile(
    r"(?<![\d/-])(\d{1,2})\s?[:h]\s?(\d{2})(?!\d)|(?<![\d.])(\d{1,2})\.(\d{2})(?=\s*(?:uhr|am\b|pm\b))"
)
_ORDINAL: Final = re.compile(r"(?<=\d)(?:st|nd|rd|th|er|ro|do|to)\b|(?<=\d)[oaºª°]\b")
_TOKEN: Final = re.compile(r"\d+|[^\W\d_]+|\x00")


def read_date(text: str, now: datetime, language: str) -> Any:
    """The day as 2026-12-24; `MISSING` if the text does not name exactly one. `now` is in the zone of the answer."""
    day = Reader(text, now, language).day()
    return day.isoformat() if isinstance(day, date) else MISSING


def read_time(text: str, now: datetime, language: str) -> Any:
    """The time as 15:00; `MISSING` if the text does not name exactly one."""
    reader = Reader(text, now, language)
    ahead = reader.ahead()
    minutes = reader.time() if ahead is None else _minutes(_later(now, ahead))
    return _clock(minutes) if minutes is not None else MISSING


def read_moment(text: str, now: datetime, language: str) -> Any:
    """The day and time as 2026-12-24 15:00; `MISSING` if the text does not name one time."""
    reader = Reader(text, now, language)
    ahead = reader.ahead()
    if ahead is not None:
        return f"{_later(now, ahead):%Y-%m-%d %H:%M}"
    day, minutes = reader.day(), reader.time()
    if minutes is None or day is MISSING:
        return MISSING
    if day is None:
        day = now.date() + timedelta(days=minutes <= _minutes(now))
    return f"{day.isoformat()} {_clock(minutes)}"


def _later(now: datetime, minutes: int) -> datetime:
    """So much later, also where the clock is changed in between."""
    return (now.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(now.tzinfo)


def _minutes(at: datetime) -> int:
    return at.hour * 60 + at.minute


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


class Reader:
    """One text as words, with what is written in digits taken out of it. `used` are the words that a day was read
    from."""

    def __init__(self, text: str, now: datetime, language: str) -> None:
        self.known, self.american, self.today = known(language), month_first(language), now.date()
        self.days: list[Any] = []
        self.clocks: list[int] = []
        text = _ISO.sub(self._iso, fold(text[:READ]).replace(A_CLOCK, " "))
        text = _CLOCK.sub(self._written, text)
        text = _DATE.sub(self._slashed, text)
        text = f" {' '.join(_TOKEN.findall(_ORDINAL.sub(' ', text)))} "
        for phrase, word in self.known.phrases.items():
            text = text.replace(f" {phrase} ", f" {word} ")
        self.words = text.split()[:MOST_WORDS]
        self.used: set[int] = set()

    def _iso(self, found: re.Match[str]) -> str:
        self.days.append(_date(int(found[1]), int(found[2]), int(found[3])))
        return " "

    def _written(self, found: re.Match[str]) -> str:
        hour, minute = int(found[1] or found[3]), int(found[2] or found[4])
        self.clocks.append(hour * 60 + minute if hour < 24 and minute < 60 else -1)
        return f" {A_CLOCK} "

    def _slashed(self, found: re.Match[str]) -> str:
        one, two, year = int(found[1]), int(found[3]), found[4]
        month, day = (one, two) if self.american and found[2] != "." else (two, one)
        if month > 12:
            month, day = day, month
        self.days.append(_date(_year(year), month, day) if year else self.coming(month, day))
        return " "

    # ---- days -------------------------------------------------------------------------------------------------------

    def day(self) -> date | Any | None:
        """The day; None if there is none, `MISSING` if there are several or it does not exist. A day of the week beside
        another is only its name, but the right one."""
        exact, named = list(self.days), list[Any]()
        for at, word in enumerate(self.words):
            if word in self.known.near:
                exact.append(self.plus(days=self.known.near[word]))
                self.used.add(at)
            elif (number := self.named(word, self.known.months)) and (found := self.of_month(at, number)) is not None:
                exact.append(found)
            elif number := self.named(word, self.known.days):
                named.append(self.plus(days=(number - 1 - self.today.weekday() - 1) % 7 + 1))
                self.used.add(at)
            elif (found := self.counted(at)) is not None:
                exact.append(found)
        if not exact:
            exact = named or [found for at in range(len(self.words)) if (found := self.alone(at)) is not None]
        if len(set(exact)) != 1 or not isinstance(exact[0], date):
            return MISSING if exact else None
        return MISSING if any(day.weekday() != exact[0].weekday() for day in named) else exact[0]

    def named(self, word: str, groups: tuple[frozenset[str], ...]) -> int:
        """Which of the days or months it is, from 1; 0 if none."""
        return next((number for number, group in enumerate(groups, 1) if word in group), 0)

    def of_month(self, at: int, month: int) -> Any | None:
        """A day of this month: 24 december, 24 de dezembro, december 24, each maybe with a year."""
        before = next((place for place in (at - 1, at - 2) if self.is_day(place)), None)
        day = before if before is not None else at + 1 if self.is_day(at + 1) else None
        if day is None:
            return None
        after = max(day, at)
        year = next((place for place in (after + 1, after + 2) if self.is_year(place)), None)
        self.used |= {at, day} if year is None else {at, day, year}
        number = int(self.words[day])
        return self.coming(month, number) if year is None else _date(int(self.words[year]), month, number)

    def is_day(self, at: int) -> bool:
        return 0 <= at < len(self.words) and self.words[at].isdecimal() and len(self.words[at]) < 3

    def is_year(self, at: int) -> bool:
        return 0 <= at < len(self.words) and bool(re.fullmatch(r"20\d\d", self.words[at]))

    def counted(self, at: int) -> Any | None:
        """In two weeks, next week."""
        unit = self.known.units.get(self.words[at], "")
        if unit not in ("day", "week", "month"):
            return None
        near = [place for place in (at - 1, at + 1, at + 2) if 0 <= place < len(self.words)]
        comes = [place for place in near if self.words[place] in self.known.next]
        count = self.number(at - 1)
        if count is None and (not comes or unit == "day"):
            return None
        self.used |= {at, at - 1} if count is not None else {at, comes[0]}
        count = count or 1
        return self.plus(months=count) if unit == "month" else self.plus(days=count * (7 if unit == "week" else 1))

    def alone(self, at: int) -> Any | None:
        """The 24th: the next day of that number."""
        if not self.is_day(at) or at == 0 or self.words[at - 1] not in self.known.on:
            return None
        if at + 1 < len(self.words) and self.words[at + 1] in self.known.units | dict.fromkeys(self.known.clock):
            return None
        self.used |= {at, at - 1}
        months = [self.plus(months=ahead) for ahead in range(13)]
        days = [_date(month.year, month.month, int(self.words[at])) for month in months if isinstance(month, date)]
        return next((day for day in days if isinstance(day, date) and day >= self.today), MISSING)

    def coming(self, month: int, day: int) -> Any:
        """The next day of this name, today among them; `MISSING` if there is none."""
        years = (_date(self.today.year + ahead, month, day) for ahead in range(9))
        return next((found for found in years if isinstance(found, date) and found >= self.today), MISSING)

    def plus(self, days: int = 0, months: int = 0) -> Any:
        """So much from today. A month ahead of the 31st is the last day of a shorter one."""
        try:
            year, month = divmod(self.today.month - 1 + months, 12)
            year += self.today.year
            day = min(self.today.day, calendar.monthrange(year, month + 1)[1])
            return date(year, month + 1, day) + timedelta(days=days)
        except (ValueError, OverflowError):
            return MISSING

    # ---- times ------------------------------------------------------------------------------------------------------

    def number(self, at: int) -> int | None:
        """What a word counts."""
        if not 0 <= at < len(self.words):
            return None
        word = self.words[at]
        return int(word) if word.isdecimal() and len(word) < 5 else self.known.numbers.get(word)

    def ahead(self) -> int | None:
        """Minutes, of in two hours; None if it is not said so."""
        for at, word in enumerate(self.words):
            unit, count = self.known.units.get(word, ""), self.number(at - 1)
            if word in self.known.clock and unit != "minute":
                unit = "hour" if any(self.words[place] in SOON for place in range(max(0, at - 3), at)) else ""
            if count is not None and unit in ("minute", "hour"):
                return count * (60 if unit == "hour" else 1)
        return None

    def time(self) -> int | None:
        """Minutes of the day; None if there is not exactly one time."""
        found = list(self.clocks) or self.hours() or self.bare()
        found += [self.known.times[word] for word in self.words if word in self.known.times]
        if len(set(found)) != 1:
            return None
        [minutes] = set(found)
        said = set(self.words)
        if said & self.known.late and minutes < 720:
            minutes += 720
        elif said & self.known.early and not said & self.known.late and 720 <= minutes < 780:
            minutes -= 720
        return minutes if 0 <= minutes < 1_440 else None

    def hours(self) -> list[int]:
        """Times by whole or half hours: at 3, 3 pm, 15h, half past three, halb vier."""
        found = []
        for at in range(len(self.words)):
            hour = self.number(at)
            if hour is None or at in self.used or hour > 23:
                continue
            before, after = self.words[max(0, at - 2) : at], self.words[at + 1 : at + 4]
            clear = set(before[-1:]) & self.known.at or set(after[:1]) & self.known.clock
            half = set(before + after) & self.known.half
            half_to = set(before[-1:]) & self.known.half_to
            if clear or half or half_to or set(after) & (self.known.late | self.known.early):
                found.append(hour * 60 + (30 if half else -30 if half_to else 0))
        return found

    def bare(self) -> list[int]:
        """A number by itself."""
        rest = [word for at, word in enumerate(self.words) if at not in self.used]
        return [int(rest[0]) * 60] if len(rest) == 1 and rest[0].isdecimal() and len(rest[0]) < 3 else []


def _date(year: int, month: int, day: int) -> Any:
    try:
        return date(year, month, day)
    except ValueError:
        return MISSING


def _year(text: str) -> int:
    return int(text) + (2_000 if len(text) == 2 else 0)
