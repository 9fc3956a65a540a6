"""Erasing one person: messages, files, turns, raw updates and names go; tombstones stay so that a late repeat is not
new."""

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from app import events, retention, statistics
from app.audit import entry, logged
from app.bot.scene import State
from app.db import Database, Statement, Tx
from app.errors import NotFound, Unavailable
from app.said import N_
from app.store import erasure as store

if TYPE_CHECKING:
    from app.runtime import Runtime
    from app.storage import Store

SHORTEST_NAME = 5  # a shorter one stands in anything


async def contact(rt: "Runtime", contact_id: int) -> int:
    """Erase a contact and everything of it. Returns how many messages are gone. Files no other message uses are
    deleted."""
    erased = 0
    while step := await rt.db.bulk(messages, contact_id):
        erased += step
    # Only the number: the log is kept longer than the person.
    await _forget(rt.db, rt.media, await rt.db.bulk(logged, entry("contact.erased", contact_id), remains, contact_id))
    await rt.db.truncate()
    return erased


async def _forget(db: Database, files: "Store", orphans: list[str]) -> None:
    for sha256 in orphans:
        with suppress(Unavailable, OSError):  # its job tries again
            await retention.forget(db, files, sha256)


def messages(tx: Tx, contact_id: int) -> int:
    """Up to a hundred messages: their tombstones first, then the rows."""
    if tx.one(store.CONTACT, id=contact_id) is None:
        raise NotFound(N_("There is no such contact."))
    rows = tx.all(store.MESSAGES, contact_id=contact_id)
    for message_id, channel_id, provider_id in rows:
        _drop(tx, message_id, channel_id, provider_id)
        statistics.touched(tx, message_id)
    return len(rows)


def _drop(tx: Tx, message_id: int, channel_id: int, provider_id: str | None) -> None:
    if provider_id is not None:
        tx.run(store.TOMBSTONE, channel_id=channel_id, provider_id=provider_id, now=tx.now)
    tx.run(store.DROP_RECEIPTS, message_id=message_id)
    tx.run(store.UNLINK_MEDIA, message_id=message_id)
    tx.run(store.DROP_MESSAGE, id=message_id)


async def disappeared(db: Database, media: "Store") -> int:
    """Messages whose time is up, as their chat's setting says: they go from here as they go from the phone, with their
    files. What was counted of them stays counted. Returns how many."""
    count = 0
    while step := await db.bulk(expire):
        count += step
    if count:
        await _forget(db, media, await db.bulk(_orphans))
        await db.truncate()
    return count


def expire(tx: Tx) -> int:
    """Up to a hundred of them."""
    rows = tx.all(store.EXPIRED, now=tx.now)
    for message_id, channel_id, provider_id, conversation_id in rows:
        _unlearn(tx, conversation_id, message_id)
        tx.run(store.DROP_TOLD, conversation_id=conversation_id)
        tx.run(store.DROP_DELIVERIES, conversation_id=conversation_id, message_id=message_id)
        tx.run(store.DROP_RAW_OF, conversation_id=conversation_id, message_id=message_id)
        tx.run(store.DROP_TURN, message_id=message_id)
        tx.run(store.DROP_SNIPPET, conversation_id=conversation_id, message_id=message_id)
        _drop(tx, message_id, channel_id, provider_id)
        tx.publish(events.in_conversation(events.MESSAGE_UPDATED, conversation_id, message_id, "conversations"))
    return len(rows)


class _Before(msgspec.Struct, frozen=True):
    """Of a turn's input, the bot's variables before it."""

    scene: "_After"


class _After(msgspec.Struct, frozen=True):
    """What holds the bot's state: a scene, or a decision."""

    state: State


def _unlearn(tx: Tx, conversation_id: int, message_id: int) -> None:
    """The bot forgets the variables that the message's turn set, as far as they are still as it set them."""
    tx.lock("conversation", conversation_id)
    turn, text = tx.one(store.TURN, message_id=message_id), tx.one(store.STATE, conversation_id=conversation_id)
    if turn is None or text is None:
        return
    before = msgspec.json.decode(turn[0], type=_Before).scene.state.variables
    after = msgspec.json.decode(turn[1], type=_After).state.variables
    learned = {name: value for name, value in after.items() if name not in before or before[name] != value}
    state = msgspec.json.decode(text, type=State)
    left = {name: value for name, value in state.variables.items() if name not in learned or learned[name] != value}
    if left != state.variables:
        kept = msgspec.json.encode(msgspec.structs.replace(state, variables=left)).decode()
        tx.run(store.KEEP_STATE, conversation_id=conversation_id, state=kept)


def _orphans(tx: Tx) -> list[str]:
    """Rows of files without a message go; what they let go of is told, and left to a job as well."""
    found = tx.all(store.ORPHAN_FILES)
    tx.run(store.DROP_ORPHANS)
    for sha256 in found:
        retention.release(tx, sha256)
    return found


def remains(tx: Tx, contact_id: int) -> list[str]:
    """Messages that came meanwhile, raw updates, turns, conversations, names. Returns the hashes of
    files that nothing refers to any more."""
    for conversation_id in tx.all(store.CONVERSATIONS, contact_id=contact_id):
        tx.lock("conversation", conversation_id)
    while messages(tx, contact_id):
        pass
    _drop_unfiled(tx, contact_id)
    for statement in (
        store.DROP_ALL_DELIVERIES,
        store.DROP_RAW,
        store.DROP_TURNS,
        store.DROP_CONVERSATIONS,
        store.DROP_MERGED,
        store.DROP_CONTACT,
    ):
        tx.run(statement, contact_id=contact_id)
    return _orphans(tx)


def _drop_unfiled(tx: Tx, contact_id: int) -> None:
    """Updates kept without a conversation, if one of the person's names stands in them."""
    names = [name.encode() for name in tx.all(store.NAMES, contact_id=contact_id) if len(name) >= SHORTEST_NAME]
    after = 0
    while page := tx.all(store.QUARANTINED, after=after):
        _drop_naming(tx, page, names, store.DROP_QUARANTINED)
        after = page[-1][0]
    _drop_naming(tx, tx.all(store.NOTICES), names, store.DROP_NOTICE)


def _drop_naming(tx: Tx, rows: list[tuple[int, bytes]], names: list[bytes], drop: Statement) -> None:
    for row_id, body in rows:
        if any(name in bytes(body) for name in names):
            tx.run(drop, id=row_id)
