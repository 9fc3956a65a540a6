"""How a person would send: never at once, not too many, not on and on to one who answers as fast. Contract §5.3.

A new link, and one that WhatsApp closed for a while, sends less: its budgets grow over a week. Who never wrote is
written to seldom, and never with the words that others got. Times are seconds of the event loop's clock.
"""

import random
from collections import OrderedDict, deque
from typing import Final

from app.connectors.abilities import Allowance, Past

GAP: Final = 1.5
JITTER: Final = 1.0
A_MINUTE: Final = 20
AN_HOUR: Final = 200
A_DAY: Final = 1000
OPENED_A_DAY: Final = 10  # people who never wrote
SAME_AN_HOUR: Final = 5  # of them who get the same words
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
WARM_UP: Final = ((1, 0.1), (3, 0.25), (7, 0.5))  # until so many days after the link, so much of the budgets
PROBATION: Final = DAY  # after WhatsApp let a closed number in again: half
TO_ONE: Final = 5  # messages to one person…
TO_ONE_IN: Final = 30.0  # …in as many seconds: more is two bots that answer each other
PEOPLE_KEPT: Final = 1000
LETTERS_A_SECOND: Final = 25
LEAST_TYPING, MOST_TYPING = 1.0, 4.0


class Pacing:
    """What one account has sent lately. `hurried` leaves the budgets out: for a fake server only."""

    def __init__(self, *, a_day: int = A_DAY, an_hour: int = AN_HOUR, hurried: bool = False) -> None:
        self._a_day, self._an_hour = a_day, an_hour
        self._hurried = hurried
        self._sent: deque[float] = deque(maxlen=a_day)
        self._opened: deque[float] = deque(maxlen=OPENED_A_DAY)
        self._words: dict[str, deque[float]] = {}
        self._people: OrderedDict[str, deque[float]] = OrderedDict()
        self._linked_at = self._closed_until = float("-inf")

    def recall(self, past: Past, wall: int, now: float) -> None:
        """What was before this process. `wall`: the time now in ms UTC, as the times of `past` are."""

        def moment(at: int) -> float:
            return now - (wall - at) / 1000

        self._sent.extend(moment(at) for at in past.sent)
        self._opened.extend(moment(at) for at in past.opened)
        if past.linked_at:
            self._linked_at = moment(past.linked_at)
        if past.closed_until:
            self._closed_until = moment(past.closed_until)

    def linked(self, now: float) -> None:
        """A phone was linked just now."""
        self._linked_at = now

    def share(self, now: float) -> float:
        """How much of the budgets there is, 1 for all."""
        days = (now - self._linked_at) / DAY
        warm = next((share for until, share in WARM_UP if days < until), 1.0)
        return min(warm, 0.5) if now < self._closed_until + PROBATION else warm

    def allowance(self, now: float) -> Allowance:
        """What is used of the budgets of the day and the hour."""
        share = self.share(now)
        day, hour = (sum(at > now - span for at in self._sent) for span in (DAY, HOUR))
        return Allowance(day, _part(self._a_day, share), hour, _part(self._an_hour, share))

    # ---- when ------------------------------------------------------------------------------------------------------

    def typing(self, letters: int) -> float:
        """Seconds for which "typing" is shown before a message of this length."""
        if self._hurried:
            return 0.0
        return min(MOST_TYPING, max(LEAST_TYPING, letters / LETTERS_A_SECOND))

    def gap(self, now: float) -> float:
        """Seconds until the next message may go at the earliest."""
        if self._hurried or not self._sent:
            return 0.0
        return max(0.0, self._sent[-1] + GAP + random.uniform(0, JITTER) - now)

    def full(self, now: float) -> float:
        """Seconds until a budget of the account has room; 0 if it has."""
        if self._hurried:
            return 0.0
        share = self.share(now)
        budgets = (A_MINUTE, MINUTE), (_part(self._an_hour, share), HOUR), (_part(self._a_day, share), DAY)
        return max(_wait(self._sent, most, span, now) for most, span in budgets)

    def looping(self, person: str, now: float) -> float:
        """Seconds until this person may be written to again; 0 for now."""
        return 0.0 if self._hurried else _wait(self._people.get(person, deque()), TO_ONE, TO_ONE_IN, now)

    def opening(self, words: str, now: float) -> float:
        """Seconds until somebody who never wrote may get these words; 0 for now."""
        if self._hurried:
            return 0.0
        most = _part(OPENED_A_DAY, self.share(now))
        return max(_wait(self._opened, most, DAY, now), _wait(self._words.get(words, deque()), SAME_AN_HOUR, HOUR, now))

    # ---- what was sent ---------------------------------------------------------------------------------------------

    def sent(self, person: str, now: float) -> None:
        self._sent.append(now)
        self._people.setdefault(person, deque(maxlen=TO_ONE)).append(now)
        self._people.move_to_end(person)
        if len(self._people) > PEOPLE_KEPT:
            self._people.popitem(last=False)

    def opened(self, words: str, now: float) -> None:
        """Somebody who never wrote was written to."""
        self._opened.append(now)
        self._words = {text: times for text, times in self._words.items() if times[-1] > now - HOUR}
        self._words.setdefault(words, deque(maxlen=SAME_AN_HOUR)).append(now)


def _part(budget: int, share: float) -> int:
    return max(1, round(budget * share))


def _wait(times: deque[float], most: int, span: float, now: float) -> float:
    return max(0.0, times[-most] + span - now) if len(times) >= most else 0.0
