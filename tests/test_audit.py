"""The audit log (S35): a line in the commit of each change, a chain that shows tampering, no secret in it."""

import asyncio
from pathlib import Path

import pytest

from app import audit, bots, connecting, erase, people, tokens, users, vault
from app.db import Query, Statement
from app.runtime import Runtime
from app.store import audits
from tests.routes.visiting import visiting

pytestmark = pytest.mark.anyio
LINES = Query("select action, actor, subject, detail from audit order by seq", lambda *row: row)
SHOP = "bot: Shop bot\nrules:\n  - name: hi\n    when: {says: hi}\n    do: [{say: Hello}]\n"


async def change_things(rt: Runtime) -> None:
    """One of everything that is logged and needs no page."""
    owner = await users.create_owner(rt, email="rosa@luna.example", name="Rosa", password="purple kettle walks nine")
    rosa = await users.find(rt, "rosa@luna.example")
    vera, _password = await users.add(rt, email="vera@luna.example", name="Vera", role="agent")
    await users.change_role(rt, vera, "viewer", rosa)
    await users.disable(rt, vera, rosa)
    await users.enable(rt, vera, rosa)
    await users.reset_password(rt, vera, by=rosa)
    values = {"phone_number_id": "1", "access_token": "CANARY", "app_secret": "CANARY", "verify_token": "CANARY"}
    channel = await connecting.add(rt.channels, "whatsapp_cloud", "Shop", values)
    await connecting.change(rt.channels, channel, {"access_token": "CANARY2"}, name="Store")
    bot = await bots.create(rt, "", SHOP, rosa)
    await bots.publish(rt, bot, [channel], "first", rosa)
    version = await rt.db.reader.one(Query("select id from version where number = 1", int))
    await bots.roll_back(rt, channel, version or 0, rosa)
    await connecting.remove(rt.channels, channel)
    await vault.put(rt, "shop_key", "CANARY-CANARY")
    await vault.remove(rt, await vault.find(rt, "shop_key"))
    made = await tokens.create(rt, name="CRM", scopes=["read"], user_id=owner)
    assert made.secret.startswith("pk_")


WANTED = [
    "user.added", "user.added", "user.role", "user.disabled", "user.enabled", "password.changed", "channel.added",
    "channel.changed", "bot.published", "bot.pointed", "channel.removed", "secret.set", "secret.removed",
    "token.created",
]  # fmt: skip


async def test_S35_every_change_leaves_its_line_and_no_secret(rt: Runtime) -> None:
    await change_things(rt)
    lines = await rt.db.reader.all(LINES)
    assert [line[0] for line in lines] == WANTED
    assert {line[1] for line in lines} == {"command line"}
    assert "CANARY" not in repr(lines) and "pk_" not in repr(lines) and "access_token" in repr(lines)
    assert await rt.db.read(audit.verify) == audit.Verdict(len(WANTED), None)


async def test_S35_what_fails_leaves_no_line(rt: Runtime) -> None:
    await users.create_owner(rt, email="rosa@luna.example", name="Rosa", password="purple kettle walks nine")
    with pytest.raises(users.Conflict):
        await users.disable(rt, (await users.find(rt, "rosa@luna.example")).id)
    assert len(await rt.db.reader.all(LINES)) == 1


@pytest.mark.parametrize(
    ("sql", "wrong"),
    [
        ("update audit set detail = 'owner' where seq = 3", 3),
        ("update audit set actor = 'somebody' where seq = 1", 1),
        ("update audit set at = at + 1 where seq = 14", 14),
        ("delete from audit where seq = 5", 6),
        ("delete from audit where seq = 14", 14),
        ("update audit set before = '' where seq = 2", 2),
        ("delete from audit", 1),
    ],
)
async def test_S35_tampering_shows(rt: Runtime, sql: str, wrong: int) -> None:
    await change_things(rt)
    await rt.db.write(lambda tx: tx.run(Statement(sql)))
    assert (await rt.db.read(audit.verify)).wrong == wrong


async def test_S35_the_oldest_leave_after_a_year_and_the_rest_still_fits(rt: Runtime, clock: object) -> None:
    await change_things(rt)
    clock.advance(366 * 86_400)
    await vault.put(rt, "other", "something else")
    assert await rt.db.bulk(audit.sweep) == len(WANTED)
    assert await rt.db.read(audit.verify) == audit.Verdict(1, None)


async def test_S35_an_erased_contact_leaves_only_a_number(rt: Runtime) -> None:
    contact = await rt.db.write(people.create, "5511999990000", people.Change(name="Ana Lima"))
    await erase.contact(rt, contact)
    lines = await rt.db.reader.all(LINES)
    assert [line[0] for line in lines] == ["contact.erased"] and "Ana" not in repr(lines) and "5511" not in repr(lines)


async def test_S35_the_chain_holds_with_many_writers(rt: Runtime) -> None:
    async def one(number: int) -> None:
        await rt.db.write(audit.logged, audit.entry("secret.set", number), lambda tx: None, key=number)

    await asyncio.gather(*(one(number) for number in range(60)))
    assert await rt.db.read(audit.verify) == audit.Verdict(60, None)
    assert len({row.seq for row in await rt.db.reader.all(audits.NEWEST, before=2**62, limit=100)}) == 60


async def test_S35_the_page_lists_changes_and_checks_the_chain(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        wanted = {
            "business": "Luna",
            "language": "en",
            "zone": "UTC",
            "answer_hours": "24",
            "raw_days": "30",
            "media_days": "0",
        }
        assert (await visit.post("/settings", wanted)).status_code == 303
        page = (await visit.get("/settings/audit")).text
        assert "Changed the settings" in page and "Logged in" in page and "127.0.0.1" in page
        assert (
            "Changed the settings" not in (await visit.get("/settings/audit?action=login")).text.partition("<table")[2]
        )
        assert "all in order" in (await visit.get("/settings/audit/check")).text
        await visit.rt.db.write(lambda tx: tx.run(Statement("update audit set ip = 'x' where seq = 1")))
        assert "Line 1 does not fit" in (await visit.get("/settings/audit/check")).text
        await visit.become("agent")
        assert (await visit.get("/settings/audit")).status_code == 403
