"""The live connection of one linked device: linking, states, what comes in, what goes out. Contract §2.2, §5.2."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from app.connectors.abilities import Allowance, Linking, Past
from app.connectors.base import (
    Address,
    Arrival,
    Channel,
    OnEvent,
    Outbound,
    Problem,
    SendFailed,
    Sent,
    SessionFailed,
    State,
    StatusChange,
)
from app.connectors.whatsapp_web import carriers, engine, files, states
from app.connectors.whatsapp_web.carriers import Carrier, Event, InProcess, Isolated, Stuck
from app.connectors.whatsapp_web.hearing import Ear, Find
from app.connectors.whatsapp_web.keys import Keys
from app.connectors.whatsapp_web.library import Library, Missing
from app.connectors.whatsapp_web.native import Client
from app.connectors.whatsapp_web.pacing import Pacing
from app.connectors.whatsapp_web.reach import Starts, Unreachable, reach
from app.connectors.whatsapp_web.remembered import Remembered
from app.connectors.whatsapp_web.safety import Off, Safety
from app.connectors.whatsapp_web.sending import NUMBERS, Desk, ReadUrl

FOLDER: Final = "whatsapp_web"
URL: Final = "wss://web.whatsapp.com/ws/chat"
ROUNDS: Final = 3  # of QR codes; after that somebody has to ask for more
# The library tries again after 0, 2, 4, 6… seconds for ever: by then it has tried ten times, and we begin anew.
PATIENCE: Final = 100.0
AWAITED: Final = 20.0  # seconds in which a send waits for a connection that comes about
AGAIN: Final = 1.0

log = logging.getLogger(__name__)


class WebSession:
    """One account."""

    _starts: ClassVar = Starts()

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._url = channel.config.get("whatsapp_web_url") or URL
        folder = Path(channel.config.get("data") or ".") / FOLDER
        self._keys, self._journal = Keys(folder / f"{channel.id}.db"), folder / f"{channel.id}.journal"
        self._safety = Safety(folder / f"{channel.id}.safety")
        self._known = Remembered()
        # A fake server on this machine has nobody who could be annoyed.
        self._hurried = urlsplit(self._url).hostname in ("127.0.0.1", "localhost")
        limits = {name: int(channel.config[name]) for name in ("a_day", "an_hour") if channel.config.get(name)}
        self._pacing = Pacing(hurried=self._hurried, **limits)
        self._desk = Desk(
            self._pacing,
            self._known,
            strangers=channel.config.get("strangers") == "yes",
            buttons=channel.config.get("buttons") or NUMBERS,
        )
        self._ear = Ear(channel, self._known)
        self._library: Library | None = None
        self._client: Client | None = None
        self._heard: asyncio.Queue[Event | None] = asyncio.Queue()
        self._connected = asyncio.Event()
        self._closed = self._unlinking = self._apart = False
        self._linking = Linking()
        self._codes = 0
        self._on_event: OnEvent | None = None

    # ---- the connection ---------------------------------------------------------------------------------------------

    async def run(self, on_event: OnEvent) -> None:
        """Connect, link if need be, and hand over what comes in, in its order. Returns where only a person can help."""
        if self._closed:
            return
        self._on_event = on_event
        await on_event(StatusChange(State.STARTING, "starting"))
        if not self._hurried:
            await asyncio.sleep(self._starts.wait(time.monotonic()))
        for _ in range(ROUNDS):
            try:
                await reach(self._url)
                self._library = await asyncio.to_thread(Library.load)
            except Missing as missing:
                return await on_event(StatusChange(State.BROKEN, "web.missing", str(missing)))
            except Unreachable as error:
                if self._closed:
                    return
                raise SessionFailed(StatusChange(State.RECONNECTING, "web.unreachable", str(error))) from error
            try:
                if self._closed or await self._round():
                    return
            except Off as off:
                return await on_event(StatusChange(State.BROKEN, "web.crashed", str(off)))
        await self._change(states.LOGIN[b"timeout"])

    async def _round(self) -> bool:
        """One connection, or one round of QR codes. False if all codes of it ran out."""
        assert self._library is not None
        device = self._channel.config.get("device") or "Parley"
        self._heard = asyncio.Queue()
        self._codes = 0
        store = await self._keys.place()
        carrier = self._carrier()
        self._client = Client(self._library, carrier)
        try:
            await self._client.start(store, self._journal, device)
            return await self._listen()
        finally:
            self._connected.clear()
            self._linking = self._linked_to(self._linking.number)
            client, self._client = self._client, None
            try:
                await client.stop()
            finally:
                self._safety.ended()  # nobody died, also if the stop is waited for no longer

    def _carrier(self) -> Carrier:
        """In this process, unless the user or a crash wants it apart. Raises `Off`."""
        wish = self._channel.config.get("process") == "own"
        self._apart = self._safety.begin(apart=wish)
        return Isolated(self._heard.put_nowait) if self._apart else InProcess(self._heard.put_nowait)

    async def _listen(self) -> bool:
        clock = asyncio.get_running_loop().time
        lost_at: float | None = clock()
        while True:
            try:
                left = None if lost_at is None else max(0.0, lost_at + PATIENCE - clock())
                event = await asyncio.wait_for(self._heard.get(), left)
            except TimeoutError as late:
                raise SessionFailed(states.RECONNECTING) from late
            if event is None:
                return True
            change = await self._take(*event)
            if event[0] == engine.QR:
                lost_at = None  # a person has to scan it, and the codes run out by themselves
            if change is None:
                continue
            if change == states.LOGIN[b"timeout"]:
                return False
            if states.is_final(change):
                if not self._unlinking:
                    await self._change(change)
                return True
            lost_at = None if change.state is State.CONNECTED else lost_at or clock()

    async def _take(self, number: int, data: bytes) -> StatusChange | None:
        """One event of the library. The state it leads to, if it says something about that."""
        library = self._library
        assert library is not None
        match number:
            case engine.MESSAGE | engine.UNREADABLE | engine.RECEIPT:
                for arrival in self._ear.read(library, number, data):
                    await self._keep(await self._ear.with_vote(library, self._client, arrival, data))
                if self._client:
                    self._client.kept()
                return None
            case engine.QR:
                await self._show(data.decode())
                return None
            case engine.PAIRED | engine.ME:
                self._learn(library, number, data)
                if number == engine.PAIRED:
                    self._pacing.linked(asyncio.get_running_loop().time())
                    await self._change(states.LINKED)
                return None
            case engine.ENDED:
                raise SessionFailed(states.RECONNECTING) from RuntimeError(data.decode(errors="replace"))
            case carriers.HUNG | carriers.DIED:
                raise self._lost(number, data.decode())
        change = states.change_of(library.told, number, data)
        if change == states.RECONNECTING and await self._is_connected():
            return None  # told late: the connection came back before this was read
        if change == states.CONNECTED:
            self._connected.set()
            self._linking = self._linked_to(self._linking.number)
        elif change == states.RECONNECTING:
            self._connected.clear()
        if change in (states.CONNECTED, states.RECONNECTING):
            assert change is not None
            await self._change(change)
        return change

    def _lost(self, number: int, how: str) -> SessionFailed:
        """The library is gone, or as good as gone. Whether that was its own fault is remembered."""
        if number == carriers.DIED:
            if not how.startswith(carriers.KILLED):
                self._safety.crashed(how)
            return SessionFailed(StatusChange(State.RECONNECTING, "web.died", how))
        if not self._apart:
            self._safety.hung()
        return SessionFailed(StatusChange(State.RECONNECTING, "web.hung"))

    def _linked_to(self, number: str) -> Linking:
        return Linking(number=number, note=self._safety.apart if self._apart else "")

    async def _is_connected(self) -> bool:
        try:
            return self._client is not None and await self._client.connected()
        except Stuck:
            return False

    def _learn(self, library: Library, number: int, data: bytes) -> None:
        """Which account it is: its number and LID, of which one event tells both and another the number alone."""
        told: Any = library.told
        device = told.Device(JID=told.PairStatus.FromString(data).ID) if number == engine.PAIRED else None
        device = device or told.Device.FromString(data)
        if device.JID.User:
            self._linking = self._linked_to(device.JID.User)
            self._ear.me = Address(wa_id=device.JID.User, lid=device.LID.User or self._ear.me.lid)

    # ---- what comes in ----------------------------------------------------------------------------------------------

    async def _keep(self, arrival: Arrival) -> None:
        """On disk before anything else, however often that has to be tried: the library has acknowledged it already,
        so nobody sends it again (P8, P38, P39)."""
        assert self._on_event is not None
        while True:
            try:
                return await self._on_event(arrival)
            except Exception as error:
                if self._closed:
                    raise
                log.warning("a message of channel %s waits for the database: %s", self._channel.name, error)
                await asyncio.sleep(AGAIN)

    async def _change(self, change: StatusChange) -> None:
        assert self._on_event is not None
        await self._on_event(change)

    # ---- linking ----------------------------------------------------------------------------------------------------

    async def _show(self, text: str) -> None:
        self._codes += 1
        self._linking = Linking(qr=text, code=self._linking.code)
        await self._change(StatusChange(State.PAIRING, "pairing", str(self._codes)))

    def linking(self) -> Linking:
        return self._linking

    async def ask_code(self) -> str:
        """A code to be typed on the phone. Raises `SendFailed` where none can be had now."""
        if self._client is None or not self._linking.qr:
            raise SendFailed(Problem("web.no_code"), certain=True, temporary=True)
        try:
            answer = await self._client.pair(self._channel.account)
        except Stuck as stuck:
            raise SendFailed(Problem("web.no_code"), certain=True, temporary=True) from stuck
        if answer.Error:
            raise SendFailed(Problem("web.no_code", detail=answer.Error), certain=True, temporary=True)
        self._linking = Linking(qr=self._linking.qr, code=answer.Code)
        await self._change(StatusChange(State.PAIRING, "pairing", f"{self._codes} typed"))
        return str(answer.Code)

    async def unlink(self) -> None:
        """Tell the phone that this device goes, if it can be told, and forget the device's keys."""
        self._unlinking = True
        client = self._client
        if client and self._connected.is_set():
            with contextlib.suppress(Stuck):
                if problem := await client.log_out():
                    log.warning("channel %s was unlinked here only: %s", self._channel.name, problem)
        await self.close()
        if client:
            await client.stop()
        self._safety.ended()
        await self._keys.forget()

    def keep_keys_with(self, find: Callable[[], Awaitable[str]], drop: Callable[[], Awaitable[None]]) -> None:
        self._keys.find, self._keys.drop = find, drop

    def retry(self) -> None:
        self._safety.forgive()

    # ---- how much was sent -------------------------------------------------------------------------------------------

    def recall(self, past: Past) -> None:
        self._pacing.recall(past, int(time.time() * 1000), asyncio.get_running_loop().time())

    def allowance(self) -> Allowance:
        return self._pacing.allowance(asyncio.get_running_loop().time())

    # ---- what goes out ----------------------------------------------------------------------------------------------

    def recall_with(self, find: Find) -> None:
        self._ear.find = find

    def read_urls_with(self, read: ReadUrl) -> None:
        self._desk.read_url = read

    async def send(self, message: Outbound) -> Sent:
        library, client = await self._ready()
        return await self._desk.send(library, client, message)

    async def _ready(self) -> tuple[Library, Client]:
        """Waits a little for a connection. Raises `SendFailed`."""
        if self._closed:
            raise SendFailed(Problem("send.closed"), certain=True, temporary=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._connected.wait(), AWAITED)
        if self._closed:
            raise SendFailed(Problem("send.closed"), certain=True, temporary=True)
        if not self._connected.is_set() or self._client is None or self._library is None:
            raise SendFailed(Problem("web.offline"), certain=True, temporary=True, retry_after=60)
        return self._library, self._client

    async def mark_read(self, provider_id: str, *, typing: bool) -> None:
        """Only what this process has heard: the network wants to know who wrote it."""
        known, client = self._known.get(provider_id), self._client
        if known is None or known.author is None or client is None or not self._connected.is_set():
            return
        try:
            await client.mark_read(provider_id, known.chat, known.author)
            if typing:
                await client.typing(known.chat, on=True)
        except Stuck as stuck:
            raise SendFailed(Problem("send.no_answer"), certain=False, temporary=True) from stuck

    async def fetch_media(self, provider_id: str) -> bytes:
        library, client = await self._ready()
        return await files.fetch(client, library.e2e, provider_id)

    async def close(self) -> None:
        """Safe to call twice; `run` stops the client as it ends."""
        self._closed = True
        self._connected.set()  # whoever waits for it is told that the channel closed
        self._heard.put_nowait(None)
