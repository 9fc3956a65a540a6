"""How a person would send: never at once, not too many, not on and on to one who answers as fast. Contract §5.3.

Times are seconds of the event loop's clock.
"""

import random
from collections import OrderedDict, deque
from typing import Final

GAP: Final = 1.5
JITTER: Final = 1.0
A_MINUTE: Final = 20
AN_HOUR: Final = 200
TO_ONE: Final = 5  # messages to one person…
TO_ONE_IN: Final = 30.0  # …in as many seconds: more is two bots that answer each other
PEOPLE_KEPT: Final = 1000
LETTERS_A_SECOND: Final = 25
LEAST_TYPING, MOST_TYPING = 1.0, 4.0


class Pacing:
    """What one account has sent lately. `hurried` leaves the budgets out: for a fake server only."""

    def __init__(self, *, hurried: bool = False) -> None:
        self._hurried = hurried
        self._sent: deque[float] = deque(maxlen=AN_HOUR)
        self._people: OrderedDict[str, deque[float]] = OrderedDict()

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
        return (
            0.0
            if self._hurried
            else max(self._wait(self._sent, A_MINUTE, 60, now), self._wait(self._sent, AN_HOUR, 3600, now))
        )

    def looping(self, person: str, now: float) -> float:
        """Seconds until this person may be written to again; 0 for now."""
        return 0.0 if self._hurried else self._wait(self._people.get(person, deque()), TO_ONE, TO_ONE_IN, now)

    def sent(self, person: str, now: float) -> None:
        self._sent.append(now)
        self._people.setdefault(person, deque(maxlen=TO_ONE)).append(now)
        self._people.move_to_end(person)
        if len(self._people) > PEOPLE_KEPT:
            self._people.popitem(last=False)

    @staticmethod
    def _wait(times: deque[float], most: int, span: float, now: float) -> float:
        return max(0.0, times[-most] + span - now) if len(times) >= most else 0.0
