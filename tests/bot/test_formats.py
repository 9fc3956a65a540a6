"""Dates, times, numbers, money and telephone numbers, as a language writes them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bot.formats import NEUTRAL, speech
from app.bot.phones import CODES, PLANS, written
from app.bot.text import compile_text
from app.bot.values import Room

MOMENT = 1_790_000_000_000  # 2026-09-21 14:13:20 UTC
NAMES = {"moment": MOMENT, "n": 1234567.5, "whole": 1234, "word": "bread", "zero": 0, "many": [1, 2]}


def show(source: str, language: str = "", zone: str = "") -> str:
    return compile_text(source).render(Room(NAMES, speech(language, zone)))


@pytest.mark.parametrize(
    ("source", "plain", "english", "brazilian", "german"),
    [
        ("{{ moment | date }}", "2026-09-21", "Sep 21, 2026", "21 de set. de 2026", "21.09.2026"),
        ("{{ moment | date('short') }}", "2026-09-21", "9/21/26", "21/09/2026", "21.09.26"),
        ("{{ moment | date('iso') }}", "2026-09-21", "2026-09-21", "2026-09-21", "2026-09-21"),
        ("{{ moment | date('full') }}", "2026-09-21", "Monday, September 21, 2026",
         "segunda-feira, 21 de setembro de 2026", "Montag, 21. September 2026"),
        ("{{ '2026-09-21' | date('long') }}", "2026-09-21", "September 21, 2026", "21 de setembro de 2026",
         "21. September 2026"),
        ("{{ moment | time }}", "14:13", "2:13 PM", "14:13", "14:13"),
        ("{{ moment | time('medium') }}", "14:13", "2:13:20 PM", "14:13:20", "14:13:20"),
        ("{{ '09:05' | time }}", "09:05", "9:05 AM", "09:05", "09:05"),
        ("{{ '2026-09-21T23:30' | time('iso') }}", "23:30", "23:30", "23:30", "23:30"),
        ("{{ n | number }}", "1,234,567.5", "1,234,567.5", "1.234.567,5", "1.234.567,5"),
        ("{{ n | number(2) }}", "1,234,567.50", "1,234,567.50", "1.234.567,50", "1.234.567,50"),
        ("{{ whole | number }} {{ zero | number }}", "1,234 0", "1,234 0", "1.234 0", "1.234 0"),
        ("{{ n | money('BRL') }}", "BRL 1,234,567.50", "R$1,234,567.50", "R$ 1.234.567,50", "1.234.567,50 R$"),
        ("{{ whole | money('jpy') }}", "JPY 1,234.00", "¥1,234", "JP¥ 1.234", "1.234 ¥"),
        ("{{ whole | money('XQZ') }}", "XQZ 1,234.00", "XQZ1,234.00", "XQZ 1.234,00", "1.234,00 XQZ"),
    ],
)  # fmt: skip
def test_each_language_writes_in_its_own_way(
    source: str, plain: str, english: str, brazilian: str, german: str
) -> None:
    shown = [show(source, language) for language in ("", "en-US", "pt-BR", "de")]
    assert shown == [plain, english, brazilian, german]


def test_days_and_times_are_those_of_the_zone() -> None:
    assert show("{{ moment | date('iso') }} {{ moment | time }}", "de", "Asia/Tokyo") == "2026-09-21 23:13"
    assert show("{{ moment | date }} {{ moment | time }}", "", "Pacific/Kiritimati") == "2026-09-22 04:13"
    assert show("{{ '2026-09-21 14:30' | time }}", "de", "Asia/Tokyo") == "14:30"


@pytest.mark.parametrize("what", ["date", "time", "number", "money('EUR')", "phone"])
def test_what_is_no_such_thing_stays_as_it_is(what: str) -> None:
    assert show(f"{{{{ word | {what} }}}}", "en") == "bread"
    assert what == "phone" or show(f"{{{{ '2026-02-30' | {what} }}}}", "en") == "2026-02-30"
    assert show(f"{{{{ nobody | {what} }}}}", "en") == ""


def test_a_currency_that_is_none_is_told() -> None:
    room = Room(NAMES, speech("en", ""))
    assert compile_text("{{ whole | money('R$') }}").render(room) == "1,234.00"
    assert room.problems == ["“R$” is no currency; use its three letters, like EUR"]


@pytest.mark.parametrize(
    ("phone", "territory", "shown"),
    [
        ("5581999990000", "", "+55 81 99999-0000"),
        ("+55 (81) 99999-0000", "BR", "(81) 99999-0000"),
        ("558133330000", "BR", "(81) 3333-0000"),
        ("5581999990000", "PT", "+55 81 99999-0000"),
        ("12125550100", "CA", "(212) 555-0100"),
        ("33123456789", "FR", "01 23 45 67 89"),
        ("447911123456", "", "+44 7911 123456"),
        ("5215512345678", "", "+52 1 55 1234 5678"),
        ("5215512345678", "MX", "55 1234 5678"),
        ("4915112345678", "", "+49 151 12345678"),
        ("37061234567", "", "+370 612 345 67"),
        ("491", "", "491"),
        ("call me", "", "call me"),
        ("", "", ""),
    ],
)
def test_telephone_numbers_are_grouped(phone: str, territory: str, shown: str) -> None:
    assert written(phone, territory) == shown


def test_no_two_plans_are_mixed_up() -> None:
    shared = [plan.code for plan in PLANS.values()]
    assert {code for code in CODES if shared.count(code) > 1} == {"1"}
    assert not [code for code in CODES for other in CODES if code != other and other.startswith(code)]


@given(st.text("0123456789+ ()-", max_size=24), st.sampled_from(["", *PLANS]))
def test_no_digit_of_a_number_abroad_is_lost(phone: str, territory: str) -> None:
    digits = "".join(sign for sign in phone if sign.isdigit())
    shown = written(phone, "")
    assert "".join(sign for sign in shown if sign.isdigit()) == digits
    assert sum(sign.isdigit() for sign in written(phone, territory)) >= len(digits) - 4


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.just([1])


@settings(deadline=None)  # a language is loaded the first time
@given(values, values, st.sampled_from(["", "en", "pt-BR", "ar", "hi", "fa", "tlh"]))
def test_no_value_makes_a_format_raise(value: object, style: object, language: str) -> None:
    room = Room({"v": value, "s": style}, speech(language, "America/Sao_Paulo"))
    for source in ("date", "date(s)", "time(s)", "number(s)", "number", "money(s)", "phone", "money('USD')"):
        assert len(compile_text(f"{{{{ v | {source} }}}}").render(room)) < 100


def test_a_language_nobody_knows_is_none_in_particular() -> None:
    assert speech("tlh", "") == NEUTRAL
