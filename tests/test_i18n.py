"""The interface's language: source, pseudo-language, dates and numbers as a person writes them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import i18n
from app.i18n import _, fmt, ngettext, speak

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOON = 1_790_000_000_000  # 2026-09-21 14:13:20 UTC


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    token = i18n.current.set(i18n.ENGLISH)
    yield
    i18n.current.reset(token)


def test_english_is_the_source_and_what_other_languages_fall_back_to() -> None:
    assert _("Log in") == "Log in"
    speak("pt", "")
    assert _("Log in") == "Log in"


def test_the_pseudo_language_changes_text_and_keeps_placeholders() -> None:
    speak("xx", "")
    said = _("Log in to {business}")
    assert (
        said.startswith("[") and "{business}" in said and "Log" not in said and len(said) > len("Log in to {business}")
    )
    assert "{n}" in ngettext("{n} try left", "{n} tries left", 2)


def test_times_are_the_persons_own() -> None:
    assert fmt.time(NOON) == "14:13"
    speak("pt", "America/Sao_Paulo")
    assert fmt.time(NOON) == "11:13" and fmt.date(NOON) == "21 de set. de 2026"
    speak("en", "Asia/Kolkata")
    assert fmt.datetime(NOON) == "Sep 21, 2026 19:43" and fmt.iso(NOON) == "2026-09-21T14:13:20Z"


def test_an_unknown_zone_or_language_is_utc_and_english() -> None:
    speak("qq", "Mars/Olympus")
    assert (fmt.time(NOON), fmt.number(1234.5)) == ("14:13", "1,234.5")


@pytest.mark.parametrize(
    ("ago", "said"), [(0, "Today"), (DAY, "Yesterday"), (3 * DAY, "Friday"), (8 * DAY, "Sep 13, 2026")]
)
def test_days_are_named_while_they_are_near(ago: int, said: str) -> None:
    assert fmt.day(NOON - ago, NOON) == said


def test_the_day_ends_at_the_persons_midnight() -> None:
    speak("en", "America/Sao_Paulo")
    before_midnight = NOON - 12 * HOUR
    assert fmt.day(before_midnight, NOON) == "Yesterday" and fmt.short(before_midnight, NOON) == "Yesterday"
    assert fmt.short(NOON - HOUR, NOON) == "10:13"


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (300, "0.3 s"),
        (12_000, "12 s"),
        (14 * MINUTE, "14 min"),
        (HOUR, "1 h"),
        (2 * HOUR + 5 * MINUTE, "2 h 5 min"),
        (3 * DAY + HOUR, "3 d"),
        (59_700, "1 min"),
        (59 * MINUTE + 45_000, "1 h"),
        (-5, "0 s"),
    ],
)
def test_durations_are_short(ms: int, said: str) -> None:
    assert fmt.duration(ms) == said


def test_numbers_follow_the_language() -> None:
    speak("de", "")
    assert (fmt.number(1234567), fmt.percent(0.813), fmt.size(412_000_000)) == ("1.234.567", "81 %", "412 MB")


def test_every_language_offered_has_dates_and_a_direction() -> None:
    for code, name in i18n.language_names():
        speak(code, "UTC")
        assert name and fmt.date(NOON) and i18n.direction(code) in ("ltr", "rtl")
    assert i18n.direction("ar") == "rtl" and "America/Sao_Paulo" in i18n.zone_names()


def test_every_catalog_is_complete_in_its_placeholders() -> None:
    for path in Path(i18n.FOLDER).glob("*/LC_MESSAGES/*.mo"):
        found = i18n.catalog(path.parts[-3])
        for source, target in vars(found)["_catalog"].items():
            if source and isinstance(source, str):
                assert set(re.findall(r"\{\w*\}", source)) == set(re.findall(r"\{\w*\}", target)), (path, source)
