"""Who writes when: a month of visits up to now, drawn from a seed. Pure; times are ms UTC."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from app.demo.chats import Chat
from app.demo.people import PEOPLE, Person

DAYS: Final = 30
MINUTE: Final = 60_000
HOUR: Final = 3_600_000
A_DAY: Final = 8.0  # visits on a common day at the end of the month
WEEK: Final = (1.0, 0.9, 1.0, 1.1, 1.4, 1.5, 0.3)  # Monday first
BEGUN: Final = 0.55  # how busy the month began, beside its end
APART: Final = 5 * HOUR  # between two visits of one person

# How a visit stands now: over; a person is waited for; or somebody of the team is in the middle of it.
End = Literal["over", "waiting", "taken"]
# The last hours, whatever the time of day: minutes ago, how it stands, whether the team is needed in it, and what
# became of the team's last message.
LATELY: Final[tuple[tuple[float, End, bool, str], ...]] = (
    (172, "over", False, ""), (141, "waiting", True, ""), (118, "over", True, "failed"), (83, "taken", True, "held"),
    (61, "over", False, ""), (47, "waiting", True, ""), (34, "over", False, ""), (26, "taken", True, ""),
    (12, "waiting", True, ""), (7, "over", False, ""), (3, "over", False, ""),
)  # fmt: skip


class Visit(msgspec.Struct, frozen=True):
    """Somebody writes at `at` and says what stands in `chat`."""

    at: int
    person: Person
    chat: Chat
    end: End = "over"
    trouble: str = ""


class Slot(msgspec.Struct, frozen=True):
    """A moment at which somebody writes. `team`: whether the chat needs somebody of the team; None leaves it open."""

    at: int
    end: End = "over"
    team: bool | None = None
    trouble: str = ""


def plan(seed: str, chats: Sequence[Chat], now: int, zone: str) -> list[Visit]:
    """By time. The same seed, chats, time and zone make the same month."""
    draw = random.Random(seed)
    visits: list[Visit] = []
    last: dict[Person, int] = {}
    for slot in [*moments(draw, now, zone), *lately(now)]:
        fitting = [chat for chat in chats if slot.team is None or chat.needs_team == slot.team]
        chat = draw.choices(fitting, [chat.weight for chat in fitting])[0]
        free = [one for one in PEOPLE if one.language == chat.language and slot.at - last.get(one, 0) > APART]
        if free:
            person = draw.choice(free)
            last[person] = slot.at
            visits.append(Visit(slot.at, person, chat, slot.end, slot.trouble))
    return visits


def moments(draw: random.Random, now: int, zone: str) -> list[Slot]:
    """When people wrote, up to three hours ago: more on busy weekdays and towards the end, mostly around eleven."""
    today = datetime.fromtimestamp(now / 1000, ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[int] = []
    for ago in range(DAYS, -1, -1):
        day = today - timedelta(days=ago)
        busy = WEEK[day.weekday()] * (BEGUN + (1 - BEGUN) * (DAYS - ago) / DAYS)
        for _ in range(round(A_DAY * busy * draw.uniform(0.8, 1.2))):
            found.append(int((day.timestamp() + draw.triangular(7.0, 20.5, 11.0) * 3600) * 1000))
    return [Slot(at) for at in sorted(found) if at < now - 3 * HOUR]


def lately(now: int) -> list[Slot]:
    return [Slot(now - int(minutes * MINUTE), end, team, trouble) for minutes, end, team, trouble in LATELY]
