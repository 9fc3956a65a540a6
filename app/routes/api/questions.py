"""What bots ask programs, for programs without a connection: wait for the next question, answer it.

With `/api/v1/socket` a program needs neither (`app/routes/api/answers.py` is what both have in common).
"""

from typing import Annotated

import msgspec

from app import desk
from app.bot.request import HANDLER_NAME
from app.routes.api.answers import Answer, able, accept
from app.routes.api.endpoint import Body, Call

Handler = Annotated[str, msgspec.Meta(pattern=f"^{HANDLER_NAME}$", description="The name in the bot's document.")]


class Waiting(Body, frozen=True):
    """`wait`: for how many seconds, if there is no question yet; `again`: also one that was begun before."""

    handler: Handler
    wait: Annotated[int, msgspec.Meta(ge=0, le=25)] = 0
    again: bool = False


class Next(msgspec.Struct, frozen=True):
    """The question, which is begun herewith; null if there is none."""

    question: desk.Question | None


async def next_question(call: Call, body: Waiting) -> Next:
    able(call.caller)
    asked = call.rt.desk.next(
        call.caller.name, [body.handler], body.wait or 0.05, again=body.again, sees=call.caller.sees
    )
    return Next(await asked)


async def answer(call: Call, body: Answer) -> None:
    await accept(call.rt, call.caller, call.id, body)
