"""How programs answer what bots ask them, over whatever they speak."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from app import desk
from app.errors import Invalid
from app.routes.api.callers import refusal
from app.routes.api.endpoint import Body, Caller
from app.said import N_
from app.security.permissions import Action

if TYPE_CHECKING:
    from app.runtime import Runtime

LARGEST: Final = 65_536  # bytes, as of the answer to a call


class Answer(Body, frozen=True):
    """`status` as of HTTP: 200 to 299 is success, anything else takes a branch of `failed`; `body` is any JSON."""

    status: Annotated[int, msgspec.Meta(ge=100, le=599)] = 200
    body: Any = None


def able(caller: Caller) -> None:
    """Whoever answers for bots reads what customers write, and speaks to them. Raises `Forbidden`."""
    if not {Action.READ, Action.ANSWER} <= caller.actions:
        raise refusal(caller)


async def accept(rt: "Runtime", caller: Caller, id: int, answer: Answer) -> None:
    """Raises `Invalid`, `NotFound`."""
    if len(msgspec.json.encode(answer.body)) > LARGEST:
        said = N_("An answer has at most {n} bytes.", n=LARGEST)
        raise Invalid(said, fields={"body": said})
    await rt.desk.give(caller.name, id, desk.Given(answer.status, answer.body), caller.sees)
