"""Permissions per channel: a viewer or agent, the members of a team, or an API key may be limited to some channels.

They see these channels, their chats, the people of these chats, and what is counted of them, and act on nothing else;
everything else is not there. What is read is narrowed in the data layer (`app/db/rows.py`); what is written is looked
for first. Admins and owners see everything: they could give it to themselves.
"""

from typing import TYPE_CHECKING, Final

from app import audit
from app.audit import entry
from app.db import Reader, Tx
from app.db.rows import channels
from app.errors import Forbidden, Invalid, NotFound
from app.said import N_
from app.security.permissions import may_change
from app.store import limits as store
from app.store import users
from app.store.users import User

if TYPE_CHECKING:
    from app.runtime import Runtime

Channels = frozenset[int] | None  # None: all
SEE_ALL: Final = N_("Admins and owners see every channel. Give this person another role first.")
LIMITABLE: Final = frozenset({"viewer", "agent"})
# What an id in an address names, by the address's beginning; the first that fits.
NAMED: Final = (
    ("/inbox/messages/{", "message"), ("/inbox/files/{", "media"), ("/inbox/{", "conversation"), ("/media/{", "media"),
    ("/conversations/{", "conversation"), ("/messages/{", "message"), ("/contacts/{", "contact"),
    ("/channels/{", "channel"),
)  # fmt: skip
# What brings in people by their numbers would change those whom one does not see.
EVERYBODYS: Final = ("/contacts/import", "/contacts/bulk")


async def of_user(db: Reader, user: User) -> Channels:
    return _channels(await db.all(store.OF_USER, id=user.id)) if user.role in LIMITABLE else None


async def of_key(db: Reader, key_id: int, user_id: int | None, role: str | None) -> Channels:
    """A key sees no more than its person."""
    own = _channels(await db.all(store.OF_HOLDER, id=key_id))
    theirs = _channels(await db.all(store.OF_USER, id=user_id)) if user_id and role in LIMITABLE else None
    return own if theirs is None else theirs if own is None else own & theirs


def _channels(rows: list[int]) -> Channels:
    """Rows without a limit (it was lifted) are none."""
    return frozenset(rows) - {0} if 0 in rows else None


def see(seen: Channels) -> None:
    """From here on this task reads what belongs to these channels, and nothing else."""
    channels.set(seen)


async def enter(db: Reader, seen: Channels, path: str, id: int | None) -> None:
    """From here on the request sees these channels. Raises `NotFound` for an id in its address that is elsewhere."""
    see(seen)
    if seen is None:
        return
    if path.startswith(EVERYBODYS):
        raise Forbidden(N_("This is for people who see every channel."))
    table = next((table for start, table in NAMED if path.startswith(start)), None)
    if table is not None and id is not None:
        await look(db, table, id)


async def look(db: Reader, table: str, id: int) -> None:
    """Raises `NotFound` for what whoever asks does not see."""
    if channels.get() is not None and await db.one(store.VISIBLE[table], id=id) is None:
        raise NotFound(N_("There is no such thing."))


# ---- set ------------------------------------------------------------------------------------------------------------


async def limit_user(rt: "Runtime", user_id: int, wanted: Channels, by: User | None = None) -> None:
    """Raises `NotFound`, `Forbidden`, and `Invalid` for somebody who sees everything by their role."""
    await _limit(rt, "app_user", user_id, wanted, by)


async def limit_team(rt: "Runtime", team_id: int, wanted: Channels) -> None:
    await _limit(rt, "team", team_id, wanted, None)


async def limit_key(rt: "Runtime", key_id: int, wanted: Channels) -> None:
    await _limit(rt, "api_key", key_id, wanted, None)


async def _limit(rt: "Runtime", table: str, id: int, wanted: Channels, by: User | None) -> None:
    known = "*" if wanted is None else ", ".join(sorted(rt.channels.get(channel).row.name for channel in wanted))
    await rt.db.write(_set, table, id, wanted, by, entry("channels.limited", id, known))
    for subscription in rt.bus.subscriptions:
        subscription.close()  # dashboards come back by themselves, and see what they may


def _set(tx: Tx, table: str, id: int, wanted: Channels, by: User | None, line: audit.Entry) -> None:
    user = tx.one(users.BY_ID, id=id) if table == "app_user" else None
    if user is not None and by is not None and not may_change(by, user):
        raise Forbidden(N_("You cannot change this person's account."))
    if user is not None and user.role not in LIMITABLE and wanted is not None:
        raise Invalid(SEE_ALL, fields={"channels": SEE_ALL})
    if not store.put(tx, table, id, wanted):
        raise NotFound(N_("There is no such thing."))
    audit.write(tx, line)


async def named(rt: "Runtime", names: list[str]) -> frozenset[int]:
    """The ids of channels by name or id. Raises `NotFound`."""
    return frozenset([(await rt.channels.find(name)).id for name in names])


async def everybodys(db: Reader) -> dict[int, frozenset[int]]:
    """Who is limited, to which channels: people, teams and keys by id."""
    found: dict[int, set[int]] = {holder: set() for holder in await db.all(store.LIMITED)}
    for holder, channel in await db.all(store.ALL):
        if holder in found:
            found[holder].add(channel)
    return {holder: frozenset(seen) for holder, seen in found.items()}
