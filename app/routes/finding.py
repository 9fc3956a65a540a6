"""Which route an address belongs to, found by its shape.

Starlette asks one route after the other, and two hundred of them cost more than most answers.
"""

from collections.abc import Iterable
from typing import Final

from starlette.routing import BaseRoute, Route, Router
from starlette.types import Receive, Scope, Send

API: Final = "/api/v1/"


class Finder(Router):
    """The routes as a router, with a small one for each shape; whatever has none is looked for among all."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        every = list(routes)
        super().__init__(every)
        alike: dict[tuple[int, str], list[BaseRoute]] = {}
        for route in every:
            if isinstance(route, Route):
                alike.setdefault(shape(route.path), []).append(route)
        self.parts = {key: Router(some, redirect_slashes=False) for key, some in alike.items()}

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else "/"
        part = None if path.endswith("/") else self.parts.get(shape(path))
        if part is None:
            await super().app(scope, receive, send)
        else:
            scope.setdefault("router", self)
            await part.app(scope, receive, send)


def shape(path: str) -> tuple[int, str]:
    """How many parts, and the first that tells addresses apart; the same for an address and for its route, in which no
    part takes more than one."""
    parts = path.split("/", 4)
    return path.count("/"), parts[3] if path.startswith(API) else parts[1]
