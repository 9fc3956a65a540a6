"""Secrets that bots name in calls: adding, another value, deleting. A value comes in and is never shown."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from app import vault
from app.errors import Conflict, Invalid
from app.i18n import _
from app.routes.respond import form, page, redirect, refused
from app.store.secrets import Listed

if TYPE_CHECKING:
    from app.runtime import Runtime

PAGE = "settings/secret.html"
TYPED = 10_000  # characters that are read before they are judged


async def new(request: Request) -> Response:
    return await page(request, PAGE, secret=None, name="", error="", errors={})


async def create(request: Request) -> Response:
    fields = await form(request)
    name, value = fields.text("name", limit=200), fields.text("value", limit=TYPED)
    try:
        await vault.add(request.state.rt, name, value, request.state.user.id)
    except (Invalid, Conflict) as error:
        wrong = Invalid(error.said, fields=error.fields)
        return await refused(request, PAGE, wrong, secret=None, name=name)
    return back(request, _("“{name}” was added.").format(name=name))


async def show(request: Request) -> Response:
    return await page(request, PAGE, secret=await secret_of(request), name="", error="", errors={})


async def replace(request: Request) -> Response:
    secret = await secret_of(request)
    value = (await form(request)).text("value", limit=TYPED)
    try:
        await vault.replace(request.state.rt, secret.id, value, request.state.user.id)
    except Invalid as error:
        return await refused(request, PAGE, error, secret=secret, name="")
    return back(request, _("“{name}” has a new value.").format(name=secret.name))


async def delete(request: Request) -> Response:
    secret = await secret_of(request)
    await vault.remove(request.state.rt, secret.id)
    return back(request, _("“{name}” was deleted.").format(name=secret.name))


async def secret_of(request: Request) -> Listed:
    rt: Runtime = request.state.rt
    return await vault.get(rt, request.path_params["id"])


def back(request: Request, done: str) -> Response:
    return redirect(request, f"{request.app.url_path_for('settings')}#secrets", done=done)
