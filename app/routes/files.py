"""The Python files that answer for bots, in Settings: which handlers they have, and what went wrong in them."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from app.handling import sources
from app.routes.respond import page

if TYPE_CHECKING:
    from app.runtime import Runtime


async def show(request: Request) -> Response:
    rt: Runtime = request.state.rt
    handlers = rt.handlers
    return await page(
        request, "settings/files.html", folder=str(handlers.folder), answers_for=handlers.names,
        files=[path.name for path in sources(handlers.folder)], troubles=list(handlers.troubles),
        programs=sorted({name for program in rt.desk.programs for name in program.handlers} - set(handlers.names)),
    )  # fmt: skip
