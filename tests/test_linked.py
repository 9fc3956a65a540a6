"""A linked phone in a whole Parley: the real library against the fake server, from the scan to the stored message."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app import connecting, corrections, handoff, health, linking, runtime
from app.content import Content, Image, Text
from app.db import Query
from app.errors import Conflict, Invalid
from app.runtime import Runtime
from app.sending import Recipient, Sent, send, to_phone
from app.settings import load
from app.store import audits
from tests.connectors.linked import WhatsApp
from tests.fakes.whatsapp.library import e2e

pytestmark = pytest.mark.anyio
PATIENCE = 20.0
VALUES = {"phone": "+1 (555) 000-1111", "risk": "yes"}
STATE = Query("select state_code from channel where id = :id", str)
MESSAGE = Query(
    "select author || ':' || direction || ':' || text from message where channel_id = :id order by id desc limit 1", str
)
STATUS = Query("select status from message where id = :id", str)
FILE = Query("select state from media where channel_id = :id", str)
MODE = Query("select mode from conversation where channel_id = :id", str)
CONVERSATIONS = Query("select count(*) from conversation where channel_id = :id", int)


@pytest.fixture
async def whatsapp() -> AsyncIterator[WhatsApp]:
    server = WhatsApp()
    await server.start()
    yield server
    await server.close()


@pytest.fixture
async def rt(tmp_path: Path, whatsapp: WhatsApp) -> AsyncIterator[Runtime]:
    (tmp_path / "ballast").touch()
    whatsapp.redirect()
    url = f"ws://127.0.0.1:{whatsapp.port}/ws/chat"
    running = await runtime.start(load({"data": str(tmp_path), "whatsapp_web_url": url}, {}, tmp_path))
    yield running
    await runtime.stop(running)


async def until(rt: Runtime, query: Query[Any], expected: Any, **params: Any) -> None:
    """Wait until the query's one value is this."""
    async with asyncio.timeout(PATIENCE):
        while (found := await rt.db.reader.one(query, **params)) != expected:
            assert found is None or found != "failed"
            await asyncio.sleep(0.02)


async def the_contact(rt: Runtime, channel_id: int) -> Recipient:
    """The one person who wrote here."""
    query = Query("select contact_id from conversation where channel_id = :id", int)
    return Recipient(await rt.db.reader.one(query, id=channel_id))


async def sending(rt: Runtime, channel_id: int, to: Recipient, said: Content) -> Sent:
    sent = await rt.db.write(send, rt.channels.by_id[channel_id].here, to, said)
    rt.channels.wake_all()
    return sent


async def linked(rt: Runtime, whatsapp: WhatsApp, **more: str) -> int:
    channel_id = await connecting.add(rt.channels, "whatsapp_web", "Phone", VALUES | more, rate=0)
    async with asyncio.timeout(PATIENCE):
        while not (found := linking.shown(rt.channels, channel_id)) or not found.qr:
            await asyncio.sleep(0.02)
    await whatsapp.scan(found.qr)
    await until(rt, STATE, "connected", id=channel_id)
    return channel_id


async def test_message_of_a_linked_phone_is_stored_and_answered(rt: Runtime, whatsapp: WhatsApp) -> None:
    channel_id = await linked(rt, whatsapp)
    alice = whatsapp.add("15557770001", "Alice")
    await whatsapp.say(alice, "Hello")
    await until(rt, MESSAGE, "contact:in:Hello", id=channel_id)
    sent = await sending(rt, channel_id, await the_contact(rt, channel_id), Text("Good day"))
    assert (await whatsapp.seen("message", text="Good day"))["to"] == f"{alice.lid}@lid"
    await until(rt, STATUS, "delivered", id=int(sent.id))
    assert await rt.db.reader.one(CONVERSATIONS, id=channel_id) == 1


async def test_P3_message_that_is_sent_again_under_its_id_is_stored_once(rt: Runtime, whatsapp: WhatsApp) -> None:
    channel_id = await linked(rt, whatsapp)
    alice = whatsapp.add("15557770001", "Alice")
    id = await whatsapp.say(alice, "Hello")
    await whatsapp.say(alice, "Hello", id=id)  # encrypted anew: the library tells it twice
    await whatsapp.say(alice, "Bye")
    await until(rt, MESSAGE, "contact:in:Bye", id=channel_id)
    assert await rt.db.reader.one(Query("select count(*) from message where channel_id = :id", int), id=channel_id) == 2


async def test_stranger_gets_nothing_from_a_program(rt: Runtime, whatsapp: WhatsApp) -> None:
    channel_id = await linked(rt, whatsapp)
    whatsapp.add("15557770002", "Bob")
    sent = await sending(rt, channel_id, to_phone("+15557770002"), Text("Buy!"))
    async with asyncio.timeout(PATIENCE):
        while await rt.db.reader.one(STATUS, id=int(sent.id)) != "failed":
            await asyncio.sleep(0.02)


async def test_owner_at_the_phone_has_the_conversation_recorded(rt: Runtime, whatsapp: WhatsApp) -> None:
    channel_id = await linked(rt, whatsapp)
    alice = whatsapp.add("15557770001", "Alice")
    await whatsapp.say(alice, "Hello")
    await until(rt, MESSAGE, "contact:in:Hello", id=channel_id)
    await whatsapp.say(whatsapp.owner, "I take this", to=alice)
    await until(rt, MESSAGE, "phone:out:I take this", id=channel_id)
    await until(rt, MODE, "person", id=channel_id)
    assert await rt.db.reader.one(CONVERSATIONS, id=channel_id) == 1


async def test_P9_file_is_stored_and_goes_out_again(rt: Runtime, whatsapp: WhatsApp) -> None:
    channel_id = await linked(rt, whatsapp)
    alice = whatsapp.add("15557770001", "Alice")
    image = e2e.ImageMessage(mimetype="image/png", **whatsapp.media.add(b"\x89PNG picture", "Image"))
    await whatsapp.send(alice, e2e.Message(imageMessage=image), media="image")
    await until(rt, FILE, "stored", id=channel_id)
    media_id = await rt.db.reader.one(Query("select id from media", int))
    await sending(rt, channel_id, await the_contact(rt, channel_id), Image(media_id=str(media_id)))
    message = (await whatsapp.seen("message"))["message"]
    assert (message.imageMessage.mimetype, message.imageMessage.fileLength) == ("image/png", 12)


async def test_unlinking_keeps_the_channel_and_linking_begins_again(
    rt: Runtime, whatsapp: WhatsApp, tmp_path: Path
) -> None:
    channel_id = await linked(rt, whatsapp)
    await linking.unlink(rt.channels, channel_id)
    await until(rt, STATE, "unlinked", id=channel_id)
    lines = await rt.db.reader.all(audits.NEWEST, before=2**62, limit=1)
    assert [line.action for line in lines] == ["channel.unlinked"]
    assert not whatsapp.linked and not list((tmp_path / "whatsapp_web").iterdir())
    with pytest.raises(Conflict):
        await linking.ask_code(rt.channels, channel_id)
    await linking.link(rt.channels, channel_id)
    await until(rt, STATE, "pairing", id=channel_id)


async def test_closed_number_is_tried_again_by_whoever_asks(rt: Runtime, whatsapp: WhatsApp) -> None:
    channel_id = await linked(rt, whatsapp)
    whatsapp.refusal = {"reason": "402", "code": "101", "expire": "3600", "location": "test"}
    await whatsapp.end()
    live = rt.channels.get(channel_id)
    async with asyncio.timeout(PATIENCE):
        while live.state.code != "web.banned":
            await asyncio.sleep(0)
    # Its page offers that from the moment on which it tells why: nothing is told when the session has ended, too.
    assert live.ended
    whatsapp.refusal = {}
    await linking.link(rt.channels, channel_id)
    await until(rt, STATE, "connected", id=channel_id)


async def test_removing_the_channel_unlinks_the_phone(rt: Runtime, whatsapp: WhatsApp, tmp_path: Path) -> None:
    await connecting.remove(rt.channels, await linked(rt, whatsapp))
    assert not whatsapp.linked and not list((tmp_path / "whatsapp_web").iterdir())


async def test_keys_are_in_the_database_where_it_has_schemas(
    tmp_path: Path, whatsapp: WhatsApp, database_url: str
) -> None:
    on_postgres = database_url.startswith("postgres")
    whatsapp.redirect()
    where = database_url if on_postgres else f"sqlite:///{database_url}"
    given = {"whatsapp_web_url": f"ws://127.0.0.1:{whatsapp.port}/ws/chat", "database_url": where}
    # Where the keys are in the database, another process of the installation needs nothing of the first one's folder.
    folders = [tmp_path / "first", tmp_path / ("second" if on_postgres else "first")]
    for folder in folders:
        folder.mkdir(exist_ok=True)
        (folder / "ballast").touch()
    keys = {"key_file": str(folders[0] / "keys.json")}
    first = await runtime.start(load(given | {"data": str(folders[0])}, {}, tmp_path))
    channel_id = await linked(first, whatsapp)
    await runtime.stop(first)
    second = await runtime.start(load(given | keys | {"data": str(folders[1])}, {}, tmp_path))
    await whatsapp.say(whatsapp.add("15557770001", "Alice"), "Hello")
    await until(second, MESSAGE, "contact:in:Hello", id=channel_id)
    assert bool([*folders[0].rglob(f"{channel_id}.db"), *folders[1].rglob(f"{channel_id}.db")]) != on_postgres
    schemas = Query("select count(*) from information_schema.schemata where schema_name = :name", int)
    for found in (1, 0) if on_postgres else ():
        assert await second.db.reader.one(schemas, name=f"whatsapp_web_{channel_id}") == found
        if found:
            await connecting.remove(second.channels, channel_id)
    await runtime.stop(second)


@pytest.mark.parametrize(
    ("field", "value"), [("phone", "12"), ("phone", "0551234567"), ("risk", "no"), ("strangers", "maybe")]
)
async def test_settings_that_cannot_be_are_refused(rt: Runtime, field: str, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        await connecting.add(rt.channels, "whatsapp_web", "Phone", VALUES | {field: value})
    assert set(caught.value.fields) == {field}


PEOPLE = Query("select count(*) from contact where merged_into is null", int)


async def test_number_that_is_dialled_finds_who_wrote_from_the_linked_phone(rt: Runtime, whatsapp: WhatsApp) -> None:
    """A linked device knows people as `wa_id` and LID, whoever dials knows a number: one person, one conversation."""
    channel_id = await linked(rt, whatsapp)
    alice = whatsapp.add("15557770001", "Alice")
    await whatsapp.say(alice, "Hello")
    await until(rt, MESSAGE, "contact:in:Hello", id=channel_id)
    sent = await sending(rt, channel_id, to_phone("+1 555 777-0001"), Text("Good day"))
    await until(rt, STATUS, "delivered", id=int(sent.id))
    await corrections.correct(rt, int(sent.id), "Good evening")
    await until(rt, Query("select text from message where id = :id", str), "Good evening", id=int(sent.id))
    await corrections.take_back(rt, int(sent.id))
    await until(rt, Query("select count(*) from message where deleted_at is not null", int), 1)
    with pytest.raises(Conflict):
        await corrections.correct(rt, int(sent.id), "Too late")
    assert await rt.db.reader.one(CONVERSATIONS, id=channel_id) == 1
    assert await rt.db.reader.one(PEOPLE) == 1


async def test_lid_and_number_become_one_when_the_network_tells_the_link(rt: Runtime, whatsapp: WhatsApp) -> None:
    channel_id = await linked(rt, whatsapp, strangers="yes")
    bob = whatsapp.add("15557770002", "Bob")
    await whatsapp.say(bob, "By LID alone", more={"sender_pn": None, "addressing_mode": None})
    await until(rt, MESSAGE, "contact:in:By LID alone", id=channel_id)
    sent = await sending(rt, channel_id, to_phone("15557770002"), Text("Hi Bob"))
    await until(rt, STATUS, "delivered", id=int(sent.id))
    assert await rt.db.reader.one(PEOPLE) == 1
    assert await rt.db.reader.one(CONVERSATIONS, id=channel_id) == 1


async def test_group_of_the_linked_phone_is_answered_in_the_group(rt: Runtime, whatsapp: WhatsApp) -> None:
    group = "120363000000000001@g.us"
    alice = whatsapp.add("15557770001", "Alice")
    whatsapp.groups[group] = [alice]
    channel_id = await linked(rt, whatsapp, groups="!shop")
    await whatsapp.say(alice, "!shop Hello", group=group)
    await until(rt, MESSAGE, "contact:in:Hello", id=channel_id)
    found = await rt.db.reader.one(Query("select id from conversation where thread = :thread", int), thread=group)
    assert found is not None
    await rt.db.write(handoff.say, found, Text("Good day"), 0)
    rt.channels.wake_all()
    assert (await whatsapp.seen("message", text="Good day"))["to"] == group


async def test_health_of_a_linked_phone_counts_what_it_sent_also_after_a_restart(
    rt: Runtime, whatsapp: WhatsApp
) -> None:
    channel_id = await linked(rt, whatsapp)
    alice = whatsapp.add("15557770001", "Alice")
    await whatsapp.say(alice, "Hello")
    await until(rt, MESSAGE, "contact:in:Hello", id=channel_id)
    sent = await sending(rt, channel_id, await the_contact(rt, channel_id), Text("Good day"))
    await until(rt, STATUS, "delivered", id=int(sent.id))
    found = await health.of(rt, channel_id)
    assert found is not None and (found.score, found.level) == (90, "good")
    assert (found.allowance.sent_in_a_day, found.allowance.a_day) == (1, 100)
    await rt.channels.reload(channel_id)  # as after a restart
    async with asyncio.timeout(PATIENCE):
        while not rt.channels.by_id[channel_id].recalled:
            await asyncio.sleep(0.02)
    again = await health.of(rt, channel_id)
    assert again is not None and again.allowance.sent_in_a_day == 1
