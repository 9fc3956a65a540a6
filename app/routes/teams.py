"""Teams in Settings: whose conversations are whose, as bots and people assign them."""

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from app import teams, users, within
from app.errors import Conflict, Invalid
from app.i18n import _
from app.routes.respond import form, page, redirect, refused

if TYPE_CHECKING:
    from app.runtime import Runtime

PAGE = "settings/teams.html"


async def show(request: Request) -> Response:
    return await page(request, PAGE, **await values(request))


async def values(request: Request) -> dict[str, Any]:
    rt: Runtime = request.state.rt
    people = [person for person in await users.list_all(rt) if person.disabled_at is None]
    return {
        "teams": await teams.list_all(rt),
        "people": people,
        "limited": await within.everybodys(rt.db.reader),
        "typed": "",
        "error": "",
        "errors": {},
    }


async def add(request: Request) -> Response:
    name = (await form(request)).text("team", limit=500)
    try:
        await teams.add(request.state.rt, name)
    except (Invalid, Conflict) as error:
        wrong = Invalid(error.said, fields=error.fields)
        return await refused(request, PAGE, wrong, **await values(request) | {"typed": name})
    return back(request, _("The team was added. Now say who is in it."))


async def remove(request: Request) -> Response:
    await teams.remove(request.state.rt, request.path_params["id"])
    return back(request, _("The team was removed."))


async def join(request: Request) -> Response:
    user_id = (await form(request)).number("person")
    await teams.join(request.state.rt, request.path_params["id"], user_id or 0)
    return back(request, _("Saved."))


async def leave(request: Request) -> Response:
    user_id = (await form(request)).number("person")
    await teams.leave(request.state.rt, request.path_params["id"], user_id or 0)
    return back(request, _("Saved."))


def back(request: Request, done: str) -> Response:
    return redirect(request, request.app.url_path_for("teams"), done=done)
