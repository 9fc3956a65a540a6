"""Channels at work: every configured account with its session, its sender and its state.

Reconnecting with back-off is done here, for all networks. What changes a channel goes through `connecting`.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from app import intake, settle
from app.case import Delivery, Here, Intake
from app.clock import Clock
from app.configuring import (
    fold,
    halt,
    place,
    set_state,
    touch,
)
from app.connectors import CONNECTORS
from app.connectors.abilities import (
    Acknowledges,
    KeepsKeys,
    Paces,
    Post,
    PostsUrls,
    Reads,
    ReadsUrls,
    Recalls,
    Webhook,
)
from app.connectors.base import (
    Arrival,
    Channel,
    Connector,
    Inbound,
    Problem,
    SendFailed,
    Session,
    SessionFailed,
    State,
    StatusChange,
)
from app.content import Content
from app.content import decode as decode_content
from app.db import Database, rows
from app.errors import NotFound
from app.health import read_past
from app.models import ChannelRow
from app.outbox import Sender
from app.pace import Pace
from app.said import N_
from app.security.secrets import Keyring
from app.storage import Store
from app.store import channels as store
from app.store import messages as message_rows

FIRST_DELAY = 1.0
LAST_DELAY = 60.0
STABLE = 60.0
SEND_PATIENCE = 10.0
NOT_STARTED = Problem("channel.stopped", "The channel was stopped before this was sent.")
TERMINAL = (State.LOGGED_OUT, State.BROKEN)

log = logging.getLogger(__name__)


ReadUrl = Callable[[str], Awaitable[bytes]]


async def no_file(url: str) -> bytes:
    """Where nothing runs, nothing is sent."""
    raise SendFailed(NOT_STARTED, certain=True, temporary=True)


async def no_post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    raise SendFailed(NOT_STARTED, certain=True, temporary=True)


class Live:
    """One channel at work. `row` is the committed configuration."""

    def __init__(self, row: ChannelRow, connector: Connector, session: Session, sender: Sender, here: Here) -> None:
        self.row = row
        self.connector = connector
        self.session = session
        self.sender = sender
        self.here = here
        self.opened: Channel
        self.webhook = connector if isinstance(connector, Webhook) else None
        self.state = StatusChange(State.STARTING, "starting")
        self.task: asyncio.Task[None] | None = None
        self.received = 0
        self.recalled = False

    @property
    def ended(self) -> bool:
        """It does not connect again by itself."""
        return self.state.state in TERMINAL or self.task is None or self.task.done()

    @property
    def session(self) -> Session:
        return self._session

    @session.setter
    def session(self, session: Session) -> None:
        self._session = session
        # Asked with every notification, and such a question takes as long as reading one.
        self.reads = session if isinstance(session, Reads) else None
        self.acknowledges = session if isinstance(session, Acknowledges) else None


class Channels:
    """All live channels, by id, by the key in their webhook address, by account and by name."""

    def __init__(
        self, db: Database, clock: Clock, keys: Keyring, defaults: Mapping[str, str], files: Store,
        make_intake: Callable[..., Intake],
    ) -> None:  # fmt: skip
        self.db = db
        self._clock = clock
        self.keys = keys
        self._defaults = defaults
        self._files = files
        self.intake = make_intake(send=self._send, wake=self._wake)
        self.by_id: dict[int, Live] = {}
        self.by_key: dict[str, Live] = {}
        self.by_account: dict[tuple[str, str], Live] = {}
        self.read_url: ReadUrl = no_file
        self.post_url: Post = no_post
        self._tasks: set[asyncio.Task[Any]] = set()
        self.changing = asyncio.Lock()

    # ---- start and stop ---------------------------------------------------------------------------------------------

    async def start(self) -> None:
        for row in await self.db.reader.all(store.ALL):
            self.open(row)

    async def stop(self) -> None:
        """Sends under way are given time; sessions are closed."""
        async with self.changing:
            await asyncio.gather(*(self.close(live, SEND_PATIENCE) for live in list(self.by_id.values())))

    def open(self, row: ChannelRow) -> Live:
        connector = CONNECTORS[row.connector]
        opened = self._opened(row)
        session = connector.open_session(opened)
        here = Here(row.id, row.name, row.connector, connector.capabilities, row.version_id)
        pace = Pace(row.rate, pairs=connector.pair_limit, now=self._clock.monotonic())
        sender = Sender(
            self.db, self._clock, row.id, session, pace, self.intake.install, connector.check,
            lambda problem: self._halted(row.id, problem), self._files, connector.capabilities,
        )  # fmt: skip
        if isinstance(session, ReadsUrls):
            session.read_urls_with(self.read_url)
        if isinstance(session, PostsUrls):
            session.post_with(self.post_url)
        if isinstance(session, Recalls):
            session.recall_with(partial(self._said, row.id))
        if isinstance(session, KeepsKeys):
            name = f"{row.connector}_{row.id}"
            session.keep_keys_with(partial(self.db.own_place, name), partial(self.db.drop_place, name))
        live = Live(row, connector, session, sender, here)
        live.opened = opened
        self.by_id[row.id] = self.by_key[row.key] = self.by_account[row.connector, row.account] = live
        self._begin(live)
        return live

    def _begin(self, live: Live) -> None:
        """Send what waits and connect. (At rest, when only rows change, nothing of this happens.)"""
        if live.row.halted_at is None:
            live.sender.start()
        live.task = self._spawn(self._supervise(live))

    def _opened(self, row: ChannelRow) -> Channel:
        """The channel as its connector sees it: settings of the installation, its own, and its secrets in the clear."""
        sealed = msgspec.json.decode(row.secrets, type=dict[str, str])
        config = {**self._defaults, **msgspec.json.decode(row.config, type=dict[str, str])}
        opened = {name: self.keys.open(text, place(row.id, name)) for name, text in sealed.items()}
        return Channel(row.id, row.name, row.account, config, opened, row.key)

    async def close(self, live: Live, patience: float) -> None:
        self.by_id.pop(live.row.id, None)
        self.by_key.pop(live.row.key, None)
        self.by_account.pop((live.row.connector, live.row.account), None)
        await live.sender.stop(patience)
        await live.session.close()
        if live.task:
            live.task.cancel()
            await asyncio.wait({live.task}, timeout=2)

    async def reload(self, channel_id: int) -> Live | None:
        """The row changed: close what ran and open what is there now. One at a time, so that nothing runs twice."""
        async with self.changing:
            row = await self.db.reader.one(store.BY_ID, id=channel_id)
            live = self.by_id.get(channel_id)
            if live:
                await self.close(live, 2.0)
            return self.open(row) if row else None

    async def _supervise(self, live: Live) -> None:
        """Keep the session running; full-jitter back-off between failures, reset once it was stable (P38)."""
        failures = 0
        while self.by_id.get(live.row.id) is live:
            began = self._clock.monotonic()
            change, least = StatusChange(State.RECONNECTING, "reconnecting"), 0.0
            try:
                await self._recall(live)
                await live.session.run(self._listener(live))
                return
            except SessionFailed as failure:
                log.warning("session of channel %s ended: %s", live.row.name, failure)
                change, least = failure.change, failure.wait
            except Exception as error:
                log.warning("session of channel %s ended: %s", live.row.name, type(error).__name__, exc_info=error)
            failures = 0 if self._clock.monotonic() - began > STABLE else failures + 1
            if live.state.state in TERMINAL:
                return
            self.state_changed(live, change)
            if change.state in TERMINAL:
                return
            delay = random.uniform(0, min(LAST_DELAY, FIRST_DELAY * 2.0**failures))
            await asyncio.sleep(max(least, delay))

    async def _recall(self, live: Live) -> None:
        """An account that is used as a person would is told what it did before."""
        if isinstance(live.session, Paces) and not live.recalled:
            live.session.recall(await self.db.read(read_past, live.row.id, self._clock.now()))
            live.recalled = True

    async def _said(self, channel_id: int, provider_id: str) -> Content | None:
        """What was said under this id of the network, as far as it is still here."""
        found = await self.db.reader.one(message_rows.SAID, channel_id=channel_id, provider_id=provider_id)
        return decode_content(found) if found else None

    def _listener(self, live: Live) -> Callable[[Arrival], Any]:
        async def on_event(arrival: Arrival) -> None:
            await intake.accept(self, live, (arrival,), lambda _: False)
            if isinstance(arrival, Inbound):
                await self.heard(live)

        return on_event

    def state_changed(self, live: Live, change: StatusChange) -> None:
        if change == live.state:
            return
        live.state = change
        if live.row.halted_at is None:
            self._spawn(self._write_state(live.row.id, change))

    async def _write_state(self, channel_id: int, change: StatusChange) -> None:
        await self.db.write(set_state, channel_id, change)

    def _halted(self, channel_id: int, problem: Problem) -> None:
        """The network refuses the account or its token: stop sending until a person acts."""
        live = self.by_id.get(channel_id)
        if live and live.sender.open:
            live.sender.open = False
            self._spawn(self._halt(channel_id, problem))

    async def _halt(self, channel_id: int, problem: Problem) -> None:
        await self.db.write(halt, channel_id, problem)
        row = await self.db.reader.one(store.BY_ID, id=channel_id)
        live = self.by_id.get(channel_id)
        if row and live:
            live.row = row

    # ---- what the pipeline calls ------------------------------------------------------------------------------------

    def _send(self, delivery: Delivery) -> None:
        live = self.by_id.get(delivery.channel_id)
        if live and live.sender.open:
            live.sender.deliver(delivery)
        else:
            self._not_started(delivery)

    def _not_started(self, delivery: Delivery) -> None:
        """It waits again, and goes as soon as the channel is there again. A failing database is asked again."""

        def done(_: None, error: BaseException | None) -> None:
            if error is None:
                self._wake(delivery.channel_id)
            else:
                asyncio.get_running_loop().call_later(1, self._not_started, delivery)

        now = self._clock.now()
        self.db.submit(settle.again, delivery.message_id, delivery.attempt, now, NOT_STARTED, done=done)

    def _wake(self, channel_id: int) -> None:
        live = self.by_id.get(channel_id)
        if live:
            live.sender.wake()

    def wake_all(self) -> None:
        for live in self.by_id.values():
            live.sender.wake()

    # ---- who asks for one -------------------------------------------------------------------------------------------

    def get(self, channel_id: int) -> Live:
        live = self.by_id.get(channel_id)
        if live is None:
            raise NotFound(N_("There is no such channel."))
        return live

    async def find(self, name_or_id: str) -> ChannelRow:
        """By name (case ignored, former names too) or id."""
        row = await self.db.reader.one(store.BY_NAME, name=fold(name_or_id))
        if row is None and name_or_id.isdecimal() and len(name_or_id) < 19:
            row = await self.db.reader.one(store.BY_ID, id=int(name_or_id))
        if row is None:
            raise NotFound(N_("There is no channel “{name}”.", name=name_or_id))
        return row

    def named(self, name: str) -> Live | None:
        """By exactly the name that it has now, where whoever asks may see it; else `find` knows more."""
        live = next((live for live in self.by_id.values() if live.row.name == name), None)
        return live if live is not None and rows.sees(live.row.id) else None

    async def verified(self, live: Live) -> None:
        """The network asked to verify the address and was answered."""
        await self.db.write(touch, live.row.id, "verified")

    async def heard(self, live: Live) -> None:
        """The first signed update arrived since the start."""
        if live.row.heard_at is None:
            live.row = msgspec.structs.replace(live.row, heard_at=self._clock.now())
            await self.db.write(touch, live.row.id, "heard")

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
