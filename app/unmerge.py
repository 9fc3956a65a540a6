"""Undoing a merge of two contacts: both are again who they were, and what came since goes by the name it came from.

The rule. The newest merge of a contact is undone first. Names, conversations, messages, tags and fields that came with
the other one go back with it; a tag, field or name that somebody changed since stays with the contact that is open.
A message since the merge goes to whoever has the names by which it came; one that came by names of both stays. What was
answered goes with the message before it. In a chat that was made of two, the bot's memory, who has it and what the bot
waits for go on with the side that wrote last; the other has again what it had. An opt-out since then holds for both.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from app import audit, events
from app.connectors.base import Address
from app.db import Reader, Tx
from app.errors import Conflict, NotFound
from app.said import N_
from app.store import joining, tags
from app.store import merges as store

UNREAD: Final = 1000  # counted up to here
Names = frozenset[tuple[str, str]]

_before: msgspec.json.Decoder[store.Before] = msgspec.json.Decoder(store.Before)
_names: msgspec.json.Decoder[list[tuple[str, str]]] = msgspec.json.Decoder(list[tuple[str, str]])
_address: msgspec.json.Decoder[Address] = msgspec.json.Decoder(Address)


def _alike(names: Iterable[tuple[str, str]]) -> Names:
    """A number dialled and the number as WhatsApp writes it count as one."""
    return frozenset(("phone" if kind == "wa_id" else kind, value) for kind, value in names)


class _Sides(msgspec.Struct, frozen=True):
    """Two contacts that are to be two again, and the names of each, alike ones as one."""

    merge: store.Merge
    before: store.Before
    keep: Names
    gone: Names

    def of(self, names: Names, else_gone: bool) -> bool:
        """Whether what came by these names is of the one that went; `else_gone` where they do not tell."""
        by_gone, by_keep = bool(names & self.gone), bool(names & self.keep)
        return by_gone if by_gone != by_keep else else_gone and not by_gone


class _Chat(msgspec.Struct, frozen=True):
    id: int
    channel_id: int
    thread: str
    created_at: int
    address: str


class Past(msgspec.Struct, frozen=True):
    """A merge as people see it: who went into the contact, called what, and when (ms UTC)."""

    id: int
    contact_id: int
    name: str
    phone: str
    username: str
    at: int


async def list_all(db: Reader, contact_id: int) -> list[Past]:
    """The merges that made this contact, newest first; the first of them can be undone."""
    found = []
    for row in await db.all(store.OF_CONTACT, id=contact_id):
        gone = _before.decode(row.before).gone
        found.append(Past(row.id, row.gone_id, gone.name, gone.phone, gone.username, row.at))
    return found


async def undo(db: Any, keep: int, merge_id: int) -> int:
    """Undo this merge, with its line in the audit log. Returns the contact that is back."""
    back: int = await db.write(_logged, keep, merge_id)
    return back


def _logged(tx: Tx, keep: int, merge_id: int) -> int:
    back = take_apart(tx, keep, merge_id)
    audit.write(tx, audit.entry("contact.unmerged", keep, str(back)))
    return back


def take_apart(tx: Tx, keep: int, merge_id: int) -> int:
    """Raises `NotFound`, and `Conflict` if the contact went into others since."""
    merge = tx.one(store.NEWEST, id=keep)
    if merge is None:
        raise NotFound(N_("There is no such merge here."))
    if merge.id != merge_id:
        raise Conflict(N_("Undo the newer merge of this contact first."))
    for contact_id in sorted((keep, merge.gone_id)):
        tx.lock("contact", contact_id)
    if not tx.run(store.UNPOINT, id=merge.gone_id, keep_id=keep):
        raise Conflict(N_("This contact went into another one since. Undo that first."))
    before = _before.decode(merge.before)
    sides = _names_apart(tx, merge, before)
    _cards_apart(tx, sides)
    _chats_apart(tx, sides)
    for pointer in before.pointers:
        tx.run(store.POINT, id=pointer, gone_id=merge.gone_id, keep_id=keep)
    tx.run(store.COUNT, id=keep, count=-1)
    tx.run(store.DROP, id=merge.id)
    tx.publish(events.Event(events.CONVERSATION_UPDATED, ("conversations",)))
    return merge.gone_id


# ---- names, tags and fields -----------------------------------------------------------------------------------------


def _names_apart(tx: Tx, merge: store.Merge, before: store.Before) -> _Sides:
    """Names go back; one that is new since the merge goes with those it was written beside."""
    keep, gone = _alike(before.keep_names), _alike(before.gone_names)
    chats = [_Chat(*row) for row in tx.all(store.CONVERSATIONS, id=merge.keep_id)]
    written = [_alike(_names.decode(names)) for chat in chats for _, _, names in _since(tx, merge, chat.id)]
    now = tx.all(store.NAMES, id=merge.keep_id)
    new = {pair for names in written if names & gone and not names & keep for pair in names}
    going = [pair for pair in now if _alike([pair]) & (gone | new) - keep]
    for kind, value in going:
        tx.run(store.OWN, kind=kind, value=value, from_id=merge.keep_id, to_id=merge.gone_id)
    return _Sides(merge, before, _alike(set(now) - set(going)), _alike(going))


def _cards_apart(tx: Tx, sides: _Sides) -> None:
    """Each field of the one that stays is its own again, unless somebody changed it since."""
    merge, was, other = sides.merge, sides.before.keep, sides.before.gone
    now = tx.one(store.CARD, id=merge.keep_id)
    assert now is not None
    texts = {
        name: getattr(was, name) if getattr(now, name) == getattr(other, name) else getattr(now, name)
        for name in ("name", "phone", "username", "language")
    }
    had, has = _decoded(was.tags), _decoded(now.tags)
    kept = [tag for tag in has if tag in had or tag not in _decoded(other.tags)]
    old, theirs = _decoded(was.fields), _decoded(other.fields)
    fields = {
        name: value
        for name, value in _decoded(now.fields).items()
        if name in old or name not in theirs or theirs[name] != value
    }
    came_with = was.opted_out_at is None and now.opted_out_at == other.opted_out_at
    since = now.opted_out_at if now.opted_out_at not in (None, was.opted_out_at, other.opted_out_at) else None
    tags.settle(tx, merge.keep_id, has, kept)
    tags.settle(tx, merge.gone_id, [], _decoded(other.tags))
    tx.run(
        store.CARD_BACK, id=merge.keep_id, **texts, tags=_encoded(kept), fields=_encoded(fields),
        opted_out_at=None if came_with else now.opted_out_at,
    )  # fmt: skip
    values = msgspec.structs.asdict(other) | {"opted_out_at": other.opted_out_at or since}
    tx.run(store.CARD_BACK, id=merge.gone_id, **values)


# ---- conversations --------------------------------------------------------------------------------------------------


def _chats_apart(tx: Tx, sides: _Sides) -> None:
    merge = sides.merge
    joined = {chat.keep_id: chat for chat in sides.before.chats if chat.keep_id is not None}
    given = {chat.id: chat for chat in sides.before.chats if chat.keep_id is None}
    chats = [_Chat(*row) for row in tx.all(store.CONVERSATIONS, id=merge.keep_id)]
    for chat in chats:
        tx.lock("conversation", chat.id)
    for chat in chats:
        since = _since(tx, merge, chat.id)
        if chat.id in joined:
            old = joined[chat.id]
            wrote_last = old.keep_was is not None and old.was.heard_at > old.keep_was.heard_at
            theirs, active = _of_gone(sides, since, wrote_last)
            theirs += tx.all(store.MOVED_MESSAGES, merge_id=merge.id, from_id=old.id)
            _split(tx, sides, chat, _Away(old.id, merge.gone_id, theirs, active, old.keep_was, old.was))
        else:
            new = chat.created_at >= merge.at and chat.id not in given
            home_gone = chat.id in given or (new and sides.of(_of_address(chat.address), False))
            theirs, active = _of_gone(sides, since, home_gone)
            others = [id for id, _, _ in since if id not in set(theirs)] if home_gone else theirs
            if home_gone:
                tx.run(store.GIVE_BACK, id=chat.id, contact_id=merge.gone_id)
            if others:
                owner = merge.keep_id if home_gone else merge.gone_id
                was = given[chat.id].was if chat.id in given else None
                _split(tx, sides, chat, _Away(tx.new_id(), owner, others, active != home_gone, was, None))
            else:
                _name_rightly(tx, sides, chat.id, home_gone, given[chat.id].was if chat.id in given else None)


class _Away(msgspec.Struct, frozen=True):
    """The conversation that a part of another becomes. `active`: the bot's memory goes with it; `home_was` and `was`
    are what both sides were at the merge, None for one that was not."""

    id: int
    owner: int
    messages: list[int]
    active: bool
    home_was: joining.Thread | None
    was: joining.Thread | None


def _since(tx: Tx, merge: store.Merge, chat_id: int) -> list[tuple[int, str, str]]:
    """(message, direction, names) of what came since the merge, in order."""
    return tx.all(store.SINCE, id=chat_id, at=merge.at, merge_id=merge.id)


def _of_gone(sides: _Sides, since: list[tuple[int, str, str]], start: bool) -> tuple[list[int], bool]:
    """Which messages are of the one that went, and whether it wrote last."""
    theirs, is_gone = [], start
    for id, _direction, names in since:
        found = _alike(_names.decode(names))
        if found:
            is_gone = sides.of(found, is_gone)
        if is_gone:
            theirs.append(id)
    return theirs, is_gone


def _split(tx: Tx, sides: _Sides, chat: _Chat, away: _Away) -> None:
    """Some messages of a conversation go, with all that belongs to them, to one that is made for them."""
    now = tx.one(joining.THREAD, id=chat.id)
    assert now is not None
    taken = _unread(tx, chat.id, now, away)
    tx.run(
        store.INSERT_CHAT, id=away.id, channel_id=chat.channel_id, contact_id=away.owner, thread=chat.thread,
        address=chat.address, created_at=chat.created_at,
    )  # fmt: skip
    gone = {"to_id": away.id, "id": chat.id, "merge_id": sides.merge.id, "from_id": away.id}
    for back in (store.TURNS_BACK, store.RAW_BACK, store.JOBS_BACK):
        tx.run(back, **gone)
    if away.active:
        tx.run(store.WAITS, id=chat.id, to_id=away.id, subject=str(away.id))
    tx.run(store.JOBS_NAMED, id=away.id, subject=str(away.id))
    for id in away.messages:
        tx.run(store.MOVE_MESSAGE, id=id, to_id=away.id, id_from=chat.id)
        tx.run(store.RAW_OF, id=id, to_id=away.id, id_from=chat.id)
        for statement in (store.TURN_OF, store.OUTBOX_OF, store.GATHERED_OF):
            tx.run(statement, id=id, to_id=away.id)
    _settle(tx, chat.id, now, (away.home_was if away.active else now), now.unread - taken)
    _settle(tx, away.id, now, (now if away.active else away.was), taken)
    is_gone = away.owner == sides.merge.gone_id
    _name_rightly(tx, sides, chat.id, not is_gone, away.home_was)
    _name_rightly(tx, sides, away.id, is_gone, away.was)


def _unread(tx: Tx, chat_id: int, now: joining.Thread, away: _Away) -> int:
    """How many of the unread messages go: those that were unread at the merge, and its part of the newest. If somebody
    read it since, its part of the newest alone."""
    before = sum(was.unread for was in (away.home_was, away.was) if was is not None)
    theirs = away.was.unread if away.was is not None else 0
    if now.unread < before:
        before = theirs = 0
    newest = tx.all(store.NEWEST_UNREAD, id=chat_id, limit=min(now.unread - before, UNREAD))
    return theirs + len(set(newest) & set(away.messages))


def _settle(tx: Tx, chat_id: int, now: joining.Thread, memory: joining.Thread | None, unread: int) -> None:
    """What the list shows comes from the messages that are there; everything else from `memory`. Places go on from
    where they were in both, so that what is still to be sent keeps its order."""
    last = tx.one(store.SUMMARY, id=chat_id)
    heard = tx.one(store.LAST_HEARD, id=chat_id) or 0
    values = msgspec.structs.asdict(memory or _anew(now))
    values |= {"places": now.places, "unread": unread, "heard_at": heard}
    if values["team_id"] is not None and tx.one(store.TEAM, id=values["team_id"]) is None:
        values["team_id"] = None  # it was removed since
    values |= {"last_id": last[0], "last_at": last[1], "snippet": last[2][:160]} if last else {"last_id": None}
    tx.run(joining.JOINED, id=chat_id, **values)


def _anew(now: joining.Thread) -> joining.Thread:
    """A conversation that nobody has yet and in which the bot remembers nothing."""
    return joining.Thread(
        now.address, "{}", None, "", "bot", None, None, None, "", None, 0, 0, 0, now.last_at, None, ""
    )


def _name_rightly(tx: Tx, sides: _Sides, chat_id: int, is_gone: bool, was: joining.Thread | None) -> None:
    """The address holds names of its owner only: those it had at the merge, or that the contact has."""
    now = tx.one(joining.THREAD, id=chat_id)
    assert now is not None
    foreign = sides.keep if is_gone else sides.gone
    own = dict(tx.all(store.NAMES, id=sides.merge.gone_id if is_gone else sides.merge.keep_id))
    found, known = _address.decode(now.address), _address.decode(was.address) if was else Address()
    values = {}
    for field in Address.__struct_fields__:
        value, alias = getattr(found, field), Address(**{field: getattr(found, field)}).aliases()
        if alias and _alike(alias) & foreign:
            value = own.get(alias[0][0], "")
        values[field] = getattr(known, field) or value
    thread = msgspec.structs.replace(now, address=_encoded(Address(**values)))
    tx.run(joining.JOINED, id=chat_id, **msgspec.structs.asdict(thread))


def _of_address(address: str) -> Names:
    return _alike(_address.decode(address).aliases())


def _decoded(text: str) -> Any:
    return msgspec.json.decode(text)


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()
