"""How a linked phone sends: never faster than a person. Contract §5.3."""

import pytest

from app.connectors.abilities import Past
from app.connectors.whatsapp_web.pacing import (
    A_DAY,
    A_MINUTE,
    AN_HOUR,
    GAP,
    JITTER,
    OPENED_A_DAY,
    SAME_AN_HOUR,
    TO_ONE,
    TO_ONE_IN,
    Pacing,
)
from app.connectors.whatsapp_web.vcard import read_card, write_card
from app.content import Card


@pytest.mark.parametrize(("letters", "seconds"), [(0, 1.0), (10, 1.0), (50, 2.0), (4096, 4.0)])
def test_typing_lasts_as_long_as_the_text(letters: int, seconds: float) -> None:
    assert Pacing().typing(letters) == seconds


def test_messages_have_a_gap_that_is_never_the_same() -> None:
    pacing = Pacing()
    assert pacing.gap(0) == 0
    pacing.sent("a", 100)
    gaps = [pacing.gap(100) for _ in range(50)]
    assert all(GAP <= gap <= GAP + JITTER for gap in gaps) and len(set(gaps)) > 10
    assert pacing.gap(103) == 0


def test_a_minute_and_an_hour_have_a_budget() -> None:
    pacing = Pacing()
    for number in range(A_MINUTE):
        assert pacing.full(number) == 0
        pacing.sent(str(number), number)
    assert pacing.full(A_MINUTE) == 60 - A_MINUTE
    assert pacing.full(60) == 0
    hourly = Pacing()
    for number in range(AN_HOUR):
        hourly.sent(str(number), number * 4.0)
    assert hourly.full(AN_HOUR * 4.0) == 3600 - AN_HOUR * 4.0


HOUR, DAY = 3600.0, 86_400.0


def test_day_has_a_budget_that_survives_a_restart() -> None:
    pacing, wall = Pacing(a_day=100), 1_000_000_000
    pacing.recall(Past(sent=tuple(wall - 7_200_000 - 1000 * n for n in range(100, 0, -1))), wall, 50.0)
    used = pacing.allowance(50.0)
    assert (used.sent_in_a_day, used.a_day, used.sent_in_an_hour, used.an_hour) == (100, 100, 0, AN_HOUR)
    # The oldest of the hundred was sent two hours and 100 s ago.
    assert pacing.full(50.0) == pytest.approx(DAY - 2 * HOUR - 100)


def test_new_link_grows_into_its_budgets_and_a_closed_number_goes_at_half() -> None:
    pacing = Pacing()
    pacing.linked(0.0)
    days = [pacing.allowance(day * DAY).a_day for day in (0, 2, 5, 8)]
    assert days == [A_DAY / 10, A_DAY / 4, A_DAY / 2, A_DAY]
    pacing.recall(Past(closed_until=1000), 0, 20 * DAY)
    assert pacing.share(20 * DAY + 2) == 0.5 and pacing.share(21 * DAY + 2) == 1.0
    again = Pacing()
    again.recall(Past(linked_at=1), 1000 * 3600, 0.0)
    assert again.allowance(0.0).an_hour == AN_HOUR / 10


def test_few_strangers_are_written_to_and_fewer_with_the_same_words() -> None:
    pacing = Pacing()
    for number in range(SAME_AN_HOUR):
        assert pacing.opening("offer", number) == 0
        pacing.opened("offer", number)
    assert pacing.opening("offer", 10) == HOUR - 10 and pacing.opening("other", 10) == 0
    for number in range(SAME_AN_HOUR, OPENED_A_DAY):
        pacing.opened(str(number), number)
    assert pacing.opening("yet another", 10) == DAY - 10


def test_two_bots_do_not_go_on_for_ever() -> None:
    pacing = Pacing()
    for number in range(TO_ONE):
        assert pacing.looping("a", number) == 0
        pacing.sent("a", number)
    assert pacing.looping("a", TO_ONE) == TO_ONE_IN - TO_ONE
    assert pacing.looping("b", TO_ONE) == 0
    assert pacing.looping("a", TO_ONE_IN) == 0


def test_a_fake_on_this_machine_is_not_waited_for() -> None:
    pacing = Pacing(hurried=True)
    for _ in range(AN_HOUR):
        pacing.sent("a", 0)
    assert (pacing.typing(100), pacing.gap(0), pacing.full(0), pacing.looping("a", 0)) == (0, 0, 0, 0)
    assert pacing.opening("a", 0) == 0


def test_card_is_written_and_read_again() -> None:
    card = Card("Ann; B, C\\D", (("+49 30 1234567", "WORK"),), (("a@x.org", "INTERNET"),), {"org": {"company": "X, Y"}})
    assert read_card("", write_card(card)) == card
    assert read_card("", "garbage\nTEL:5\r\nEMAIL;TYPE=x:y") == Card("5", (("5", ""),), (("y", "X"),))
