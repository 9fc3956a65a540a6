"""The installation as its people set it up: name, language, time zone, how old a message may be to be answered, how
long updates are kept as the networks sent them, and how long files are. A change holds from the next message on.
"""

from typing import TYPE_CHECKING, Final

import msgspec

from app.audit import entry, logged
from app.db import Tx
from app.errors import Invalid
from app.i18n import LANGUAGES, zone_names
from app.inbox import DAY
from app.said import N_, Sentence
from app.store import settings as store

if TYPE_CHECKING:
    from app.runtime import Runtime

BUSINESS: Final = 80
ANSWER_HOURS: Final = (1, 720)
RAW_DAYS: Final = (1, 365)
MEDIA_DAYS: Final = (0, 3650)


class Wanted(msgspec.Struct, frozen=True):
    """What the form says; None for a number that is none."""

    business: str
    language: str
    zone: str
    answer_hours: int | None
    raw_days: int | None
    media_days: int | None


async def change(rt: "Runtime", wanted: Wanted) -> None:
    """Check and keep all of it. Raises `Invalid` with a sentence for each field."""
    if wrong := faults(wanted):
        raise Invalid(N_("Nothing was saved yet: something is not right."), fields=wrong)
    kept = {name: str(value) for name, value in msgspec.structs.asdict(wanted).items()}
    await rt.db.write(logged, entry("settings.changed"), keep, kept)
    policy = await rt.db.read(store.load)
    answer_age, raw_age = policy.answer_hours * DAY // 24, policy.raw_days * DAY
    rt.channels.intake = msgspec.structs.replace(rt.channels.intake, answer_age=answer_age, raw_age=raw_age)


def keep(tx: Tx, values: dict[str, str]) -> None:
    store.save(tx, **values)


def faults(wanted: Wanted) -> dict[str, Sentence]:
    """What is wrong, by field."""
    checks = {
        "business": (0 < len(wanted.business) <= BUSINESS, N_("1 to {most} characters.", most=BUSINESS)),
        "language": (wanted.language in LANGUAGES, N_("Choose one of the list.")),
        "zone": (wanted.zone in zone_names(), N_("Choose one of the list.")),
        "answer_hours": within(wanted.answer_hours, ANSWER_HOURS),
        "raw_days": within(wanted.raw_days, RAW_DAYS),
        "media_days": within(wanted.media_days, MEDIA_DAYS),
    }
    return {name: sentence for name, (fine, sentence) in checks.items() if not fine}


def within(value: int | None, limits: tuple[int, int]) -> tuple[bool, Sentence]:
    low, high = limits
    return value is not None and low <= value <= high, N_("A whole number from {low} to {high}.", low=low, high=high)
