"""Another encryption key for what is stored (S31): `parley keys rotate`.

The new key is in the key file before anything is sealed with it. Everything sealed is sealed again, a hundred values to
a commit; then all of it is read once more, and only when all of it opens under the new key do the older keys leave the
database, and a day later the file. A stop in between leaves both keys in place, and the next start goes on.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from app import configuring, second_factor, vault, webhooks
from app.audit import entry, logged
from app.db import Query, Reader, Statement, Tx
from app.security import keyfile
from app.security.secrets import CANARY, CANARY_PLACE, Keyring, Unreadable, kid_of
from app.store import keys as canaries
from app.store import sealed
from app.store.sealed import Cell

if TYPE_CHECKING:
    from app.runtime import Runtime

log = logging.getLogger(__name__)

BATCH: Final = 100


class Rotated(NamedTuple):
    """`kid`: the key in use; `sealed`: values sealed again; `unreadable`: values that
    no key opens, left as they are."""

    kid: str
    sealed: int
    unreadable: int


Renew = Callable[[str, str], str]  # a sealed text and its place in, a text out


class Column(NamedTuple):
    """Where sealed texts are: `page` reads the next cells, `put` writes one, `change` takes `Renew` to each text of a
    cell."""

    page: Query[Cell]
    put: Statement
    change: Callable[[Cell, Renew], str]


def each(place: Callable[[int], str], cell: Cell, renew: Renew) -> str:
    return renew(cell.text, place(cell.id)) if cell.text else ""


def by_name(cell: Cell, renew: Renew) -> str:
    texts = msgspec.json.decode(cell.text, type=dict[str, str])
    changed = {name: renew(text, configuring.place(cell.id, name)) for name, text in texts.items()}
    return cell.text if changed == texts else msgspec.json.encode(changed).decode()


COLUMNS: Final = (
    Column(sealed.CHANNELS, sealed.PUT_CHANNEL, by_name),
    Column(sealed.SECRETS, sealed.PUT_SECRET, partial(each, vault.place)),
    Column(sealed.WEBHOOKS, sealed.PUT_WEBHOOK, partial(each, webhooks.place)),
    Column(sealed.FORMER, sealed.PUT_FORMER, partial(each, webhooks.place)),
    Column(sealed.SEEDS, sealed.PUT_SEED, partial(each, second_factor.place)),
)


async def rotate(rt: "Runtime") -> Rotated:
    """A new key, and everything sealed with it. One that was cut short is finished first.

    Raises `Misconfigured` where the key file may not be changed; then nothing was.
    """
    await finish(rt)
    file = keyfile.read_keys(rt.settings)
    assert file is not None
    file = keyfile.renewed(rt.settings, keyfile.without_old(rt.settings, file, rt.clock.now()))
    rt.keys.turn(file.current, keyfile.decode(file))
    canary = rt.keys.seal(CANARY, CANARY_PLACE + file.current)
    await rt.db.write(logged, entry("keys.rotated", file.current), canaries.insert, file.current, canary)
    return await finish(rt)


async def finish(rt: "Runtime") -> Rotated:
    """Seal whatever an older key still seals, and let go of the older keys. Nothing to do is the rule."""
    current = rt.keys.current
    if {row.kid for row in await rt.db.reader.all(canaries.ALL)} <= {current}:
        return Rotated(current, 0, 0)
    done = 0
    for column in COLUMNS:
        after: int | None = 0
        while after is not None:
            after, count = await rt.db.write(reseal, rt.keys, column, after)
            done += count
    unreadable = await left_over(rt.db.reader, rt.keys)
    if unreadable:
        log.error("keys: %d values do not open, so the older key stays; see `parley doctor`", unreadable)
        return Rotated(current, done, unreadable)
    # First in the file: as long as the database knows an older key, the next start comes here again.
    file = keyfile.read_keys(rt.settings)
    if file is not None:
        keyfile.retire(rt.settings, file, rt.clock.now())
    await rt.db.write(canaries.keep_only, current)
    return Rotated(current, done, 0)


def reseal(tx: Tx, keys: Keyring, column: Column, after: int) -> tuple[int | None, int]:
    """The next values of a column under the current key. Returns the last id, None at the end, and how many."""
    cells, count = tx.all(column.page, after=after, limit=BATCH), 0
    for cell in cells:
        try:
            text = column.change(cell, keys.renew)
        except Unreadable:
            continue  # counted by `left_over`
        if text != cell.text:
            tx.run(column.put, id=cell.id, text=text, was=cell.text)
            count += 1
    return (cells[-1].id if len(cells) == BATCH else None), count


async def left_over(db: Reader, keys: Keyring) -> int:
    """How many values do not open under the current key alone."""

    def proved(text: str, place: str) -> str:
        if kid_of(text) != keys.current:
            raise Unreadable(f"the secret at {place} is sealed with an older key")
        keys.open(text, place)
        return text

    count = 0
    for column in COLUMNS:
        after: int | None = 0
        while after is not None:
            cells = await db.all(column.page, after=after, limit=BATCH)
            for cell in cells:
                try:
                    column.change(cell, proved)
                except Unreadable:
                    count += 1
            after = cells[-1].id if len(cells) == BATCH else None
    return count
