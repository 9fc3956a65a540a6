"""Who is logged in to the dashboard, over the API: listed, and logged out. A session's id is made of its hash, which
opens nothing."""

import msgspec

from app import audit
from app.audit import entry
from app.db import Tx
from app.errors import NotFound
from app.routes.api.endpoint import Call
from app.routes.api.users import acting
from app.said import N_
from app.security import sessions
from app.store.users import User
from app.views import Id, Time


class Session(msgspec.Struct, frozen=True):
    """`agent` is what the browser calls itself."""

    id: Id
    user_id: Id
    email: str
    agent: str
    ip: str
    created_at: Time
    seen_at: Time
    expires_at: Time


class Sessions(msgspec.Struct, frozen=True):
    """The 500 used last."""

    items: list[Session]


def number(id_hash: str) -> str:
    """Fifteen hexadecimal digits of the hash as a number: 60 bits, enough to tell sessions apart."""
    return str(int(id_hash[:15], 16))


async def index(call: Call) -> Sessions:
    found = await call.rt.db.read(sessions.everybodys, call.rt.clock.now())
    return Sessions(
        [
            Session(
                number(each.login.id_hash), str(each.user.id), each.user.email, each.login.agent, each.login.ip,
                each.login.created_at, each.login.seen_at, each.login.expires_at,
            )
            for each in found
        ]
    )  # fmt: skip


async def end(call: Call) -> None:
    """Whoever is in there is out at the next request. Owners are logged out by owners."""
    by = await acting(call)
    found = await call.rt.db.read(sessions.everybodys, call.rt.clock.now())
    chosen = next((each for each in found if number(each.login.id_hash) == str(call.id)), None)
    if chosen is None:
        raise NotFound(N_("That session is over already."))
    await call.rt.db.write(_end, chosen.login.id_hash, by, entry("session.ended", chosen.user.email))


def _end(tx: Tx, id_hash: str, by: User, line: audit.Entry) -> None:
    sessions.end_of(tx, id_hash, by)
    audit.write(tx, line)
