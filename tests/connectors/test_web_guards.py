"""What the library does wrong, and what is met here. Contract §2.5, §2.6, §5.2; crashes are in `test_web_carriers.py`,
and docs/whatsapp-web.md has the list."""

import asyncio
import base64
import logging
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.connectors.base import Arrival, Inbound, Malformed, SendFailed, SessionFailed, State, StatusChange
from app.connectors.whatsapp_web import carriers, engine, reach, session, states
from app.connectors.whatsapp_web.carriers import InProcess, Isolated
from app.connectors.whatsapp_web.contents import content_of, fields_of
from app.connectors.whatsapp_web.engine import CALLS, HEARD, Engine
from app.connectors.whatsapp_web.files import BIGGEST
from app.connectors.whatsapp_web.library import Library
from app.content import Text
from tests import turned
from tests.connectors.linked import WhatsApp, linked, open_session
from tests.connectors.test_web_messages import address
from tests.fakes.whatsapp.library import e2e
from tests.fakes.whatsapp.noise import ROOT

HISTORY = 13


@pytest.fixture
async def whatsapp() -> AsyncIterator[WhatsApp]:
    server = WhatsApp()
    await server.start()
    yield server
    await server.close()


@pytest.fixture
async def silent() -> AsyncIterator[int]:
    """The port of a server that takes connections and never says a word."""
    hold: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: hold.append(writer), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    for writer in hold:
        writer.transport.abort()
    server.close()


# ---- linking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "state", "code"),
    [
        (b"timeout", State.LOGGED_OUT, "web.expired"),
        (b"passkey-request", State.BROKEN, "web.passkey"),
        (b"passkey-confirmation", State.BROKEN, "web.passkey"),
        (b"err-client-outdated", State.BROKEN, "web.outdated"),
        (b"err-scanned-without-multidevice", State.BROKEN, "web.multidevice"),
        (b"err-unexpected-state", State.BROKEN, "web.link_failed"),
        (b"error", State.BROKEN, "web.link_failed"),
    ],
)
def test_what_the_library_only_prints_is_told(said: bytes, state: State, code: str) -> None:
    assert states.change_of(Library.load().told, engine.LOGIN, said) == StatusChange(state, code)


def test_success_and_new_words_say_nothing_of_the_state() -> None:
    told = Library.load().told
    assert [states.change_of(told, engine.LOGIN, said) for said in (b"success", b"something new")] == [None, None]


async def test_codes_that_nobody_scans_run_out_after_three_rounds(whatsapp: WhatsApp, tmp_path: Path) -> None:
    device = open_session(whatsapp, tmp_path)
    for round in range(session.ROUNDS):
        await device.until(
            lambda begun=round + 1: sum(getattr(told, "code", "") == "pairing" for told in device.told) == begun
        )
        # What the library says after 160 seconds.
        device.session._heard.put_nowait((engine.LOGIN, b"timeout"))
    await device.state("web.expired")
    await device.running


async def test_no_code_and_no_key_is_logged(
    whatsapp: WhatsApp, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    device = open_session(whatsapp, tmp_path)
    code = await device.qr()
    typed = await device.session.ask_code()
    await whatsapp.scan(code)
    await device.state("connected")
    await device.close()
    out, err = capfd.readouterr()
    written = caplog.text + out + err
    assert not [secret for secret in (typed, *code.split("#")[-1].split(",")[:4]) if secret in written]


# ---- a server that says nothing --------------------------------------------------------------------------------------


async def test_server_without_a_handshake_is_not_dialled(
    silent: int, tmp_path: Path, whatsapp: WhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "LIMIT", 0.1)
    device = open_session(whatsapp, tmp_path, whatsapp_web_url=f"wss://127.0.0.1:{silent}/ws/chat")
    with pytest.raises(SessionFailed) as caught:
        await device.running
    assert caught.value.change.code == "web.unreachable" and device.session._client is None


async def test_dial_that_hangs_is_given_up_with_its_process(
    silent: int, tmp_path: Path, whatsapp: WhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carriers, "COMMAND", [*turned.command(silent, ROOT.public), carriers.HIDDEN_WORD])
    monkeypatch.setattr(carriers, "STOPPED", 0.1)
    monkeypatch.setattr(session, "PATIENCE", 0.1)
    device = open_session(whatsapp, tmp_path, process="own", whatsapp_web_url=f"ws://127.0.0.1:{silent}/ws/chat")
    await device.state("starting")
    with pytest.raises(SessionFailed) as caught:
        await device.running
    assert caught.value.change.code == "reconnecting"


def test_P38_accounts_begin_one_after_the_other() -> None:
    starts = reach.Starts()
    assert [starts.wait(now) for now in (100.0, 100.0, 101.0, 300.0)] == [0.0, reach.APART, 2 * reach.APART - 1, 0.0]


# ---- order, duplicates, what cannot be kept or read ------------------------------------------------------------------


async def test_P8_message_is_tried_until_the_database_takes_it_and_the_next_waits(
    whatsapp: WhatsApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "AGAIN", 0.01)
    alice = whatsapp.add("15557770001", "Alice")
    async with linked(whatsapp, tmp_path) as device:
        hear, refused = device.session._on_event, 3
        assert hear is not None

        async def full(arrival: Arrival) -> None:
            nonlocal refused
            if isinstance(arrival, Inbound) and (refused := refused - 1) >= 0:
                raise OSError("the disk is full")
            await hear(arrival)

        device.session._on_event = full
        for text in ("one", "two"):
            last = await whatsapp.say(alice, text)
        await device.message(last)
        assert [told.content for told in device.told if isinstance(told, Inbound)] == [Text("one"), Text("two")]
        # Only now the file is empty.
        assert (tmp_path / "whatsapp_web" / "1.journal").stat().st_size == 0


async def test_what_cannot_be_read_is_kept_as_it_came_and_the_rest_goes_on(whatsapp: WhatsApp, tmp_path: Path) -> None:
    alice = whatsapp.add("15557770001", "Alice")
    async with linked(whatsapp, tmp_path) as device:
        client = device.session._client
        assert client and isinstance(client._carrier, InProcess) and client._carrier._account
        await asyncio.to_thread(client._carrier._account._pass_on, engine.MESSAGE, b"\xff no message")
        await device.message(await whatsapp.say(alice, "after it"))
        [broken] = [told for told in device.told if isinstance(told, Malformed)]
        assert broken.raw == b"\xff no message"

        # A file of 101 MB is not even asked for.
        big = e2e.Message(imageMessage=e2e.ImageMessage(fileLength=BIGGEST + 1))
        with pytest.raises(SendFailed) as caught:
            await device.session.fetch_media(base64.urlsafe_b64encode(big.SerializeToString()).decode())
        assert caught.value.problem.code == "web.file_big" and caught.value.certain


def test_keys_of_a_group_that_come_alone_say_nothing() -> None:
    """The first message of a sender in a group comes twice under one id, the first time without what was said."""
    key = e2e.SenderKeyDistributionMessage(groupID="1@g.us", axolotlSenderKeyDistributionMessage=b"key")
    alone = e2e.Message(senderKeyDistributionMessage=key)
    assert (fields_of(alone), content_of(alone)) == ([], None)
    assert content_of(e2e.Message(conversation="Hi", senderKeyDistributionMessage=key)) == Text("Hi")


# ---- calls -----------------------------------------------------------------------------------------------------------


async def test_send_without_a_connection_is_refused_for_certain(
    whatsapp: WhatsApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "AWAITED", 0.01)
    alice = whatsapp.add("15557770001", "Alice")
    device = open_session(whatsapp, tmp_path)
    await device.qr()
    with pytest.raises(SendFailed) as caught:
        await device.send(Text("Hi"), address(alice))
    assert caught.value.problem.code == "web.offline" and caught.value.certain and caught.value.temporary
    await device.close()


def test_calls_are_made_one_after_the_other() -> None:
    """The library's tables are not guarded: two calls at a time are a fatal error in three of four tries."""
    caller, done, at_once = Engine(), threading.Semaphore(0), threading.Lock()
    overlaps: list[bool] = []

    def work() -> None:
        overlaps.append(not at_once.acquire(blocking=False))
        at_once.release()
        done.release()

    threads = [threading.Thread(target=lambda: [caller.do(work, 1.0) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        assert done.acquire(timeout=10)
    assert overlaps == [False] * 200
    assert len({caller.new_name() for _ in range(100)}) == 100


def test_what_would_harm_the_owner_is_neither_asked_for_nor_heard() -> None:
    assert HISTORY not in HEARD  # years of chats that nobody here asked for
    assert "SendPresence" not in CALLS  # "available" keeps the owner's phone from ringing
    assert not {name for name in CALLS if "Newsletter" in name or "Status" in name or "Call" in name}


async def test_account_alone_does_not_load_the_library_here(
    whatsapp: WhatsApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account in a process of its own costs this process nothing but its messages' shapes."""
    child = [*turned.command(whatsapp.port, ROOT.public), carriers.HIDDEN_WORD]
    monkeypatch.setattr(InProcess, "_engine", None)  # a test before may have loaded it
    monkeypatch.setattr(carriers, "COMMAND", child)  # the same child, whose library asks the fake server
    device = open_session(whatsapp, tmp_path, process="own")
    await device.qr()
    assert InProcess._engine is None and device.session._client
    assert isinstance(device.session._client._carrier, Isolated)
    await device.close()
