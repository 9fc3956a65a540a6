"""The language of the interface: English is the source, a catalog `locale/<language>/LC_MESSAGES/parley.mo` translates
it.

`_()` and `fmt` speak the language and time zone of the person asking, which the request sets with `speak`. Where no
catalog stands, English is shown; dates and numbers follow the language all the same. Times are ms UTC.
"""

import gettext
import re
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec
from babel import Locale, UnknownLocaleError, dates, numbers

from app.said import Said, Sentence

FOLDER: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "parley"
PSEUDO: Final = "xx"
# Languages a person can choose: those of which dates and numbers are written right even without a catalog.
LANGUAGES: Final = ("en", "pt", "es", "fr", "de", "it", "nl", "pl", "tr", "id", "ar", "he", "hi")
ACCENTS: Final = str.maketrans("aeiouyAEIOUYcnsz", "àéîõüýÀÉÎÕÜÝçñšž")


class Voice(msgspec.Struct, frozen=True):
    """How to speak to somebody: a language code and an IANA time zone."""

    language: str = "en"
    zone: str = "UTC"


ENGLISH: Final = Voice()
current: ContextVar[Voice] = ContextVar("voice", default=ENGLISH)


def speak(language: str, zone: str) -> None:
    """From here on, in this request, speak so."""
    current.set(Voice(language or "en", zone or "UTC"))


def of_environment(environ: Mapping[str, str]) -> str:
    """The language of a terminal, `pt` of `LANG=pt_BR.UTF-8`; English where it is none of ours."""
    name = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    code = re.split(r"[_.@]", name)[0].lower()
    return code if code in (PSEUDO, *LANGUAGES) else "en"


def _(text: str) -> str:
    """The text in the language of whoever asks."""
    language = current.get().language
    return text if language == "en" else translate(text, language)


def tell(said: Sentence | int | float) -> str:
    """A sentence of the domain in the language of whoever asks, with what stands in it; plain words as they are."""
    if isinstance(said, Said):
        return said.fill(_(said.template), tell)
    return said if isinstance(said, str) else fmt.number(said)


def ngettext(one: str, many: str, n: int) -> str:
    language = current.get().language
    if language == PSEUDO:
        return pseudo(one if n == 1 else many)
    return catalog(language).ngettext(one, many, n)


def translate(text: str, language: str) -> str:
    return pseudo(text) if language == PSEUDO else catalog(language).gettext(text)


@lru_cache(maxsize=32)
def catalog(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, FOLDER, [language.replace("-", "_")], fallback=True)


def pseudo(text: str) -> str:
    """English made unlike English and a third longer: text that did not go through `_()` shows, and so does a box that
    is too small. Placeholders stay."""
    parts = []
    for index, part in enumerate(_split_placeholders(text)):
        parts.append(part if index % 2 else part.translate(ACCENTS))
    return "[" + "".join(parts) + "·" * (len(text) // 3) + "]"


def _split_placeholders(text: str) -> list[str]:
    """Text and `{name}` or `%(name)s` in turn, text first."""
    return re.split(r"(\{[^{}]*\}|%\([^)]*\)[a-z]|%%)", text)


@lru_cache(maxsize=64)
def locale(language: str) -> Locale:
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def direction(language: str) -> str:
    """'rtl' or 'ltr', for the page's `dir`."""
    return "rtl" if locale(language).text_direction == "rtl" else "ltr"


def language_names() -> list[tuple[str, str]]:
    """(code, name in its own language) of what a person can choose."""
    return [(code, (locale(code).get_display_name(code) or code).capitalize()) for code in LANGUAGES]


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """IANA zones a person can choose, by region."""
    regions = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return ("UTC", *sorted(name for name in available_timezones() if name.startswith(regions)))


class Format:
    """Dates, times, durations and numbers for a person. One instance, `fmt`; the language and zone are the asker's."""

    def moment(self, ms: int) -> datetime:
        return datetime.fromtimestamp(ms / 1000, zone(current.get().zone))

    def time(self, ms: int) -> str:
        """14:32, in every language."""
        return self.moment(ms).strftime("%H:%M")

    def date(self, ms: int) -> str:
        """23 Nov 2026, as the language writes it."""
        return dates.format_date(self.moment(ms), "medium", locale=locale(current.get().language))

    def day_of_month(self, ms: int) -> str:
        """23 Nov, as the language writes it."""
        return dates.format_skeleton("MMMd", self.moment(ms), locale=locale(current.get().language))

    def day(self, ms: int, now: int) -> str:
        """Today, Yesterday, the weekday within a week, else the date."""
        then, today = self.moment(ms).date(), self.moment(now).date()
        days = (today - then).days
        if days in (0, 1):
            return _("Yesterday") if days else _("Today")
        if 1 < days < 7:
            return dates.format_date(then, "EEEE", locale=locale(current.get().language))
        return self.date(ms)

    def weekdays(self) -> list[str]:
        """Monday to Sunday."""
        names = dates.get_day_names("wide", "stand-alone", locale(current.get().language))
        return [str(names[day]).capitalize() for day in range(7)]

    def short(self, ms: int, now: int) -> str:
        """The time today, else the day: for lists."""
        same = self.moment(ms).date() == self.moment(now).date()
        return self.time(ms) if same else self.day(ms, now)

    def datetime(self, ms: int) -> str:
        return f"{self.date(ms)} {self.time(ms)}"

    def iso(self, ms: int) -> str:
        """For `<time datetime=…>`."""
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    def duration(self, ms: int) -> str:
        """14 min, 2 h 5 min, 3 d, 0.3 s: the two largest units that matter."""
        seconds = max(0, ms) / 1000
        if seconds < 59.5:
            return _("{n} s").format(n=self.number(round(seconds, 1) if seconds < 9.95 else round(seconds)))
        hours, minutes = divmod(round(seconds / 60), 60)
        if not hours:
            return _("{n} min").format(n=minutes)
        if hours >= 24:
            return _("{n} d").format(n=hours // 24)
        said = _("{n} h").format(n=hours)
        return f"{said} " + _("{n} min").format(n=minutes) if minutes else said

    def clock(self, ms: int) -> str:
        """How long a recording is, as players write it: 0:07, 1:02:03."""
        minutes, seconds = divmod(round(ms / 1000), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

    def number(self, value: float) -> str:
        return numbers.format_decimal(value, locale=locale(current.get().language))

    def percent(self, part: float) -> str:
        """0.81 as 81 %."""
        return f"{self.number(round(part * 100))} %"

    def size(self, count: int) -> str:
        """Bytes as 412 MB."""
        for unit, power in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
            if count >= power:
                value = count / power
                return f"{self.number(round(value, 1 if value < 10 else 0))} {unit}"
        return f"{count} B"


fmt: Final = Format()
