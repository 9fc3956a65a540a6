"""What a line of the site map is."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.security.permissions import Action

Handler = Callable[[Request], Awaitable[Response]]
BODY: Final = 1_000_000
UPLOAD: Final = 32_000_000


class Entry(msgspec.Struct, frozen=True):
    """One address. `may`: the action its visitor must be allowed, or None for everybody. `body`: the most bytes it
    takes. `machine`: answers problems as JSON and asks no token of a form. `fresh`:
    the password must have been given within ten minutes (S6)."""

    method: str
    path: str
    handler: Handler
    name: str
    may: Action | None
    body: int = BODY
    machine: bool = False
    fresh: bool = False
