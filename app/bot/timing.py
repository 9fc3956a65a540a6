"""The steps that do something at another time, as an author writes them: waiting, a message that is sent later, a flow
that is started later.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from app.bot.moment import AFTER, AT, Moment, Wait, one_of
from app.bot.nodes import Node, SequenceNode
from app.bot.shape import MISSING, Json, Keys, Located, MapOf, Report, Shape
from app.said import N_

if TYPE_CHECKING:
    from app.bot.grammar import Step


class Pause(msgspec.Struct, frozen=True):
    """The flow goes on then."""

    when: Moment
    line: int = 0


class Postpone(msgspec.Struct, frozen=True):
    """A text, or messages, sent then."""

    what: "Located | tuple[Step, ...]"
    when: Moment
    line: int = 0


class Delay(msgspec.Struct, frozen=True):
    """A flow, started then; `values` are what it will remember."""

    flow: Located
    when: Moment
    values: dict[str, Located] = {}
    line: int = 0


class Messages(Shape):
    """A text, or a list of steps that send something."""

    expected = N_("a text or a list of messages")

    def __init__(self, text: Shape, steps: Shape) -> None:
        self.text, self.steps = text, steps

    def read(self, node: Node, report: Report) -> Any:
        return (self.steps if isinstance(node, SequenceNode) else self.text).read(node, report)

    def schema(self) -> Json:
        return {"anyOf": [self.text.schema(), self.steps.schema()]}


def _wait(wait: Moment, line: int) -> Pause:
    return Pause(wait, line)


def _schedule(schedule: Any, line: int, after: Any = MISSING, at: Any = MISSING) -> Postpone:
    return Postpone(schedule, one_of(after, at), line)


def _later(later: Located, line: int, after: Any = MISSING, at: Any = MISSING, **values: Any) -> Delay:
    return Delay(later, one_of(after, at), values.get("with", {}), line)


def verbs(steps: Shape, said: Shape, flow: Shape, values: MapOf) -> Mapping[str, Keys]:
    """The steps of this file by the key that names them. `said`: what customers read; `flow`: a flow's name; `values`:
    names and values."""
    when = {"after": AFTER, "at": AT}
    return {
        "wait": Keys(_wait, {"wait": Wait()}, ("wait",), located=True),
        "schedule": Keys(_schedule, {"schedule": Messages(said, steps), **when}, ("schedule",), located=True),
        "later": Keys(_later, {"later": flow, **when, "with": values}, ("later",), located=True),
    }
