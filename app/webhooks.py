"""Webhooks: what happens is sent to addresses of programs, at least once each, signed as Standard Webhooks says (P25).

Events become deliveries in the order of commits, each webhook from its own position, so that none is left out over a
kill or a night without network. A delivery is tried ten times over three days; then the webhook is switched off and
says why. The same `webhook-id` comes with every try: a receiver that keeps them sees each event once.
"""

import asyncio
import base64
import logging
import secrets
from collections import Counter
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import msgspec

from app import deliveries, feed, settle, views
from app.audit import entry, logged
from app.clock import Clock
from app.db import Database, DatabaseError, Tx
from app.db.journal import EVENTS_AFTER
from app.errors import Conflict, Invalid, NotFound
from app.events import StoredEvent
from app.said import N_, Sentence
from app.security.addresses import OutboundError, check_url
from app.security.outbound import Answer, Outbound
from app.security.secrets import Keyring
from app.store import events as stored
from app.store import webhooks as store

TIMEOUT: Final = 15.0
AT_ONCE: Final = 32
BATCH: Final = 200
ROTATION: Final = 24 * deliveries.HOUR  # so long both secrets sign
MOST: Final = 50
IDLE: Final = 5.0

TEST: Final = "test"
SWITCHED_OFF: Final = N_("The webhook was switched off.")
log = logging.getLogger(__name__)


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


# ---- what people do -------------------------------------------------------------------------------------------------


class Webhooks:
    """Makes deliveries of events and sends them. `wake` after any change to the rows."""

    def __init__(self, db: Database, clock: Clock, keys: Keyring, client: Outbound, allow: frozenset[str]) -> None:
        self._db, self._clock, self._keys, self._client, self._allow = db, clock, keys, client, allow
        self._wake, self._news = asyncio.Event(), asyncio.Event()
        self._running: dict[asyncio.Task[None], int] = {}
        self._any = False
        db.listen(self._heard)

    def _heard(self, found: list[StoredEvent]) -> None:
        if self._any:
            self._news.set()

    def wake(self) -> None:
        self._any = True
        self._news.set()
        self._wake.set()

    async def create(self, url: str, types: list[str], channel_id: int | None, user_id: int | None) -> tuple[int, str]:
        """The id and the secret, which is told this once. From now on: what happened before is not sent."""
        self.check(url, types)
        secret = new_secret()
        line = entry("webhook.created", place_of(url))
        webhook_id: int = await self._db.write(
            logged, line, insert, self._keys, url, types_text(types), channel_id, secret, user_id
        )
        self.wake()
        return webhook_id, secret

    async def change(self, webhook_id: int, url: str, types: list[str], channel_id: int | None) -> None:
        self.check(url, types)
        line = entry("webhook.changed", place_of(url))
        await self._db.write(logged, line, change, webhook_id, url, types_text(types), channel_id)
        self.wake()

    async def rotate(self, webhook_id: int) -> str:
        """A new secret; for a day both sign, so that a receiver can change over."""
        secret = new_secret()
        await self._db.write(logged, entry("webhook.rotated", webhook_id), rotate, self._keys, webhook_id, secret)
        return secret

    def check(self, url: str, types: list[str]) -> None:
        """Raises `Invalid` for an address that is not allowed (S26), or a type that does not exist."""
        try:
            check_url(url, self._allow)
        except OutboundError as error:
            raise Invalid(error.said, fields={"url": error.said}) from None
        if set(types) - feed.TYPES:
            said = N_("There are the types {names}.", names=", ".join(sorted(feed.TYPES)))
            raise Invalid(said, fields={"types": said})

    async def test(self, webhook_id: int) -> tuple[int, Sentence]:
        """Send a test event now, once. The status (0: none came) and what is wrong, empty if nothing is."""
        row = await self._db.reader.one(store.BY_ID, id=webhook_id)
        if row is None:
            raise NotFound(N_("There is no such webhook."))
        now = self._clock.now()
        body = deliveries.payload(TEST, now, {"webhook_id": str(webhook_id)})
        one = store.Delivery(now, webhook_id, 0, TEST, body, "waiting", 1, now, 0, "", 0, now, now)
        answer, said, _again = await self._post(row, one)
        return (0 if answer is None else answer.status), said

    # ---- making deliveries ------------------------------------------------------------------------------------------

    async def spool(self) -> None:
        """For ever: events become deliveries."""
        while True:
            self._news.clear()
            try:
                more = await self._spool_once()
            except DatabaseError as error:
                log.warning("webhooks wait: %s", error)
                await asyncio.sleep(2)
                continue
            if not more:
                await self._rest(self._news, IDLE)

    async def _spool_once(self) -> bool:
        rows = [row for row in await self._db.reader.all(store.ALL) if row.disabled_at is None]
        self._any, more = bool(rows), False
        for row in rows:
            found = await self._db.reader.all(EVENTS_AFTER, after=row.position, limit=BATCH)
            if not found:
                continue
            made = [(event, about) for event in found if (about := await self._wanted(row, event)) is not None]
            await self._db.write(deliveries.store_deliveries, row, found[-1].seq, made)
            more = more or len(found) == BATCH
            if made:
                self._wake.set()
        return more

    async def _wanted(self, row: store.Webhook, event: StoredEvent) -> str | None:
        """The body of the delivery, or None for what this webhook does not want."""
        if event.type not in feed.TYPES or (row.types and event.type not in row.types.split()):
            return None
        told = feed.made(event, await views.about(self._db.reader, event))
        if row.channel_id is not None and told.channel != str(row.channel_id):
            return None
        return deliveries.payload(event.type, event.at, msgspec.json.decode(told.body)["data"])

    # ---- sending ----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """For ever: due deliveries are sent, a few at a time to each webhook."""
        while True:
            self._wake.clear()
            busy = Counter(self._running.values())
            if busy.total() >= AT_ONCE:
                await self._wake.wait()
                continue
            try:
                found, next_due = await self._db.write(deliveries.claim, AT_ONCE - busy.total(), busy)
            except DatabaseError as error:
                log.warning("deliveries wait: %s", error)
                await asyncio.sleep(2)
                continue
            for webhook, delivery in found:
                task = asyncio.get_running_loop().create_task(self._deliver(webhook, delivery))
                self._running[task] = webhook.id
                task.add_done_callback(self._ended)
            if not found:
                wait = IDLE if next_due is None else (next_due - self._clock.now()) / 1000
                await self._rest(self._wake, min(IDLE, max(0.05, wait)))

    async def close(self) -> None:
        """What is under way is broken off and sent again after the next start."""
        running = set(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._wake.set()

    async def _rest(self, event: asyncio.Event, seconds: float) -> None:
        # Not wait_for: that of Python 3.11 swallows a cancellation that comes together with the event.
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()

    async def _deliver(self, webhook: store.Webhook, delivery: store.Delivery) -> None:
        started = self._clock.monotonic()
        answer, said, again = await self._post(webhook, delivery)
        took = int((self._clock.monotonic() - started) * 1000)
        status = 0 if answer is None else answer.status
        try:
            await self._db.write(deliveries.settle_delivery, delivery, status, str(said), again, took)
        except DatabaseError as error:
            log.warning("what came of a delivery waits: %s", error)  # it is tried again when its lease ends

    async def _post(self, row: store.Webhook, delivery: store.Delivery) -> tuple[Answer | None, Sentence, int]:
        """The answer, what is wrong ('' if nothing), and the wait that the receiver asked for, in ms."""
        now = self._clock.now()
        keys = [self._keys.open(row.secret, place(row.id))]
        if row.former_secret and row.rotated_at is not None and now - row.rotated_at < ROTATION:
            keys.append(self._keys.open(row.former_secret, place(row.id)))
        try:
            answer = await self._client.request(
                "POST", row.url, headers=deliveries.headers(delivery, tuple(keys), now), body=delivery.body.encode(),
                timeout=TIMEOUT,
            )  # fmt: skip
        except OutboundError as error:
            return None, error.said, 0
        if 200 <= answer.status < 300:
            return answer, "", 0
        return answer, N_("It answered {status}.", status=answer.status), deliveries.wait_of(answer.retry_after, now)


def place_of(url: str) -> str:
    """Where it goes, without what may be secret in a path or query."""
    return urlsplit(url).netloc


def types_text(types: list[str]) -> str:
    return " ".join(sorted(set(types)))


def place(webhook_id: int) -> str:
    """Where a webhook's secret belongs: sealed for one place, it opens in no other."""
    return f"webhook.{webhook_id}"


# ---- units of work --------------------------------------------------------------------------------------------------


def insert(
    tx: Tx, keys: Keyring, url: str, types: str, channel_id: int | None, secret: str, user_id: int | None
) -> int:
    if len(tx.all(store.ALL)) >= MOST:
        raise Conflict(N_("There are {most} webhooks already.", most=MOST))
    webhook_id = tx.new_id()
    tx.run(
        store.INSERT, id=webhook_id, url=url, types=types, channel_id=channel_id,
        secret=keys.seal(secret, place(webhook_id)), position=newest(tx), user_id=user_id, now=tx.now,
    )  # fmt: skip
    return webhook_id


def newest(tx: Tx) -> int:
    return tx.one(stored.NEWEST) or 0


def get(tx: Tx, webhook_id: int) -> store.Webhook:
    row = tx.one(store.BY_ID, id=webhook_id)
    if row is None:
        raise NotFound(N_("There is no such webhook."))
    return row


def change(tx: Tx, webhook_id: int, url: str, types: str, channel_id: int | None) -> None:
    get(tx, webhook_id)
    tx.run(store.CHANGE, id=webhook_id, url=url, types=types, channel_id=channel_id)


def rotate(tx: Tx, keys: Keyring, webhook_id: int, secret: str) -> None:
    get(tx, webhook_id)
    tx.run(store.ROTATE, id=webhook_id, secret=keys.seal(secret, place(webhook_id)), now=tx.now)


def switch(tx: Tx, webhook_id: int, on: bool) -> None:
    """Switched off, nothing more is sent; switched on again it begins with what happens from then on."""
    row = get(tx, webhook_id)
    if on and row.disabled_at is not None:
        tx.run(store.ENABLE, id=webhook_id, position=newest(tx))
        settle.attention(tx)
    elif not on:
        tx.run(store.DISABLE, id=webhook_id, why="", now=tx.now)
        tx.run(store.FAIL_WAITING, webhook_id=webhook_id, problem=str(SWITCHED_OFF))


def delete(tx: Tx, webhook_id: int) -> None:
    if not tx.run(store.DELETE, id=webhook_id):
        raise NotFound(N_("There is no such webhook."))


def replay(tx: Tx, webhook_id: int, delivery_id: int) -> None:
    """The same delivery again, with its whole schedule before it."""
    row = tx.one(store.ONE, id=delivery_id)
    if row is None or row.webhook_id != webhook_id:
        raise NotFound(N_("There is no such delivery."))
    if get(tx, webhook_id).disabled_at is not None:
        raise Conflict(N_("The webhook is switched off. Switch it on first."))
    tx.run(store.AGAIN, id=delivery_id, now=tx.now)
