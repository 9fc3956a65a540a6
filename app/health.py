"""How well the account of a linked phone stands: what makes it likelier that the network closes it, and what to do.

No network publishes its thresholds; these are careful guesses, and the sentences say what they are about.
"""

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from app.connectors.abilities import Allowance, Paces, Past
from app.db import Reader
from app.said import N_, Sentence
from app.store import health as store
from app.store.overview import first_id

if TYPE_CHECKING:
    from app.runtime import Runtime

WHOLE: Final = 100
GOOD, FAIR = 80, 50
WARM_UP: Final = 7  # days
OFTEN: Final = 3  # links in a week


class Finding(msgspec.Struct, frozen=True):
    """What lowers the health by so many points, and what helps."""

    points: int
    said: Sentence
    remedy: Sentence


class Health(msgspec.Struct, frozen=True):
    """`score` from 0 to 100; `level` good, fair or poor; the findings that cost most come first."""

    score: int
    level: Literal["good", "fair", "poor"]
    findings: tuple[Finding, ...]
    allowance: Allowance


async def read_past(db: Reader, channel_id: int, now: int) -> Past:
    """What a session has to remember before it runs."""
    day = {"channel_id": channel_id, "first": first_id(now - store.DAY), "limit": store.SENT_AT_MOST}
    found = await db.all(store.EVENTS, channel_id=channel_id, since=0)
    linked = [at for code, at, _ in found if code == "web.linked"]
    closed = [until for code, _, until in found if code == "web.banned"]
    return Past(
        tuple(sorted(await db.all(store.SENT, **day))),
        tuple(sorted(await db.all(store.OPENED, **day))),
        linked[-1] if linked else 0,
        closed[-1] if closed else 0,
    )


async def of(rt: "Runtime", channel_id: int) -> Health | None:
    """None for a network that has no such trouble, or while nothing runs."""
    live = rt.channels.by_id.get(channel_id)
    if live is None or not isinstance(live.session, Paces):
        return None
    now = rt.clock.now()
    facts = await rt.db.read(store.read_facts, channel_id, now)
    return judge(facts, live.session.allowance(), live.opened.config.get("strangers") == "yes", now)


def judge(facts: store.Facts, allowance: Allowance, strangers: bool, now: int) -> Health:
    """Pure."""
    found = [finding for finding in _findings(facts, allowance, strangers, now) if finding.points]
    score = max(0, WHOLE - sum(finding.points for finding in found))
    return Health(
        score,
        "good" if score >= GOOD else "fair" if score >= FAIR else "poor",
        tuple(sorted(found, key=lambda one: -one.points)),
        allowance,
    )


def _findings(facts: store.Facts, allowance: Allowance, strangers: bool, now: int) -> list[Finding]:
    days = (now - facts.linked_at) // store.DAY if facts.linked_at else WARM_UP
    return [
        Finding(
            50 if facts.closed else 0,
            N_("Times that WhatsApp closed the number for a while in the last 30 days: {n}.", n=facts.closed),
            N_("Write only to people who expect it. For a day after it opens again Parley sends half as much."),
        ),
        Finding(
            15 if strangers else 0,
            N_("People who never wrote may be written to."),
            N_("Set “Write to people first” to no, and let people write first."),
        ),
        Finding(
            min(30, 5 * facts.silent),
            N_("People written to first who have not answered in a week: {n}.", n=facts.silent),
            N_("Do not write to them again. People who block or report the number weigh most."),
        ),
        Finding(
            min(20, 5 * facts.refused),
            N_(
                "Messages that WhatsApp did not take in a week, or numbers that it does not know: {n}.", n=facts.refused
            ),
            N_("Check the numbers that you write to."),
        ),
        Finding(
            15 if facts.links > OFTEN else 0,
            N_("The phone was linked {n} times in a week.", n=facts.links),
            N_("Keep one link; it survives restarts."),
        ),
        Finding(
            10 if days < WARM_UP else 0,
            N_("The link is new: {n} of 7 days old.", n=int(days)),
            N_("Nothing: the budgets grow by themselves. Let people write first."),
        ),
        Finding(
            10 if 5 * allowance.sent_in_a_day >= 4 * allowance.a_day else 0,
            N_("Most of the day's messages are used: {n} of {all}.", n=allowance.sent_in_a_day, all=allowance.a_day),
            N_("Say more in one message, or use the Cloud API for many customers."),
        ),
    ]
