"""The time in which a network takes free replies: 24 hours after the customer's last message or call on WhatsApp.

What is known to be too late is refused before the network is asked. Where a customer never wrote here nothing is known
(they may have written before Parley was there), so the network decides.
"""

from typing import Final

import msgspec

from app.capabilities import Capabilities
from app.connectors.base import Inbound, Problem
from app.content import Content, Delete, Edit, System, Template
from app.errors import Conflict
from app.said import N_

CLOSED: Final = Problem("send.window", "More than 24 hours since the customer's last message.")
DAY: Final = 86_400_000
FREE: Final = 72 * 3_600_000  # ms, after an answer to somebody who came from an ad


class Window(msgspec.Struct, frozen=True):
    """`until`: when free replies end (ms UTC), 0 for never or not known; `over`: they have ended, as far as is known;
    `unknown`: nobody wrote here yet; `free_until`: until then nothing is charged, 0 for no such time."""

    until: int = 0
    over: bool = False
    unknown: bool = False
    free_until: int = 0


def window(can: Capabilities, heard_at: int, now: int, free_until: int = 0) -> Window:
    if not can.window:
        return Window()
    until = heard_at + can.window * 1000 if heard_at else 0
    return Window(until, bool(until) and until <= now, not heard_at, free_until if free_until > now else 0)


def free_until(told: int, entered_at: int, answered_at: int) -> int:
    """When what is free after an ad ends: as the network told, else 72 hours after an answer within a day; else 0."""
    answered = entered_at and entered_at <= answered_at <= entered_at + DAY
    return max(told, answered_at + FREE if answered else 0)


def refuses(can: Capabilities, said: Content, heard_at: int, now: int) -> bool:
    """Whether it is known that the network takes this message no more. A template always goes."""
    return not isinstance(said, Template) and window(can, heard_at, now).over


def check(can: Capabilities, said: Content, heard_at: int, now: int) -> None:
    """Raises `Conflict`."""
    if refuses(can, said, heard_at, now):
        wrong = N_("The customer wrote more than 24 hours ago, so the network takes only a template. Nothing was sent.")
        raise Conflict(wrong, code="window_closed", fields={"text": wrong})


def opens(inbound: Inbound) -> bool:
    """Whether this was said by the customer, so that free replies are allowed from then on."""
    said = inbound.content
    if isinstance(said, System):
        return said.what == "call" and not inbound.echo
    return not (inbound.echo or isinstance(said, Edit | Delete))
