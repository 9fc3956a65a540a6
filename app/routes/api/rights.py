"""What a program may do with what it shows."""

import msgspec

from app.routes.api.callers import refusal
from app.routes.api.endpoint import Call, Endpoint
from app.routes.api.users import shown_channels
from app.views import Id, Time


class Access(msgspec.Struct, frozen=True):
    """Of the credential that is shown. `operations` are the `operationId`s that it may use; `channels` all that it
    sees, null: every one; `expires_at` null: until it is taken back."""

    scopes: list[str]
    operations: list[str]
    channels: list[Id] | None
    user_id: Id | None
    expires_at: Time | None


async def show(call: Call) -> Access:
    """Ask for it to know beforehand what will be refused."""
    from app.routes.api import ENDPOINTS  # the table names this line, too

    caller, lines = call.caller, ENDPOINTS
    if not caller.scopes:
        raise refusal(caller)
    return Access(
        sorted(caller.scopes), [line.name for line in lines if allowed(line, call)], shown_channels(caller.channels),
        None if caller.user_id is None else str(caller.user_id), caller.expires_at or None,
    )  # fmt: skip


def allowed(line: Endpoint, call: Call) -> bool:
    return line.may is None or line.may in call.caller.actions
