"""Days and times in words: what each language understands, and that no text is too odd."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bot.dates import read_date, read_moment, read_time
from app.bot.datewords import WORDS
from app.bot.document import compile_version
from app.bot.values import MISSING
from tests.bot.turns import NOW
from tests.bot.world import World

MONDAY = datetime(2026, 9, 21, 11, 13, tzinfo=ZoneInfo("America/Sao_Paulo"))
DAYS = {
    "en": {
        "Tomorrow!": "2026-09-22", "next friday": "2026-09-25", "on monday": "2026-09-28", "in two days": "2026-09-23",
        "the day after tomorrow please": "2026-09-23", "next week": "2026-09-28", "in a month": "2026-10-21",
        "24th of december": "2026-12-24", "December 24, 2027": "2027-12-24", "the 24th": "2026-09-24",
        "the 1st": "2026-10-01", "2026-10-03": "2026-10-03", "12/05": "2026-12-05", "25/12": "2026-12-25",
        "12/5/27": "2027-12-05", "Friday 9 October": "2026-10-09", "today": "2026-09-21", "yesterday": "2026-09-20",
        "september 21": "2026-09-21", "march 1": "2027-03-01", "29 february": "2028-02-29",
        "thursday 9 october": None, "today or tomorrow": None, "tomorrow or friday": None, "31/02": None,
        "february 30": None, "I do not know": None, "may be": None, "": None, "for 4 people": None,
    },
    "en-GB": {"12/05": "2027-05-12", "12/05/2027": "2027-05-12"},
    "pt": {
        "amanhã": "2026-09-22", "sexta-feira": "2026-09-25", "próxima sexta": "2026-09-25", "hoje": "2026-09-21",
        "daqui a dois dias": "2026-09-23", "24 de dezembro": "2026-12-24", "dia 24": "2026-09-24",
        "dia 1º": "2026-10-01", "depois de amanhã": "2026-09-23", "semana que vem": "2026-09-28", "12/05": "2027-05-12",
        "quero ter um bolo": None,
    },
    "es": {
        "mañana": "2026-09-22", "pasado mañana": "2026-09-23", "el viernes": "2026-09-25", "el 24": "2026-09-24",
        "dentro de dos semanas": "2026-10-05", "3 de marzo de 2028": "2028-03-03", "martes": "2026-09-22",
    },
    "de": {
        "morgen": "2026-09-22", "Übermorgen": "2026-09-23", "24. Dezember": "2026-12-24", "am 24.": "2026-09-24",
        "nächsten Freitag": "2026-09-25", "in zwei Wochen": "2026-10-05", "12.05.": "2027-05-12",
        "12.5.2027": "2027-05-12", "3. März": "2027-03-03",
    },
    "fr": {
        "demain": "2026-09-22", "le 24": "2026-09-24", "vendredi prochain": "2026-09-25", "aujourd'hui": "2026-09-21",
    },
    "ja": {"tomorrow": "2026-09-22", "2026-10-03": "2026-10-03"},
}  # fmt: skip
TIMES = {
    "en": {
        "3pm": "15:00", "3 p.m.": "15:00", "3:30 pm": "15:30", "15": "15:00", "at 3": "03:00",
        "half past three": "03:30", "noon": "12:00", "12 am": "00:00", "12:15 pm": "12:15",
        "at three in the afternoon": "15:00",
        "in 2 hours": "13:13", "in 30 minutes": "11:43", "table for 4 at 19:30": "19:30",
        "2 people": None, "25:00": None, "10:60": None, "3pm or 4pm": None, "lots": None, "": None,
    },
    "pt": {
        "15h": "15:00", "15h30": "15:30", "às 3 da tarde": "15:00", "três e meia": "03:30", "meio-dia": "12:00",
        "10 da manhã": "10:00", "às duas horas": "02:00", "em duas horas": "13:13", "8 da noite": "20:00",
    },
    "es": {
        "a las 3 de la tarde": "15:00", "10 de la mañana": "10:00", "mediodía": "12:00", "tres y media": "03:30",
        "a las 20:00": "20:00",
    },
    "de": {
        "15 Uhr": "15:00", "15.30 Uhr": "15:30", "halb vier": "03:30", "um 3 nachmittags": "15:00", "mittags": "12:00",
        "10 Uhr morgens": "10:00",
    },
    "fr": {"15h": "15:00", "3 heures et demie": "03:30", "midi": "12:00", "dans deux heures": "13:13"},
}  # fmt: skip
MOMENTS = {
    "en": {
        "tomorrow at 3pm": "2026-09-22 15:00", "3pm": "2026-09-21 15:00", "10am": "2026-09-22 10:00",
        "friday 15:00": "2026-09-25 15:00", "24 december at 8": "2026-12-24 08:00", "12/24 8pm": "2026-12-24 20:00",
        "2026-12-24 09:00": "2026-12-24 09:00", "next friday at noon": "2026-09-25 12:00",
        "tomorrow 15": "2026-09-22 15:00", "in 90 minutes": "2026-09-21 12:43",
        "the 24th at 3 o'clock": "2026-09-24 03:00", "in 14 hours": "2026-09-22 01:13",
        "tomorrow": None, "friday or saturday at 3": None, "31/02 at 3pm": None, "": None,
    },
    "pt": {
        "amanhã às 15h": "2026-09-22 15:00", "sexta às 3 da tarde": "2026-09-25 15:00",
        "12/05 às 10:30": "2027-05-12 10:30", "amanhã de manhã às 9": "2026-09-22 09:00",
    },
    "es": {"mañana a las 10 de la mañana": "2026-09-22 10:00", "el viernes a las 20:00": "2026-09-25 20:00"},
    "de": {
        "morgen um 15 Uhr": "2026-09-22 15:00", "am 24. um halb vier": "2026-09-24 03:30",
        "24.12. 15:30": "2026-12-24 15:30", "24.12.2026 um 9": "2026-12-24 09:00",
    },
    "fr": {"demain à 15h": "2026-09-22 15:00", "dans deux heures": "2026-09-21 13:13"},
}  # fmt: skip


def cases(table: dict[str, dict[str, str | None]]) -> list[tuple[str, str, str | None]]:
    return [(language, text, value) for language, texts in table.items() for text, value in texts.items()]


@pytest.mark.parametrize(("language", "text", "value"), cases(DAYS))
def test_a_day(language: str, text: str, value: str | None) -> None:
    assert read_date(text, MONDAY, language) == (MISSING if value is None else value)


@pytest.mark.parametrize(("language", "text", "value"), cases(TIMES))
def test_a_time(language: str, text: str, value: str | None) -> None:
    assert read_time(text, MONDAY, language) == (MISSING if value is None else value)


@pytest.mark.parametrize(("language", "text", "value"), cases(MOMENTS))
def test_a_day_and_time(language: str, text: str, value: str | None) -> None:
    assert read_moment(text, MONDAY, language) == (MISSING if value is None else value)


def test_hours_ahead_follow_a_clock_that_is_set_forward() -> None:
    evening = datetime(2026, 3, 28, 23, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    assert read_moment("in 4 hours", evening, "en") == "2026-03-29 04:00"


def test_the_end_of_a_month() -> None:
    january = datetime(2027, 1, 31, 12, tzinfo=ZoneInfo("UTC"))
    assert read_date("in a month", january, "en") == "2027-02-28"
    assert read_date("the 31st", january, "en") == "2027-01-31" and read_date("the 30th", january, "en") == "2027-03-30"
    assert read_date("in 9999 months", january, "en") == "2860-04-30"


pieces = st.sampled_from(
    "the 31st of february 24 12/05 31.12. 9999 0 at 3 pm half in two hours months next week friday noon 2026-13-40 "
    "99:99 25h 12.30 uhr am 00 -1 ٣ 菜 \x00 9999-12-31 years ago 0000-00-00".split(" ")
)


@settings(deadline=None)
@given(st.lists(pieces, max_size=8).map(" ".join) | st.text(max_size=60), st.sampled_from([*WORDS, ""]))
def test_any_text_gives_a_time_or_none(text: str, language: str) -> None:
    for read, form in (
        (read_date, r"\d{4}-\d\d-\d\d"),
        (read_time, r"\d\d:\d\d"),
        (read_moment, r"\d{4}-\d\d-\d\d \d\d:\d\d"),
    ):
        value = read(text, MONDAY, language)
        assert value is MISSING or re.fullmatch(form, value), (value, text)


def test_every_language_names_every_day_month_and_unit() -> None:
    for language, known in WORDS.items():
        assert (len(known.days), len(known.months)) == (7, 12), language
        assert set(known.units.values()) == {"minute", "hour", "day", "week", "month"}, language
        assert sorted(set(known.numbers.values())) == list(range(1, 13)), language


ASK = """\
bot: T
language: {}
hours: {{zone: America/Sao_Paulo}}
rules:
  - name: go
    when: {{says: go}}
    do: [{{ask: {{text: when?, expect: {}, save: when, retries: 9}}}}, {{say: "{{{{ when }}}}"}}]
"""


@pytest.mark.parametrize(
    ("language", "expect", "answers"),
    [
        ("en", "date", {"soon": "when?", "tomorrow": "2026-09-22"}),
        ("pt", "datetime", {"tomorrow": "when?", "amanhã às 15h": "2026-09-22 15:00"}),
        ("de", "time", {"15 Uhr": "15:00"}),
        ("en", "{date: {future: true}}", {"yesterday": "when?", "2020-01-01": "when?", "today": "2026-09-21"}),
        ("en", "{datetime: {future: true}}", {"today at 9": "when?", "today at noon": "2026-09-21 12:00"}),
    ],
)
def test_a_question_takes_them_in_the_bot_s_language_and_zone(
    language: str, expect: str, answers: dict[str, str]
) -> None:
    world = World(compile_version(ASK.format(language, expect)))
    assert NOW == 1_790_000_000_000, "11:13 in São Paulo"
    world.say("go")
    assert {answer: world.say(answer)[0] for answer in answers} == answers
