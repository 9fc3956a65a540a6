"""Is it alive, can it work, and its numbers. Details only for people logged in or from the machine itself (S36)."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app import readiness
from app.errors import Unauthenticated
from app.said import N_
from app.security import permissions
from app.security.hosts import is_exposed
from app.security.permissions import Action
from app.version import VERSION

if TYPE_CHECKING:
    from app.runtime import Runtime


async def healthz(request: Request) -> Response:
    status, told = await readiness.alive()
    return JSONResponse(told, status)


async def readyz(request: Request) -> Response:
    """503 with the reasons while something keeps it from working. `rt.problems()` says what, as {"code", "message"}."""
    rt: Runtime = request.state.rt
    problems = await rt.problems()
    body: dict[str, object] = {"ready": not problems}
    if is_insider(request):
        body |= {"reasons": problems, "version": VERSION, "secure": not is_exposed(rt.settings)}
        body["database"] = rt.db.stats()
    else:
        body["reasons"] = [{"code": problem["code"]} for problem in problems]
    return JSONResponse(body, 503 if problems else 200)


async def metrics(request: Request) -> Response:
    if not is_insider(request):
        raise Unauthenticated(N_("The numbers are shown on the machine itself or to people logged in."))
    rt: Runtime = request.state.rt
    body, content_type = rt.metrics.page()
    return Response(body, headers={"Content-Type": content_type})


def is_insider(request: Request) -> bool:
    user = request.state.user
    return request.state.origin.loopback or (user is not None and permissions.may(user, Action.ADMINISTER))
