"""What a line of the site map is."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import msgspec
from starlette.datastructures import URLPath
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, NoMatchFound, Route

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


def addresses(routes: Iterable[BaseRoute]) -> Callable[..., URLPath]:
    """`url(name, **values)` of these routes, found at once: Starlette asks one route after the other, and a page names
    hundreds. Raises `NoMatchFound`."""
    known: dict[tuple[str, frozenset[str]], Route] = {}
    for one in routes:
        if isinstance(one, Route):
            known.setdefault((one.name, frozenset(one.param_convertors)), one)

    def url(name: str, /, **values: Any) -> URLPath:
        found = known.get((name, frozenset(values)))
        if found is None:
            raise NoMatchFound(name, values)
        return found.url_path_for(name, **values)

    return url
