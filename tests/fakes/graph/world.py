"""All that the server knows: numbers, users, media, templates, limits, faults, the truth, and who waits for what."""

import asyncio
import random
import time
from collections import Counter, OrderedDict, deque
from typing import Any

from . import limits, templates
from .config import Config, Number, changed
from .faults import Faults
from .media import Shelf
from .people import People, Person
from .truth import Accepted, Truth
from .webhooks import Endpoint, Update


class World:
    def __init__(self, config: Config, truth: Truth) -> None:
        self.settings, self.truth = config.settings, truth
        self.base = ""  # address of this server, set when it listens
        self.offset = 0  # ms added to the clock
        self.dice = random.Random(self.settings.seed)
        self.faults = Faults(self.dice)
        self.people = People()
        self.media = Shelf()
        self.templates: dict[str, list[dict[str, Any]]] = {}
        self.edits: dict[str, list[int]] = {}  # when a template was edited, by its id
        self.locked: dict[tuple[str, str], int] = {}  # names of deleted templates, by account, until when
        self.uploads: dict[str, int] = {}  # begun uploads of examples, with the length that was said
        self.handles: set[str] = set()
        self.numbers: dict[str, Number] = {}
        self.hooks: dict[tuple[str, str], Endpoint] = {}
        self.overrides: dict[str, str] = {}  # callback set over the API, by phone number id or account id
        self.accepted: deque[Accepted] = deque(maxlen=self.settings.keep)
        self.bodies: deque[bytes] = deque(maxlen=self.settings.keep)
        self.total = 0
        self.refused: Counter[int] = Counter()
        self.known: OrderedDict[str, tuple[int, str]] = OrderedDict()  # message id: (when, type), both directions
        self.read: list[dict[str, Any]] = []  # what was marked read
        self.waiters: list[tuple[int, asyncio.Future[None]]] = []
        self.watchers: list[Any] = []  # called with every accepted send and its body
        self.tasks: set[asyncio.Task[Any]] = set()
        self.set_limits()
        for number in config.numbers:
            self.add_number(number)
        for template in config.templates:
            self.templates.setdefault(config.numbers[0].waba, []).append(templates.complete(template))

    def now(self) -> int:
        return int(time.time() * 1000) + self.offset

    def set_limits(self) -> None:
        settings = self.settings
        self.throughput = limits.per_second(settings.throughput)
        self.pairs = limits.Pace(settings.pair_every * 1000, settings.pair_burst)
        self.management = limits.per_hour(settings.management_per_hour)

    def change_settings(self, changes: dict[str, Any]) -> None:
        """Takes effect at once; what the limits counted so far is forgotten if they change."""
        fresh = changed(self.settings, changes)
        for name in changes:
            setattr(self.settings, name, getattr(fresh, name))
        if set(changes) & {"throughput", "pair_every", "pair_burst", "management_per_hour"}:
            self.set_limits()

    def add_number(self, number: Number) -> None:
        self.numbers[number.phone_number_id] = number
        self.templates.setdefault(number.waba, [templates.complete(each) for each in templates.FIRST])

    # --- time and tasks

    def later(self, delay: float, call: Any, *arguments: Any) -> None:
        asyncio.get_running_loop().call_later(delay, call, *arguments)

    def spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    # --- webhooks

    def endpoint(self, number: Number) -> Endpoint | None:
        """Where this number's webhooks go: the number's own callback, then its account's, then its app's."""
        url = self.overrides.get(number.phone_number_id) or self.overrides.get(number.waba) or number.webhook
        if not url or not number.subscribed:
            return None
        key = (url, number.app_secret)
        if key not in self.hooks:
            endpoint = Endpoint(changed(number, {"webhook": url}), self.settings, self.truth, self.dice)
            endpoint.clock = self.now
            self.hooks[key] = endpoint
            endpoint.start()
        return self.hooks[key]

    def push(self, update: Update) -> None:
        if endpoint := self.endpoint(update.number):
            endpoint.push(update)

    # --- messages

    def note(self, message_id: str, kind: str) -> None:
        self.known[message_id] = (self.now(), kind)
        if len(self.known) > self.settings.keep:
            self.known.popitem(last=False)

    def open_window(self, number: Number, person: Person, at: int) -> None:
        person.windows = {**person.windows, number.phone_number_id: at}

    def window_open(self, number: Number, person: Person | None) -> bool:
        hours = self.settings.window_hours
        since = person.windows.get(number.phone_number_id) if person else None
        return not hours or (since is not None and self.now() - since < hours * 3_600_000)

    def accept(self, line: Accepted, body: bytes) -> None:
        """The moment of truth: after this the message counts as accepted, whatever the caller gets to hear."""
        self.truth.write(line)
        self.total = line.n
        self.accepted.append(line)
        self.bodies.append(body)
        if self.waiters:
            self._wake()
        for watcher in self.watchers:
            watcher(line, body)

    def _wake(self) -> None:
        for count, future in self.waiters:
            if self.total >= count and not future.done():
                future.set_result(None)
        self.waiters = [waiter for waiter in self.waiters if not waiter[1].done()]

    async def wait_accepted(self, count: int, seconds: float) -> None:
        """Raises `TimeoutError`."""
        if self.total < count:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiters.append((count, future))
            async with asyncio.timeout(seconds):
                await future

    async def close(self) -> None:
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for endpoint in self.hooks.values():
            await endpoint.close()
        self.truth.close()
