"""Settings: the business, its people, and what this installation is."""

import platform
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app import i18n, installation, invitations, second_factor, users, vault, within
from app.errors import Conflict, Forbidden, Invalid
from app.i18n import _
from app.installation import Wanted
from app.routes import keys, limits
from app.routes.invitation import link
from app.routes.respond import form, page, redirect, refused
from app.security import permissions
from app.security.permissions import Action, may
from app.store import second_factors, tokens, webhooks
from app.store import settings as stored

if TYPE_CHECKING:
    from app.runtime import Runtime
    from app.store.users import User

PAGE = "settings/show.html"


class Told(msgspec.Struct, frozen=True):
    """What is shown once, to be handed to whoever has this address: a password or the link of an invitation."""

    email: str
    password: str = ""
    link: str = ""


async def show(request: Request) -> Response:
    return await page(request, PAGE, **await values(request))


async def values(request: Request) -> dict[str, Any]:
    rt: Runtime = request.state.rt
    user: User = request.state.user
    found = await rt.db.read(stored.read_all)
    policy = stored.policy(found)
    administers = may(user, Action.ADMINISTER)
    return {
        "given": found | {name: str(value) for name, value in msgspec.structs.asdict(policy).items()},
        "people": await users.list_all(rt) if administers else [],
        "invitations": await invitations.list_open(rt) if administers else [],
        "limited": await within.everybodys(rt.db.reader) if administers else {},
        "channels": await limits.choosable(rt) if administers else [],
        "with_code": frozenset(await rt.db.reader.all(second_factors.EVERYBODY)) if administers else frozenset(),
        "secrets": await vault.list_all(rt) if administers else [],
        "keys": await rt.db.reader.all(tokens.KEYS, before=2**62, limit=keys.MOST) if administers else [],
        "webhooks": await rt.db.reader.all(webhooks.ALL) if administers else [],
        "outbound_allow": rt.settings.outbound_allow,
        "changeable": permissions.may_change,
        "may_give": permissions.may_give,
        "roles": [(role, role_name(role)) for role in permissions.ROLES if permissions.may_give(user, role)],
        "role_name": role_name,
        "languages": i18n.language_names(),
        "zones": [(name, name.replace("_", " ")) for name in i18n.zone_names()],
        "about": about(rt),
        "person": {},
        "told": None,
        "error": "",
        "errors": {},
    }


def about(rt: "Runtime") -> list[tuple[str, str]]:
    """What runs here, in words."""
    name = "SQLite" if rt.db.dialect == "sqlite" else "Postgres"
    return [
        (_("Database"), f"{name} {rt.db.stats().get('version', '')}".strip()),
        (_("Data folder"), str(rt.settings.data)),
        (_("Python"), f"{platform.python_version()}, {platform.system()} {platform.machine()}"),
        (_("Public address"), rt.settings.public_url or _("not set: only this machine reaches it")),
    ]


def role_name(role: str) -> str:
    return {"owner": _("Owner"), "admin": _("Admin"), "agent": _("Agent"), "viewer": _("Viewer")}[role]


async def update(request: Request) -> Response:
    """The business form."""
    fields = await form(request)
    wanted = Wanted(
        business=" ".join(fields.text("business", limit=500).split()),
        language=fields.text("language", limit=20),
        zone=fields.text("zone", limit=80),
        answer_hours=fields.number("answer_hours"),
        raw_days=fields.number("raw_days"),
        media_days=fields.number("media_days"),
    )
    try:
        await installation.change(request.state.rt, wanted)
    except Invalid as error:
        typed = {name: fields.text(name, limit=500) for name in Wanted.__struct_fields__}
        return await refused(request, PAGE, error, **await values(request) | {"given": typed})
    return back(request, _("Saved."))


async def invite(request: Request) -> Response:
    """A link for a new person, shown on this page once; who follows it chooses a password."""
    fields = await form(request)
    given: dict[str, Any] = {name: fields.text(name, limit=300) for name in ("email", "name", "role")}
    seen = await limits.chosen(request.state.rt, fields)
    try:
        token = await invitations.create(request.state.rt, **given, channels=seen, by=request.state.user)
    except (Invalid, Conflict, Forbidden) as error:
        shown = Invalid(error.said, fields=error.fields)
        return await refused(request, PAGE, shown, **await values(request) | {"person": given | {"seen": seen}})
    told = Told(given["email"], link=link(request, token))
    return await page(request, PAGE, **await values(request) | {"told": told})


async def revoke_invitation(request: Request) -> Response:
    await invitations.revoke(request.state.rt, request.path_params["id"], by=request.state.user)
    return back(request, _("The invitation was taken back."))


async def reset_two_step(request: Request) -> Response:
    await second_factor.reset(request.state.rt, request.path_params["id"], by=request.state.user)
    return back(request, _("This person logs in with the password alone, until they set it up again."))


async def reset_password(request: Request) -> Response:
    user_id = request.path_params["id"]
    password = await users.reset_password(request.state.rt, user_id, by=request.state.user)
    person = next(person for person in await users.list_all(request.state.rt) if person.id == user_id)
    return await page(request, PAGE, **await values(request) | {"told": Told(person.email, password=password)})


async def change_role(request: Request) -> Response:
    role = (await form(request)).text("role", limit=20)
    await users.change_role(request.state.rt, request.path_params["id"], role, by=request.state.user)
    return back(request, _("The role was changed. The person logs in again."))


async def disable(request: Request) -> Response:
    await users.disable(request.state.rt, request.path_params["id"], by=request.state.user)
    return back(request, _("This person cannot log in any more."))


async def enable(request: Request) -> Response:
    await users.enable(request.state.rt, request.path_params["id"], by=request.state.user)
    return back(request, _("This person can log in again."))


def back(request: Request, done: str) -> Response:
    return redirect(request, str(request.app.url_path_for("settings")), done=done)
