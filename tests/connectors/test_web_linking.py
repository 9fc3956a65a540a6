"""Linking a device to a phone: the real library against the fake server. Contract §2.2, §2.6, §6.3."""

import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.connectors.base import State
from tests.connectors.linked import PHONE, WhatsApp, linked, open_session
from tests.fakes.whatsapp.nodes import Node


@pytest.fixture
async def whatsapp() -> AsyncIterator[WhatsApp]:
    server = WhatsApp()
    await server.start()
    yield server
    await server.close()


async def test_scanned_code_links_and_connects(whatsapp: WhatsApp, tmp_path: Path) -> None:
    device = open_session(whatsapp, tmp_path)
    code = await device.qr()
    assert code.count(",") >= 3
    await device.state("pairing")
    await whatsapp.scan(code)
    await device.state("connected")
    assert device.session.linking().number == PHONE
    assert not device.session.linking().qr
    await device.close()


async def test_typed_code_links_and_connects(whatsapp: WhatsApp, tmp_path: Path) -> None:
    device = open_session(whatsapp, tmp_path)
    await device.qr()
    code = await device.session.ask_code()
    assert len(code) == 9 and device.session.linking().code == code
    await whatsapp.seen("code wanted")
    await whatsapp.enter(code)
    await device.state("connected")
    await device.close()


async def test_link_is_resumed_after_a_restart(whatsapp: WhatsApp, tmp_path: Path) -> None:
    async with linked(whatsapp, tmp_path):
        pass
    again = open_session(whatsapp, tmp_path)
    await again.state("connected")
    assert not [told for told in again.told if getattr(told, "state", None) is State.PAIRING]
    await again.close()


async def test_store_is_for_its_owner_alone(whatsapp: WhatsApp, tmp_path: Path) -> None:
    # Characters that mean something in an address of SQLite's.
    folder = tmp_path / "da?ta #1 %41&x=y"
    async with linked(whatsapp, folder):
        store = folder / "whatsapp_web" / "1.db"
        assert store.stat().st_size > 0
        for path in store.parent.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert stat.S_IMODE(store.parent.stat().st_mode) == 0o700


async def test_unlinking_here_tells_the_phone_and_forgets_the_keys(whatsapp: WhatsApp, tmp_path: Path) -> None:
    async with linked(whatsapp, tmp_path) as device:
        await device.session.unlink()
        await whatsapp.seen("unlinked")
        assert not whatsapp.linked
        assert not list((tmp_path / "whatsapp_web").iterdir())


async def test_unlinking_on_the_phone_is_told(whatsapp: WhatsApp, tmp_path: Path) -> None:
    async with linked(whatsapp, tmp_path) as device:
        await whatsapp.unlink()
        assert (await device.state("logged_out")).state is State.LOGGED_OUT
        await device.running


async def test_lost_connection_comes_back_with_what_was_said_meanwhile(whatsapp: WhatsApp, tmp_path: Path) -> None:
    alice = whatsapp.add("15557770001", "Alice")
    async with linked(whatsapp, tmp_path) as device:
        await whatsapp.seen("logged in")
        await whatsapp.end()
        await whatsapp.seen("gone")
        id = await whatsapp.say(alice, "Anybody there?")
        assert (await device.message(id)).name == "Alice"
        await device.state("connected")


async def test_stopping_while_a_code_is_shown_ends_at_once(whatsapp: WhatsApp, tmp_path: Path) -> None:
    device = open_session(whatsapp, tmp_path)
    await device.qr()
    await device.close()


async def test_passkey_is_told_with_what_to_do(whatsapp: WhatsApp, tmp_path: Path) -> None:
    device = open_session(whatsapp, tmp_path)
    await device.qr()
    await whatsapp.demand_passkey()
    assert (await device.state("web.passkey")).state is State.BROKEN
    await device.running


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        ({"reason": "401"}, "logged_out"),
        ({"reason": "402", "code": "101", "expire": "3600"}, "web.banned"),
        ({"reason": "403"}, "web.phone_gone"),
        ({"reason": "405"}, "web.outdated"),
    ],
)
async def test_refused_login_is_told(whatsapp: WhatsApp, tmp_path: Path, refusal: dict[str, str], code: str) -> None:
    async with linked(whatsapp, tmp_path):
        pass
    whatsapp.refusal = refusal
    again = open_session(whatsapp, tmp_path)
    await again.state(code)
    await again.running


async def test_link_opened_elsewhere_is_left_to_people(whatsapp: WhatsApp, tmp_path: Path) -> None:
    async with linked(whatsapp, tmp_path) as device:
        await whatsapp.seen("logged in")
        await whatsapp.end(Node("stream:error", {}, [Node("conflict", {"type": "replaced"})]))
        await device.state("web.replaced")
        await device.running
