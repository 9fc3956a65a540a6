"""Dates, times, numbers, money and telephone numbers as a language writes them.

What a language does is read once, when a document is made ready (`speech`); during a turn nothing is loaded.
"""

import re
from datetime import UTC, datetime, tzinfo
from datetime import date as Day
from datetime import time as Clock
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from babel import Locale, dates, numbers
from babel.core import get_global

from app.bot.languages import locale_of
from app.bot.phones import written

STYLES: Final = ("short", "medium", "long", "full")
LAST: Final = 253_402_200_000_000  # ms UTC; a day before the year 10000
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?")
_MOMENT = re.compile(rf"({_DATE.pattern})[ T]({_TIME.pattern})")
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})  # as people type them, so that tests can be written


class Speech(msgspec.Struct, frozen=True):
    """A language (None: none in particular, in which dates are 2026-09-21 and numbers 1,234.50), a time zone, and the
    territory where most who read it live (`BR`; '' for none in particular)."""

    locale: Locale | None = None
    zone: tzinfo = UTC
    home: str = ""

    @property
    def language(self) -> str:
        """`pt`, `zh_Hant`; '' for none in particular."""
        if self.locale is None:
            return ""
        return f"{self.locale.language}_{self.locale.script}" if self.locale.script else str(self.locale.language)

    def date(self, value: Any, style: str) -> str:
        """A day: of a moment in ms UTC, or as a text that begins with 2026-09-21. Other texts stay as they are."""
        moment = self.moment(value)
        day = moment.date() if isinstance(moment, datetime) else moment
        if not isinstance(day, Day):
            return value if isinstance(value, str) else ""
        if self.locale is None or style == "iso":
            return day.isoformat()
        return dates.format_date(day, style if style in STYLES else "medium", self.locale).translate(_SPACES)

    def time(self, value: Any, style: str) -> str:
        """A time of day: of a moment in ms UTC, or as a text that is or ends with 14:30. Other texts stay."""
        moment = self.moment(value)
        clock = moment.time() if isinstance(moment, datetime) else moment
        if not isinstance(clock, Clock):
            return value if isinstance(value, str) else ""
        if self.locale is None or style == "iso":
            return clock.strftime("%H:%M")
        style = "medium" if style == "medium" else "short"
        return dates.format_time(clock, style, locale=self.locale).translate(_SPACES)

    def moment(self, value: Any) -> datetime | Day | Clock | None:
        """What a value says of a day and a time, in this zone."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, self.zone) if 0 <= value < LAST else None
        text = value.strip() if isinstance(value, str) and len(value) < 40 else ""
        try:
            if found := _MOMENT.match(text):
                return datetime.fromisoformat(f"{found[1]}T{found[2]}")
            if _DATE.fullmatch(text):
                return Day.fromisoformat(text)
            return Clock.fromisoformat(text) if _TIME.fullmatch(text) else None
        except ValueError:
            return None  # 2026-02-30

    def number(self, value: int | float, digits: int | None) -> str:
        """1,234.50. Without `digits`, as many as the number has, at most six."""
        if digits is None:
            digits = 0 if isinstance(value, int) else len(f"{value:.6f}".rstrip("0").rpartition(".")[2])
        if self.locale is None:
            return f"{value:,.{digits}f}"
        whole = self.locale.decimal_formats[None].pattern.partition(".")[0]
        form = f"{whole}.{'0' * digits}" if digits else whole
        return numbers.format_decimal(value, form, self.locale).translate(_SPACES)

    def money(self, value: int | float, currency: str) -> str:
        """R$ 1.234,50. The currency is a code of three letters."""
        if self.locale is None:
            return f"{currency} {value:,.2f}"
        return numbers.format_currency(value, currency, locale=self.locale).translate(_SPACES)

    def phone(self, value: str) -> str:
        return written(value, self.home)


NEUTRAL: Final = Speech()


def speech(language: str, zone: str) -> Speech:
    """How a document speaks this language ('' for none in particular), with all that it takes loaded."""
    locale = locale_of(language) if language else None
    made = Speech(locale, ZoneInfo(zone) if zone else UTC, territory_of(locale) if locale else "")
    if locale is not None:
        made.money(1.5, "EUR")
        made.number(1.5, None)
        for style in STYLES:
            made.date(0, style)
            made.time(0, style)
    return made


def territory_of(locale: Locale) -> str:
    """Its own, else where most who speak the language live: `BR` for `pt`."""
    likely = str(get_global("likely_subtags").get(str(locale), ""))
    return locale.territory or next((part for part in likely.split("_")[1:] if len(part) == 2), "")
