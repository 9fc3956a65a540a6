"""What a session remembers of messages lately: who wrote which, so that they are marked, quoted and reacted to."""

from collections import OrderedDict
from typing import Any, Final, NamedTuple

from app.content import Choice

KEPT: Final = 2000


class Known(NamedTuple):
    """A message: the chat it is in, who wrote it (both the library's JIDs; None for our own), what it said, and what
    could be chosen."""

    chat: Any
    author: Any
    message: Any
    choices: tuple[Choice, ...] = ()


class Remembered:
    def __init__(self) -> None:
        self._known: OrderedDict[str, Known] = OrderedDict()

    def add(self, id: str, known: Known) -> None:
        self._known[id] = known
        if len(self._known) > KEPT:
            self._known.popitem(last=False)

    def get(self, id: str) -> Known | None:
        return self._known.get(id)
