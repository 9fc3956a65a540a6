"""What web services answer in a test: as an author writes it under `calls`, and which answer a call gets. Pure."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from app.bot.keep import literal
from app.bot.request import ERRORS, METHODS, Body, Leaf
from app.bot.scene import Call, CallError, CallResult
from app.bot.shape import Integer, Keys, ListOf, Located, Text
from app.bot.stars import fits
from app.bot.triggers import OneOf
from app.said import N_

MOST_ANSWERS: Final = 20
SECRET: Final = "\0secret:"


class Answer(msgspec.Struct, frozen=True):
    """What a call to an address that fits the pattern `url` comes back with; `error`: why it comes back with
    nothing."""

    method: str
    url: Located
    status: int = 200
    body: Any = None
    error: CallError = ""


class Large(Body):
    """What came back from a service once."""

    most, deepest = 2_000, 32


def plain(value: Any) -> Any:
    """The value of a body as it is in JSON."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, Leaf):
        return value.text.text if value.quoted else literal(value.text.text)
    return value


def _answer(status: int = 0, body: Any = None, error: Located | None = None, **methods: Located) -> Answer:
    if len(methods) != 1:
        raise ValueError(
            N_("An answer is for one of get, post, put, patch, delete and handler, with the address or the name")
        )
    if error is not None and (status or body is not None):
        raise ValueError(N_("A call that fails has no status and no body"))
    [(method, url)] = methods.items()
    why: Any = error.text if error is not None else ""
    return Answer(method.upper(), url, 0 if why else status or 200, plain(body), why)


ANSWER: Final = Keys(
    _answer,
    {
        **dict.fromkeys(METHODS, Text(4_096, N_("an address, with * for anything"))),
        "status": Integer(100, 599),
        "body": Large(),
        "error": OneOf(*ERRORS),
    },
    expected=N_("a group with get, post, put, patch, delete or handler"),
)
ANSWERS: Final = ListOf(ANSWER, MOST_ANSWERS, N_("a list of answers"))


class Services:
    """The answers of one test. Those that fit a call are given in their order, the last again and again."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.answers = answers
        self.used: set[int] = set()

    def answer(self, call: Call) -> CallResult | None:
        """None for a call that the test has no answer for."""
        fitting = [at for at, answer in enumerate(self.answers) if answers(answer, call)]
        if not fitting:
            return None
        at = next((at for at in fitting if at not in self.used), fitting[-1])
        self.used.add(at)
        found = self.answers[at]
        return CallResult(call.token, found.status, found.body, found.error)


def answers(answer: Answer, call: Call) -> bool:
    return answer.method == call.method and fits(answer.url.text, call.url)


def pattern(url: str) -> str:
    """The pattern of an address, with a star where a secret goes."""
    first, *rest = url.split(SECRET)
    return first + "".join("*" + part.partition("\0")[2] for part in rest)
