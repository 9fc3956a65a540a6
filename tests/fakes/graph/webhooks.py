"""Webhooks as Meta sends them: escaped, signed, batched, at least once and in no promised order."""

import asyncio
import hmac
import json
import random
import time
from collections import deque
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import msgspec

from .client import Client
from .config import Number, Settings
from .truth import Posted, Truth


class Update(msgspec.Struct):
    """One message, status or other change. `part` is the list in `value` it belongs to; empty = `item` is the value."""

    number: Number
    field: str
    part: str
    item: dict[str, Any]
    contact: dict[str, Any] | None = None
    id: str = ""
    time: int | None = None
    duplicate: bool = False
    posted: asyncio.Event | None = None  # set once a POST with it was answered 200


class _Post(msgspec.Struct):
    n: int
    body: bytes
    updates: list[Update]
    first: int
    attempt: int = 0


def escaped(value: Any) -> bytes:
    """JSON with non-ASCII as \\uXXXX in lower case and `/` as `\\/`: the form that is signed."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def signature(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()


def envelope(updates: list[Update]) -> dict[str, Any]:
    """Neighbours for the same number and field share one `value`."""
    entries: list[dict[str, Any]] = []
    value: dict[str, Any] = {}
    last: tuple[str, str, str] | None = None
    for update in updates:
        number = update.number
        key = (number.phone_number_id, update.field, update.part)
        if not update.part or key != last:
            value = _value(update)
            change = {"value": value, "field": update.field}
            if entries and entries[-1]["id"] == number.waba and update.time is None and "time" not in entries[-1]:
                entries[-1]["changes"].append(change)
            else:
                stamp = {} if update.time is None else {"time": update.time}
                entries.append({"id": number.waba, **stamp, "changes": [change]})
        if update.part:
            if update.contact and update.contact not in value.setdefault("contacts", []):
                value["contacts"].append(update.contact)
            value.setdefault(update.part, []).append(update.item)
        last = key
    return {"object": "whatsapp_business_account", "entry": entries}


def _value(update: Update) -> dict[str, Any]:
    if not update.part:
        return update.item
    number = update.number
    shown = {"display_phone_number": number.display_phone_number, "phone_number_id": number.phone_number_id}
    return {"messaging_product": "whatsapp", "metadata": shown}


class Endpoint:
    """One callback with its secret: verified first, then fed."""

    def __init__(self, number: Number, settings: Settings, truth: Truth, dice: random.Random) -> None:
        self.url, self.secret, self.token = number.webhook, number.app_secret, number.verify_token
        self.settings, self.truth, self.dice = settings, truth, dice
        self.clock: Callable[[], int] = lambda: int(time.time() * 1000)
        self.client = Client()
        self.waiting: deque[Update] = deque()
        self.open = 0  # posts that wait for their 200, held back updates included
        self.posts = 0
        self.verified = asyncio.Event()
        self.wake = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        if not self.settings.verify:
            self.verified.set()
        for _ in range(self.settings.webhook_connections):
            self._spawn(self._work())

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def close(self) -> None:
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.client.close()

    @property
    def idle(self) -> bool:
        return not self.waiting and not self.open

    async def handshake(self) -> bool:
        """Asks the callback to return a challenge. Nothing is delivered before it did."""
        challenge = str(self.dice.randrange(10**9, 10**10))
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": self.token}
        joint = "&" if "?" in self.url else "?"
        try:
            status, body = await self.client.request("GET", self.url + joint + urlencode(query), {}, b"", 10.0)
        except OSError:
            return False
        if status == 200 and body == challenge.encode():
            self.verified.set()
        return self.verified.is_set()

    def push(self, update: Update) -> None:
        if self.settings.reorder and self.dice.random() < self.settings.reorder:
            self._spawn(self._push_later(update, self.dice.uniform(0.02, 0.3)))
        else:
            self.waiting.append(update)
            self.wake.set()

    async def _push_later(self, update: Update, delay: float) -> None:
        self.open += 1
        try:
            await asyncio.sleep(delay)
        finally:
            self.open -= 1
        self.waiting.append(update)
        self.wake.set()

    async def _work(self) -> None:
        while not self.verified.is_set():
            if not await self.handshake():
                await asyncio.sleep(0.25)
        while True:
            while not self.waiting:
                self.wake.clear()
                await self.wake.wait()
            if self.settings.batch_linger:
                await asyncio.sleep(self.settings.batch_linger)
            if batch := self._take():
                await self._deliver(self._new(batch))

    def _take(self) -> list[Update]:
        count = min(len(self.waiting), self.settings.batch)
        if self.settings.batch_random and count:
            count = self.dice.randint(1, count)
        return [self.waiting.popleft() for _ in range(count)]

    def _new(self, batch: list[Update]) -> _Post:
        self.posts += 1
        return _Post(self.posts, escaped(envelope(batch)), batch, self.clock())

    async def _deliver(self, post: _Post) -> None:
        self.open += 1
        try:
            if await self._attempt(post) != 200:
                self._spawn(self._retry(post))
                return
        finally:
            self.open -= 1
        for update in post.updates:
            if update.posted:
                update.posted.set()
        again = self.settings.duplicate and self.dice.random() < self.settings.duplicate
        if post.attempt >= 0 and (again or any(update.duplicate for update in post.updates)):
            self._spawn(self._again(post))

    async def _again(self, post: _Post) -> None:
        copy = _Post(post.n, post.body, post.updates, post.first, -1)
        self.open += 1
        try:
            await asyncio.sleep(self.dice.uniform(0, 0.1))
            await self._attempt(copy)
        finally:
            self.open -= 1

    async def _retry(self, post: _Post) -> None:
        settings = self.settings
        self.open += 1
        try:
            if post.attempt:
                await asyncio.sleep(min(settings.retry_base * 2.0 ** (post.attempt - 1), settings.retry_cap))
        finally:
            self.open -= 1
        post.attempt += 1
        if self.clock() - post.first <= settings.drop_after * 1000:
            await self._deliver(post)

    async def _attempt(self, post: _Post) -> int:
        """The answer's status, 0 if there was none. Every attempt is written to the truth file."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": signature(self.secret, post.body),
        }
        status, error = 0, ""
        try:
            status, _ = await self.client.request("POST", self.url, headers, post.body, self.settings.webhook_timeout)
        except OSError as failure:
            error = type(failure).__name__
        ids = [update.id for update in post.updates]
        digest = sha256(post.body).hexdigest()
        line = Posted(
            n=post.n,
            at=self.clock(),
            url=self.url,
            attempt=post.attempt,
            status=status,
            error=error,
            sha256=digest,
            ids=ids,
        )
        self.truth.write(line)
        return status
