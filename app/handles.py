"""What a file in the data folder's `handlers/` imports as `parley`: how a function becomes a handler.

from parley import Refusal, handles

@handles("prices")
def price(question):
    if question.data["item"] not in PRICES:
        raise Refusal(404)
    return {"price": PRICES[question.data["item"]]}
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

__all__ = ["Question", "Refusal", "handles"]

Function = TypeVar("Function", bound=Callable[..., Any])


class Question(msgspec.Struct, frozen=True):
    """What a bot asks. `data` is the `json` of its step, or the message of a conversation; `seconds`: how long the
    answer is waited for; `again`: it was begun before, and nobody knows how that went."""

    id: str
    handler: str
    data: Any
    conversation_id: str
    channel_id: str
    seconds: float
    again: bool = False


class Refusal(Exception):
    """Answers with this status, which takes its branch of `failed`."""

    def __init__(self, status: int, body: Any = None) -> None:
        super().__init__(status)
        self.status, self.body = status, body


class Handler(msgspec.Struct, frozen=True):
    function: Callable[[Question], Any]
    again: bool


found: dict[str, Handler] = {}


def handles(name: str, *, again: bool = False) -> Callable[[Function], Function]:
    """The function answers for this handler; it may be `async`. `again`: doing it twice is the same as once."""

    def mark(function: Function) -> Function:
        found[name] = Handler(function, again)
        return function

    return mark
