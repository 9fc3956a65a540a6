"""The reply budget of a conversation: what stops two bots from talking to each other for ever (P16).

At most 20 automatic replies in 5 minutes and 3 identical turns in a row; then the conversation is handed to a person.
"""

import hashlib

import msgspec

from app.bot.scene import Consent, Effect, HandOff, Note, Send, SetField, Tag
from app.content import encode

REPLIES = 20
PERIOD = 5 * 60_000
SAME = 3
RULE = "budget"
REASON = "The bot answered too often in a short time."


class Budget(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """`since` ms: start of the period; `replies` in it; `last` digest of what was said, `same` how often in a row."""

    since: int = 0
    replies: int = 0
    last: str = ""
    same: int = 0


_decoder = msgspec.json.Decoder(Budget)


def spend(stored: str, effects: tuple[Effect, ...], now: int) -> tuple[str, tuple[Effect, ...]]:
    """The budget after these effects, and the effects that fit: when it is used up, what is noted about the contact
    stays, and a hand-off instead of all else."""
    sends = [effect for effect in effects if isinstance(effect, Send)]
    if not sends:
        return stored, effects
    budget = _decoder.decode(stored) if stored else Budget(since=now)
    if now - budget.since > PERIOD:
        budget = Budget(since=now)
    last = _digest(sends)
    spent = Budget(budget.since, budget.replies + len(sends), last, budget.same + 1 if last == budget.last else 1)
    if spent.replies > REPLIES or spent.same > SAME:
        noted = tuple(effect for effect in effects if isinstance(effect, Tag | SetField | Consent | Note))
        return stored, (*noted, HandOff(REASON, RULE))
    return msgspec.json.encode(spent).decode(), effects


def is_used_up(effects: tuple[Effect, ...]) -> bool:
    """Whether these are the effects that were left of more."""
    return any(isinstance(effect, HandOff) and effect.rule == RULE and effect.reason == REASON for effect in effects)


def _digest(sends: list[Send]) -> str:
    return hashlib.blake2b("\n".join(encode(send.content) for send in sends).encode(), digest_size=8).hexdigest()
