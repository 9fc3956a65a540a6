"""The step that asks, made ready to run, and what is made of the answer.

The bot only says what is to be asked and waits; who asks, and how carefully, is not its business.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.bot.keep import Measure, literal, whole
from app.bot.request import ANY, ERRORS, Leaf, Request
from app.bot.scene import Call, CallResult
from app.bot.secret import Sealed, seal
from app.bot.shape import MISSING, Located
from app.bot.text import Text as Template
from app.bot.text import compile_expression
from app.bot.values import Room
from app.said import N_, Said, Sentence, mark

if TYPE_CHECKING:
    from app.bot.steps import Compiler

UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
REPLY: Final = "reply"  # the answer, in `map`
LONGEST_ADDRESS: Final = 4_096
NOTHING: Final = Sealed(Template(""))
NO_BRANCH: Final = mark("A call to a web service failed, and the bot has no step for that.")


class Calling(msgspec.Struct, frozen=True):
    """A call that is waited for. `url`, `headers`, `body` and `form` are filled in when it is made; it goes on after
    itself with an answer, at one of `failed` without."""

    method: str
    url: Sealed
    headers: tuple[tuple[str, Sealed], ...]
    body: Callable[[Room, Measure], Any] | None
    form: tuple[tuple[str, Sealed], ...] | None
    timeout: float
    secrets: tuple[str, ...]
    save: str
    map: tuple[tuple[str, Template], ...]
    failed: dict[str, int]
    line: int

    def call(self, room: Room, token: str, rule: str) -> Call:
        """The effect: what is to be asked."""
        measure = Measure()
        headers = {name: " ".join(value.text.render(room).split()) for name, value in self.headers}
        json = self.body(room, measure) if self.body is not None else None
        form = {name: value.text.render(room) for name, value in self.form} if self.form is not None else None
        if measure.full:
            room.problem(N_("A value was larger than is possible; the rest was left out"))
        url = self.url.text.render(room).strip()[:LONGEST_ADDRESS]
        return Call(token, self.method, url, headers, json, form, self.timeout, self.secrets, rule)

    def otherwise(self, result: CallResult) -> int:
        """Where it goes on after a failure; -1 if nothing is said about it."""
        kinds = (str(result.status), f"{result.status // 100}xx", result.error, ANY)
        return next((self.failed[kind] for kind in kinds if kind in self.failed), -1)


def is_success(status: int) -> bool:
    return 200 <= status < 300


def fails(result: CallResult) -> bool:
    return bool(result.error) or not is_success(result.status)


def failure(result: CallResult) -> Sentence:
    """Why a call failed: the status, or what went wrong on the way."""
    if result.error and (result.error != "bad_json" or is_success(result.status)):
        return Said(ERRORS[result.error])
    return N_("The answer was {status}.", status=str(result.status))


def calling(step: Request, compiler: "Compiler", failed: dict[str, int]) -> Calling:
    """The step without its branches, which begin at `failed`."""
    sealed: list[Sealed] = []

    def seals(source: Located, change: Callable[[str], str] = str, *, as_value: bool = False) -> Sealed:
        made = compiler.compiled(source, lambda text: seal(text, change, as_value=as_value)) or NOTHING
        sealed.append(made)
        compiler.secrets += [(name, source) for name in made.secrets]
        return made

    url = seals(step.url, encoded)
    headers = tuple((name, seals(value)) for name, value in step.headers.items())
    body = None if step.json is MISSING else tree(step.json, lambda leaf: seals(leaf.text, as_value=True))
    form = None if step.form is None else tuple((name, seals(value)) for name, value in step.form.items())
    return Calling(
        step.method,
        url,
        headers,
        body,
        form,
        step.timeout,
        tuple(dict.fromkeys(name for made in sealed for name in made.secrets)),
        step.save.text if step.save else "",
        tuple((name, text) for name, source in step.map.items() if (text := mapped(source, compiler)) is not None),
        failed,
        step.line,
    )


def encoded(text: str) -> str:
    """As one part of an address, whatever it holds (RFC 3986, 2.1)."""
    return "".join(chr(byte) if chr(byte) in UNRESERVED else f"%{byte:02X}" for byte in text.encode("utf-8", "replace"))


def mapped(source: Located, compiler: "Compiler") -> Template | None:
    """What is taken from the answer, which is called `reply` there."""
    return compiler.compiled(source, compile_expression, known=REPLY)


def tree(value: Any, seals: Callable[[Leaf], Sealed]) -> Callable[[Room, Measure], Any]:
    """Makes the body."""
    if value is None:
        return lambda room, measure: None
    if isinstance(value, tuple):
        items = [tree(item, seals) for item in value]
        return lambda room, measure: [item(room, measure) for item in items]
    if isinstance(value, dict):
        named = {name.replace("\0", ""): tree(item, seals) for name, item in value.items()}
        return lambda room, measure: {name: item(room, measure) for name, item in named.items()}
    return leaf(value, seals(value))


def leaf(given: Leaf, made: Sealed) -> Callable[[Room, Measure], Any]:
    if made.value is not None:
        value = made.value
        return lambda room, measure: whole(room, value(room), measure)
    if made.text.constant is not None:
        constant: Any = made.text.constant if given.quoted else literal(made.text.constant)
        return lambda room, measure: constant
    if made.secrets:  # a marker is not cut in two
        return lambda room, measure: made.text.render(room)
    return lambda room, measure: measure.take(made.text.render(room))
