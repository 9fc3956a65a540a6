"""Channels at work: every configured account with its session, its sender and its state.

Reconnecting with back-off is done here, for all networks. What changes a channel goes through `Channels`, so that
the rows and the live sessions never differ.
"""

import asyncio
import logging
import random
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from app import events, intake, settle
from app.audit import entry, logged
from app.capabilities import Capabilities
from app.case import Delivery, Here, Intake
from app.clock import Clock
from app.connectors import CONNECTORS
from app.connectors.base import (
    Arrival,
    Channel,
    Check,
    ChecksSettings,
    Connector,
    Examines,
    Inbound,
    KeepsKeys,
    Linking,
    Links,
    Post,
    PostsUrls,
    Problem,
    ReadsUrls,
    SendFailed,
    Session,
    SessionFailed,
    State,
    StatusChange,
    Webhook,
)
from app.connectors.states import SENTENCES
from app.db import Database, DatabaseError, Tx
from app.errors import Conflict, Invalid, NotFound
from app.models import ChannelRow
from app.outbox import Sender
from app.pace import Pace
from app.said import N_, Sentence, joined
from app.security.secrets import Keyring
from app.storage import Store
from app.store import channels as store
from app.store import outbox as outbox_rows

FIRST_DELAY = 1.0
LAST_DELAY = 60.0
STABLE = 60.0
SEND_PATIENCE = 10.0
LONGEST = 4_000  # characters of a setting
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


class Channels:
    """All live channels, by id, by the key in their webhook address, by account and by name."""

    def __init__(
        self, db: Database, clock: Clock, keys: Keyring, defaults: Mapping[str, str], files: Store,
        make_intake: Callable[..., Intake],
    ) -> None:  # fmt: skip
        self.db = db
        self._clock = clock
        self._keys = keys
        self._defaults = defaults
        self._files = files
        self.intake = make_intake(send=self._send, wake=self._wake)
        self.by_id: dict[int, Live] = {}
        self.by_key: dict[str, Live] = {}
        self.by_account: dict[tuple[str, str], Live] = {}
        self.read_url: ReadUrl = no_file
        self.post_url: Post = no_post
        self._tasks: set[asyncio.Task[Any]] = set()
        self._changing = asyncio.Lock()

    # ---- start and stop ---------------------------------------------------------------------------------------------

    async def start(self) -> None:
        for row in await self.db.reader.all(store.ALL):
            self._open(row)

    async def stop(self) -> None:
        """Sends under way are given time; sessions are closed."""
        async with self._changing:
            await asyncio.gather(*(self._close(live, SEND_PATIENCE) for live in list(self.by_id.values())))

    def _open(self, row: ChannelRow) -> Live:
        connector = CONNECTORS[row.connector]
        opened = self._opened(row)
        session = connector.open_session(opened)
        here = Here(row.id, row.name, row.connector, connector.capabilities, row.version_id)
        pace = Pace(row.rate, pairs=connector.pair_limit, now=self._clock.monotonic())
        sender = Sender(
            self.db, self._clock, row.id, session, pace, self.intake.install, connector.check,
            lambda problem: self._halted(row.id, problem), self._files,
        )  # fmt: skip
        if isinstance(session, ReadsUrls):
            session.read_urls_with(self.read_url)
        if isinstance(session, PostsUrls):
            session.post_with(self.post_url)
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
        opened = {name: self._keys.open(text, place(row.id, name)) for name, text in sealed.items()}
        return Channel(row.id, row.name, row.account, config, opened, row.key)

    async def _close(self, live: Live, patience: float) -> None:
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
        async with self._changing:
            row = await self.db.reader.one(store.BY_ID, id=channel_id)
            live = self.by_id.get(channel_id)
            if live:
                await self._close(live, 2.0)
            return self._open(row) if row else None

    async def _supervise(self, live: Live) -> None:
        """Keep the session running; full-jitter back-off between failures, reset once it was stable (P38)."""
        failures = 0
        while self.by_id.get(live.row.id) is live:
            began = self._clock.monotonic()
            change, least = StatusChange(State.RECONNECTING, "reconnecting"), 0.0
            try:
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
        await self.db.write(set_state, channel_id, change.state.value, change.code, change.detail)

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

    # ---- what people do ---------------------------------------------------------------------------------------------

    async def add(
        self,
        kind: str,
        name: str,
        values: Mapping[str, str],
        *,
        rate: float | None = None,
        version_id: int | None = None,
    ) -> int:
        """A new channel, connected at once. Raises `Invalid` with a sentence per field, `Conflict` if name or
        account is taken."""
        connector = CONNECTORS.get(kind)
        if connector is None:
            raise Invalid(
                N_("There is no connector “{kind}”. There are: {names}.", kind=kind, names=", ".join(CONNECTORS))
            )
        checked = check_values(connector, values)
        pace = connector.default_rate if rate is None else check_rate(rate)
        clean, key = check_name(name), secrets.token_urlsafe(16)
        line = entry("channel.added", clean, kind)
        channel_id: int = await self.db.write(
            logged, line, insert, self._keys, connector, clean, checked, pace, version_id, key
        )
        await self.reload(channel_id)
        return channel_id

    async def change(
        self, channel_id: int, values: Mapping[str, str], *, name: str | None = None, rate: float | None = None
    ) -> None:
        """Change settings; a secret left out stays as it is. A halted channel is tried again."""
        live = self.get(channel_id)
        merged = {**live.opened.config, **live.opened.secrets, **{k: v for k, v in values.items() if v}}
        known = {setting.name for setting in live.connector.settings}
        checked = check_values(live.connector, {k: v for k, v in merged.items() if k in known})
        new_name = live.row.name if name is None else check_name(name)
        new_rate = live.row.rate if rate is None else check_rate(rate)
        # Which settings were given, never their values.
        line = entry(
            "channel.changed", live.row.name, ", ".join(sorted(name for name, value in values.items() if value))
        )
        await self.db.write(logged, line, update, self._keys, live.connector, live.row, new_name, checked, new_rate)
        await self.reload(channel_id)

    async def remove(self, channel_id: int) -> None:
        """The channel stops; its conversations stay readable. What was not sent yet is shown as failed."""
        live = self.get(channel_id)
        if live.row.connector == "simulator":
            raise Conflict(N_("The simulator is built in and cannot be removed."))
        async with self._changing:
            if isinstance(live.session, Links):
                await live.session.unlink()
            await self._close(live, 2.0)
            try:
                await self.db.settled()  # what came in before it closed may still queue replies
                await self.db.write(logged, entry("channel.removed", live.row.name), remove, channel_id)
            except DatabaseError:
                self._open(live.row)
                raise

    # ---- linked devices ----------------------------------------------------------------------------------------------

    def linking(self, channel_id: int) -> Linking | None:
        """What links the device now; None for a network without links, or while nothing runs."""
        live = self.by_id.get(channel_id)
        return live.session.linking() if live and isinstance(live.session, Links) else None

    async def link(self, channel_id: int) -> None:
        """Show codes again. A device that is linked or shows codes is left alone. Raises `Conflict` for a network
        without links."""
        live, session = self._link_of(channel_id)
        if live.task is None or live.task.done():
            session.retry()
            await self.reload(channel_id)

    async def ask_code(self, channel_id: int) -> str:
        """A code to be typed on the phone. Raises `Conflict` where none can be had now."""
        _, session = self._link_of(channel_id)
        try:
            return await session.ask_code()
        except SendFailed as failure:
            said = N_("WhatsApp gave no code. Wait for the QR code to appear, then ask again.")
            raise Conflict(said) from failure

    async def unlink(self, channel_id: int) -> None:
        """End the link; the channel stays, and can be linked again."""
        live, session = self._link_of(channel_id)
        async with self._changing:
            await session.unlink()
        self.state_changed(live, StatusChange(State.LOGGED_OUT, "unlinked"))

    def _link_of(self, channel_id: int) -> tuple[Live, Links]:
        live = self.get(channel_id)
        if not isinstance(live.session, Links):
            raise Conflict(N_("“{name}” is not a linked phone.", name=live.row.name))
        return live, live.session

    async def examine(self, channel_id: int) -> list[Check]:
        """ "Test it": what works and what is missing, each with its remedy."""
        live = self.get(channel_id)
        checks: list[Check] = []
        if isinstance(live.session, Examines):
            checks = await live.session.examine()
        if live.webhook and live.webhook.by_hand:
            row = await self.db.reader.one(store.BY_ID, id=channel_id) or live.row
            checks += [
                Check("webhook.verified", True if row.verified_at else None, "webhook.verify"),
                Check("webhook.heard", True if row.heard_at else None, "webhook.say_hi"),
            ]
        return checks

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


# ---- units of work --------------------------------------------------------------------------------------------------


def insert(
    tx: Tx, keys: Keyring, connector: Connector, name: str, values: Mapping[str, str], rate: float,
    version_id: int | None, key: str,
) -> int:  # fmt: skip
    channel_id = tx.new_id()
    _free_account(tx, connector, values, 0)
    _free_name(tx, name, channel_id)
    config, sealed = split(connector, values, keys, channel_id)
    tx.run(
        store.INSERT, id=channel_id, key=key, name=name, connector=connector.kind, account=connector.account_of(values),
        config=_text(config), secrets=_text(sealed), rate=rate, version_id=version_id, now=tx.now,
    )  # fmt: skip
    tx.run(store.INSERT_NAME, name=fold(name), channel_id=channel_id)
    publish_change(tx, channel_id)
    return channel_id


def update(
    tx: Tx, keys: Keyring, connector: Connector, row: ChannelRow, name: str, values: Mapping[str, str], rate: float
) -> None:
    _free_account(tx, connector, values, row.id)
    _free_name(tx, name, row.id)
    config, sealed = split(connector, values, keys, row.id)
    tx.run(store.INSERT_NAME, name=fold(name), channel_id=row.id)
    tx.run(
        store.UPDATE, id=row.id, name=name, account=connector.account_of(values), config=_text(config),
        secrets=_text(sealed), rate=rate,
    )  # fmt: skip
    publish_change(tx, row.id)


def remove(tx: Tx, channel_id: int) -> None:
    tx.run(store.REMOVE, id=channel_id, now=tx.now)
    tx.run(store.DROP_NAMES, channel_id=channel_id)
    tx.run(store.FAIL_QUEUED, channel_id=channel_id)
    tx.run(outbox_rows.DROP_CHANNEL, channel_id=channel_id)
    publish_change(tx, channel_id)


def set_state(tx: Tx, channel_id: int, state: str, code: str, detail: str) -> None:
    tx.run(store.SET_STATE, id=channel_id, state=state, code=code, detail=detail, now=tx.now)
    publish_change(tx, channel_id)


def halt(tx: Tx, channel_id: int, problem: Problem) -> None:
    tx.run(store.HALT, id=channel_id, code="account.refused", detail=str(problem.title) or problem.code, now=tx.now)
    publish_change(tx, channel_id)
    tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention",)))


def touch(tx: Tx, channel_id: int, what: str) -> None:
    tx.run(store.VERIFIED if what == "verified" else store.HEARD, id=channel_id, now=tx.now)
    publish_change(tx, channel_id)


def publish_change(tx: Tx, channel_id: int) -> None:
    data = b'{"id":"%d"}' % channel_id
    tx.publish(events.Event(events.CHANNEL_UPDATED, ("channels", f"channel-{channel_id}"), data))


def _free_account(tx: Tx, connector: Connector, values: Mapping[str, str], own: int) -> None:
    taken = tx.one(store.BY_ACCOUNT, connector=connector.kind, account=connector.account_of(values))
    if taken is not None and taken.id != own:
        raise Conflict(N_("The channel “{name}” already uses this account.", name=taken.name))


def _free_name(tx: Tx, name: str, own: int) -> None:
    owner = tx.one(store.NAME_OWNER, name=fold(name))
    if owner is not None and owner != own:
        raise Conflict(N_("The name “{name}” is taken.", name=name), fields={"name": N_("This name is taken.")})


# ---- checks, pure ---------------------------------------------------------------------------------------------------


def check_values(connector: Connector, values: Mapping[str, str]) -> dict[str, str]:
    known = {setting.name: setting for setting in connector.settings}
    wrong: dict[str, Sentence] = {
        name: N_("{network} has no setting “{name}”.", network=connector.label, name=name)
        for name in values
        if name not in known
    }
    clean = {name: value.strip() for name, value in values.items() if name in known and value.strip()}
    wrong |= {n: N_("{field} is needed.", field=N_(s.label)) for n, s in known.items() if s.required and n not in clean}
    wrong |= {
        n: N_("{field} does not look like one of {network}: {example}.", field=N_(s.label), network=connector.label,
              example=s.example)
        for n, s in known.items()
        if n in clean and s.form and not re.fullmatch(s.form, clean[n])
    }  # fmt: skip
    wrong |= {
        n: N_("{field} is longer than {most} characters.", field=N_(known[n].label), most=LONGEST)
        for n, v in clean.items()
        if len(v) > LONGEST
    }
    if isinstance(connector, ChecksSettings):
        wrong |= connector.check_settings(clean)
    if wrong:
        raise Invalid(joined(wrong.values()), fields=wrong)
    return clean


def check_name(name: str) -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > 60 or clean.isdecimal():
        sentence = N_("A channel's name has 1 to 60 characters and is not only digits.")
        raise Invalid(sentence, fields={"name": sentence})
    return clean


def check_rate(rate: float) -> float:
    if not 0 <= rate <= 1000:
        sentence = N_("The rate is a number of messages per second from 0 (not paced) to 1000.")
        raise Invalid(sentence, fields={"rate": sentence})
    return rate


def split(
    connector: Connector, values: Mapping[str, str], keys: Keyring, channel_id: int
) -> tuple[dict[str, str], dict[str, str]]:
    """Plain settings, and secrets sealed for their place."""
    hidden = {setting.name for setting in connector.settings if setting.secret}
    config = {name: value for name, value in values.items() if name not in hidden}
    sealed = {name: keys.seal(value, place(channel_id, name)) for name, value in values.items() if name in hidden}
    return config, sealed


def place(channel_id: int, name: str) -> str:
    """Where a secret belongs; a sealed text opens nowhere else."""
    return f"channel|secrets.{name}|{channel_id}"


def fold(name: str) -> str:
    return " ".join(name.split()).casefold()


def sentence(code: str) -> str:
    """The state code in words, in English."""
    return SENTENCES.get(code, code)


def capabilities_of(kind: str) -> Capabilities:
    return CONNECTORS[kind].capabilities


def _text(values: Mapping[str, str]) -> str:
    return msgspec.json.encode(dict(values)).decode()
