"""How a handler answers: a page, a fragment, what changed, or elsewhere.

    return await page(request, "home.html", numbers=numbers)
    return await fragment(request, "inbox/_row.html", row=row)
    return await changed(request, "inbox/_row.html", to="/inbox", row=row, done=_("Taken over."))
    fields = await form(request); fields.text("name", limit=80)

Every template gets: `user`, `nonce` (`hx-nonce="{{ nonce }}"` on every element with an hx- attribute), `csrf`, `here`
(path), `settings`, `now`; everywhere, macros included: `_`, `ngettext`, `fmt`, `url(name, …)`, `static(file)`,
`icon(name)`.
"""

import json
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app import i18n
from app.errors import Invalid, ParleyError
from app.i18n import _
from app.routes.guard import read_form, settings_of
from app.routes.static import static_url
from app.security import permissions
from app.security.hosts import is_exposed
from app.store import nav
from app.version import VERSION

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

TEMPLATES: Final = Path(__file__).parent.parent / "templates"
FLASH: Final = "parley_done"


@lru_cache(maxsize=1)
def environment() -> "Environment":
    """Jinja, imported with the first page: strict about names, escaping everything."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    env.globals |= {"_": i18n._, "gettext": i18n._, "ngettext": i18n.ngettext, "fmt": i18n.fmt, "tell": i18n.tell}
    env.globals |= {
        "icon": icon,
        "static": static_url,
        "may": permissions.may,
        "Action": permissions.Action,
        "version": VERSION,
    }
    return env


def icon(name: str, kind: str = "") -> "Markup":
    """One icon of the sprite, decoration only. `kind`: `big`, `flip`."""
    from markupsafe import Markup

    classes = f"icon {kind}".strip()
    text = Markup('<svg class="{}" viewBox="0 0 20 20" aria-hidden="true"><use href="{}#i-{}"/></svg>')
    return text.format(classes, static_url("icons.svg"), name)


def context(request: Request) -> dict[str, Any]:
    """What every template may use."""
    state = request.state
    return {
        "user": getattr(state, "user", None),
        "nonce": state.nonce,
        "csrf": getattr(state, "csrf", ""),
        "here": request.scope["path"],
        "now": state.rt.clock.now(),
        "language": i18n.current.get().language,
        "dir": i18n.direction(i18n.current.get().language),
        "seq": getattr(state, "seq", 0),
        "url": request.app.state.url,
    }


def render(request: Request, template: str, **values: Any) -> str:
    return environment().get_template(template).render(context(request) | values)


async def page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """A whole page. Pass `topics=("conversation-42",)` for the events that it listens to beyond the shell's own."""
    values = await shell(request) | values
    response = HTMLResponse(render(request, template, status=status, **values), status)
    if values["flash"]:
        response.delete_cookie(FLASH, httponly=True, samesite="lax")
    return response


async def shell(request: Request) -> dict[str, Any]:
    """What the frame around a page shows: the business, who waits, what was just done."""
    waiting = await request.state.rt.db.read(nav.count_waiting) if getattr(request.state, "user", None) else 0
    flash = request.app.state.flash.read(request.cookies.get(FLASH, ""))
    settings = await settings_of(request)
    names = allowed(request)
    exposed = is_exposed(request.state.rt.settings)
    return {
        "settings": settings,
        "waiting": waiting,
        "flash": flash,
        "names": names,
        "topics": (),
        "exposed": exposed,
    }


def allowed(request: Request) -> frozenset[str]:
    """Names of the addresses that this person may use: what the menus show."""
    user, actions = request.state.user, request.app.state.actions
    return frozenset(name for name, may in actions.items() if may is None or (user and permissions.may(user, may)))


async def fragment(
    request: Request, template: str, *, status: int = 200, version: object = None, **values: Any
) -> Response:
    """One element. With `version` (anything that changes when the content does) an unchanged one answers 304."""
    if version is None:
        return HTMLResponse(render(request, template, status=status, **values), status)
    voice, user = i18n.current.get(), request.state.user
    seed = f"{template}|{version}|{user.id if user else ''}|{user.role if user else ''}|{voice}|{VERSION}"
    headers = {"ETag": f'"{sha256(seed.encode()).hexdigest()[:24]}"', "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return HTMLResponse(render(request, template, status=status, **values), status, headers)


async def changed(request: Request, template: str, *, to: str, done: str = "", **values: Any) -> Response:
    """After an action: the changed fragment to htmx, else on to the page. `done` is one sentence shown as a toast."""
    if not is_htmx(request):
        return redirect(request, to, done=done)
    response = await fragment(request, template, **values)
    if done:
        response.headers["HX-Trigger"] = json.dumps({"parley:done": {"text": done}})
    return response


def redirect(request: Request, to: str, *, done: str = "") -> Response:
    """On to another page, which shows `done` once."""
    if is_htmx(request):
        response = Response(status_code=204, headers={"HX-Redirect": to})
    else:
        response = RedirectResponse(to, 303)
    if done:
        secure = request.state.origin.secure
        value = request.app.state.flash.write(done)
        response.set_cookie(FLASH, value, max_age=60, httponly=True, samesite="lax", secure=secure)
    return response


async def refused(request: Request, template: str, error: ParleyError, /, **values: Any) -> Response:
    """The form again with what is wrong: `error` (a sentence) and `errors` (by field), status 422."""
    values |= {
        "error": i18n.tell(error.said),
        "errors": {name: i18n.tell(wrong) for name, wrong in error.fields.items()},
    }
    if is_htmx(request):
        return await fragment(request, template, status=422, **values)
    return await page(request, template, status=422, **values)


def is_htmx(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


class Form:
    """The fields of a submitted form. A field that is missing reads as ''."""

    def __init__(self, data: FormData) -> None:
        self.data = data

    def text(self, name: str, *, limit: int = 10_000, strip: bool = True) -> str:
        """One field as text without NUL; longer than `limit` raises Invalid naming the field."""
        value = self.data.get(name)
        found = value.replace("\0", "\ufffd") if isinstance(value, str) else ""
        found = found.strip() if strip else found
        if len(found) > limit:
            raise Invalid(_("This is too long."), fields={name: _("At most {n} characters.").format(n=limit)})
        return found

    def required(self, name: str, *, limit: int = 10_000) -> str:
        found = self.text(name, limit=limit)
        if not found:
            raise Invalid(_("Something is missing."), fields={name: _("Fill this in.")})
        return found

    def many(self, name: str) -> list[str]:
        return [value for value in self.data.getlist(name) if isinstance(value, str)]

    def number(self, name: str) -> int | None:
        """A whole number of at most 63 bits, or None where the field is empty or not one."""
        value = self.text(name, limit=30)
        return int(value) if value.isascii() and value.isdigit() and int(value) < 2**63 else None

    def on(self, name: str) -> bool:
        """Is the box ticked."""
        return name in self.data

    def file(self, name: str) -> UploadFile | None:
        value = self.data.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None


async def form(request: Request) -> Form:
    return Form(await read_form(request))


def set_cookie(response: Response, header: str) -> None:
    response.raw_headers.append((b"set-cookie", header.encode("latin-1")))


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
