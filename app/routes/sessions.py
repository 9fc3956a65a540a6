"""Where everybody is logged in, for admins: listed, and ended one by one."""

from typing import TYPE_CHECKING

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from app import audit
from app.audit import Entry, entry
from app.db import Tx
from app.i18n import _
from app.routes import respond
from app.routes.account import browser
from app.security import permissions, sessions
from app.store.users import User

if TYPE_CHECKING:
    from app.runtime import Runtime


async def show(request: Request) -> Response:
    rt: Runtime = request.state.rt
    user = request.state.user
    found = await rt.db.read(sessions.everybodys, rt.clock.now())
    rows = [(each, browser(each.login.agent), each.user.id == user.id or permissions.may_change(user, each.user))
            for each in found]  # fmt: skip
    return await respond.page(
        request, "settings/sessions.html", rows=rows, this=request.state.session.login.id_hash,
        most=sessions.MOST_SHOWN if len(found) == sessions.MOST_SHOWN else 0,
    )  # fmt: skip


def _end(tx: Tx, id_hash: str, by: User, line: Entry) -> User:
    whose = sessions.end_of(tx, id_hash, by)
    audit.write(tx, replace(line, subject=whose.email))
    return whose


async def end(request: Request) -> Response:
    """Whoever is in there is out at the next request."""
    rt: Runtime = request.state.rt
    id_hash = (await respond.form(request)).text("session", limit=64)
    whose = await rt.db.write(_end, id_hash, request.state.user, entry("session.ended"))
    done = _("A session of {name} was logged out.").format(name=whose.name)
    return respond.redirect(request, request.app.url_path_for("sessions"), done=done)
