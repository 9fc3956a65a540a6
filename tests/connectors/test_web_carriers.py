"""A linked device in a process of its own, and what becomes of it when it crashes, hangs or is killed. Contract §2.5,
§5.1, §5.2, §6.3."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.connectors.base import SessionFailed, State
from app.connectors.whatsapp_web import carriers
from app.connectors.whatsapp_web.carriers import InProcess, Isolated, Stuck
from app.connectors.whatsapp_web.engine import CALLS, Account, Engine
from app.connectors.whatsapp_web.safety import MOST, Safety
from app.content import Image, Text
from tests import turned
from tests.connectors.linked import Linked, WhatsApp, open_session
from tests.connectors.test_web_messages import address, media
from tests.fakes.whatsapp.library import FOLDER
from tests.fakes.whatsapp.noise import ROOT


@pytest.fixture
async def whatsapp(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WhatsApp]:
    """A server to which children are turned."""
    server = WhatsApp()
    await server.start()
    monkeypatch.setenv("SSL_CERT_FILE", str(FOLDER / "ca.pem"))
    command = [*turned.command(server.port, ROOT.public), carriers.HIDDEN_WORD]
    monkeypatch.setattr(carriers, "COMMAND", command)
    yield server
    await server.close()


def child_of(device: Linked) -> int:
    """The process of the device's library."""
    client = device.session._client
    assert client and isinstance(client._carrier, Isolated) and client._carrier._process
    return client._carrier._process.pid


async def lost(device: Linked) -> SessionFailed:
    with pytest.raises(SessionFailed) as caught:
        await device.running
    return caught.value


async def test_P38_apart_it_links_and_speaks_and_a_kill_or_crash_ends_it_alone(
    whatsapp: WhatsApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = whatsapp.add("15557770001", "Alice")
    device = open_session(whatsapp, tmp_path, process="own")
    await whatsapp.scan(await device.qr())
    await device.state("connected")
    picture = media(whatsapp, "Image", b"\x89PNG\0" * 50_000, mimetype="image/png")
    found = (await device.message(await whatsapp.send(alice, picture, media="image"))).content
    assert isinstance(found, Image)
    assert await device.session.fetch_media(found.provider_id) == b"\x89PNG\0" * 50_000
    sent = await device.send(Text("Hello"), address(alice))
    assert (await whatsapp.seen("message", id=sent))["text"] == "Hello"
    await device.receipt(sent, "delivered")

    # Killed from outside: the network keeps what is said meanwhile, and it counts as no crash.
    os.kill(child_of(device), signal.SIGKILL)
    assert (await lost(device)).change.code == "web.died"
    await whatsapp.seen("gone")
    id = await whatsapp.say(alice, "Are you there?")
    again = open_session(whatsapp, tmp_path, process="own")
    assert (await again.message(id)).content == Text("Are you there?")

    # Crashes of its own: after the third it stays off, until a person wants it tried again.
    crashing = again
    for _ in range(MOST):
        await crashing.state("connected")
        os.kill(child_of(crashing), signal.SIGSEGV)
        failure = await lost(crashing)
        assert failure.change.state is State.RECONNECTING and "SIG" in failure.change.detail
        crashing = open_session(whatsapp, tmp_path, process="own")
    change = await crashing.state("web.crashed")
    assert change.state is State.BROKEN and "SIG" in change.detail
    await crashing.running
    crashing.session.retry()
    monkeypatch.setattr(carriers, "BEAT", 0.1)
    last = open_session(whatsapp, tmp_path, process="own")
    await last.state("connected")

    # It stops answering: it is ended, and begun anew.
    os.kill(child := child_of(last), signal.SIGSTOP)
    for name in ("SILENT", "STOPPED"):
        monkeypatch.setattr(carriers, name, 0.1)
    assert (await lost(last)).change.code == "web.hung"
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


async def test_P38_death_of_parley_in_the_library_sets_the_account_apart(whatsapp: WhatsApp, tmp_path: Path) -> None:
    Safety(folder(tmp_path) / "1.safety").begin(apart=False)  # …and then nothing more: the process is gone
    device = open_session(whatsapp, tmp_path)
    await device.qr()
    assert child_of(device)
    assert device.session._safety.apart == "web.apart_crashed"
    await device.close()


async def test_P38_call_that_never_returns_sets_the_account_apart(
    whatsapp: WhatsApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whatsapp.redirect()
    engine, stuck = Engine(), asyncio.Event()
    loop, never = asyncio.get_running_loop(), asyncio.run_coroutine_threadsafe
    monkeypatch.setattr(InProcess, "_engine", engine)
    for name in ("BEAT", "SPARE", "STOPPED"):
        monkeypatch.setattr(carriers, name, 0.1)
    device = open_session(whatsapp, tmp_path)
    await device.qr()
    engine.do(lambda: never(stuck.wait(), loop).result() and None, limit=-10.0)
    failure = await lost(device)
    stuck.set()
    assert failure.change.code == "web.hung"
    again = open_session(whatsapp, tmp_path)
    await again.qr()
    assert child_of(again) and again.session._safety.apart == "web.apart_hung"
    await again.close()


async def test_calls_that_end_the_process_are_never_made(tmp_path: Path) -> None:
    """The functions of §2.5 on a client that is not there: each of them unguarded is a SIGABRT."""
    told: list[str] = []
    account = Account(Engine(), "", tmp_path / "journal", b"", lambda *_: None)
    loop = asyncio.get_running_loop()
    for function in ("GetLIDFromPN", "GetPNFromLID", "GetContact", "Disconnect", "IsConnected"):
        answered: asyncio.Future[str] = loop.create_future()
        account.call(function, (), 1.0, lambda _, error, to=answered: loop.call_soon_threadsafe(to.set_result, error))
        told.append((await answered).partition(":")[0])
    assert told == ["LookupError"] * 4 + [""]
    assert not {"GetContact", "GetLIDFromPN", "GetPNFromLID"} & CALLS


async def test_child_without_a_parent_ends(whatsapp: WhatsApp, tmp_path: Path) -> None:
    device = open_session(whatsapp, tmp_path, process="own")
    await device.qr()
    client = device.session._client
    assert client and isinstance(client._carrier, Isolated)
    process = client._carrier._process
    assert process and process.stdin
    client._carrier._stopping = True
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 10) == 0
    with pytest.raises(Stuck):
        await client.connected()
    await device.close()


def folder(data: Path) -> Path:
    made = data / "whatsapp_web"
    made.mkdir(mode=0o700)
    return made
