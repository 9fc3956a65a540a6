"""S13: whoever is limited to channels reaches nothing of any other. Every address of the dashboard and every operation
of the API is asked by a person and by a key that see one channel, for what belongs to another.
"""

import asyncio
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from app import connecting, invitations, teams, tokens, users, within
from app.db import rows
from app.events import StoredEvent
from app.feed import Listener, Told, Wanted
from app.routes import stream
from app.routes.api import ENDPOINTS
from app.routes.api.openapi import PREFIX
from app.routes.table import ROUTES
from app.runtime import Runtime
from app.security.limits import Limits
from tests.routes.visiting import ANA, Visit, visiting

pytestmark = pytest.mark.anyio
NUMBERS: Final = {"conversation": "select max(id) from conversation where channel_id = :channel",
                  "message": "select max(id) from message where channel_id = :channel",
                  "media": "select max(id) from media where channel_id = :channel",
                  "contact": "select max(contact_id) from conversation where channel_id = :channel",
                  "channel": "select id from channel where id = :channel"}  # fmt: skip
READS: Final = {"self", "read", "answer"}


async def hidden(visit: Visit) -> tuple[dict[str, int], set[str]]:
    """What belongs to the bakery's channels, by kind, and words that only these hold."""
    channel = await visit.one("select channel_id from conversation order by last_at desc limit 1")
    ids = {kind: await visit.one(sql, channel=channel) for kind, sql in NUMBERS.items()}
    words = {await visit.one("select name from contact where id = :id", id=ids["contact"]), ANA}
    words |= {await visit.one("select text from message where id = :id", id=ids["message"])}
    return {kind: int(id) for kind, id in ids.items() if id is not None}, {word for word in words if len(word) > 4}


async def other_channel(visit: Visit, name: str = "Elsewhere", number: str = "99") -> int:
    values = {"phone_number_id": number, "access_token": "t", "app_secret": "s", "verify_token": "v"}
    return await connecting.add(visit.rt.channels, "whatsapp_cloud", name, values)


def filled(path: str, ids: dict[str, int]) -> tuple[str, bool]:
    """The address with an id of what is hidden, and whether it names such a thing."""
    kind = next((kind for start, kind in within.NAMED if path.startswith(start)), "")
    id = ids.get(kind, 9_100_000_000_000_000_000)
    return re.sub(r"\{\w+:id\}", str(id), path).replace("{kind}", "whatsapp_cloud"), kind in ids


def body_of(name: str, ids: dict[str, int]) -> Any:
    """What names something hidden elsewhere than in the address."""
    return {
        "sendMessage": {"channel": str(ids["channel"]), "to": "+5511999990000", "text": "Hi"},
        "triggerContact": {"channel": str(ids["channel"]), "to": "+5511999990000", "name": "x"},
        "trigger": {"name": "x"},
        "changeContact": {"name": "Changed"},
    }.get(name, {})


async def test_S13_a_limited_person_finds_nothing_of_other_channels(tmp_path: Path) -> None:
    wrong: list[str] = []
    async with visiting(tmp_path) as visit:
        ids, words = await hidden(visit)
        channel = await other_channel(visit)
        await visit.become("agent")
        agent = await users.find(visit.rt, "agent@luna.example")
        await within.limit_user(visit.rt, agent.id, frozenset({channel}))
        for line in ROUTES:
            if line.may not in READS or line.name == "logout" or line.path.startswith("/account"):
                continue
            path, named = filled(line.path, ids)
            visit.app.state.limits = Limits(visit.rt.clock)
            answer = await (visit.get(path) if line.method == "GET" else visit.post(path, {"text": "Hi"}))
            if named and answer.status_code != 404:
                wrong.append(f"{line.method} {path}: {answer.status_code}")
            wrong += [f"{line.method} {path} shows {word}" for word in words if word in answer.text]
        assert (await visit.get("/inbox")).status_code == 200
        searched = await visit.get(f"/inbox/list?q={ANA[:8]}")
        assert searched.status_code == 200 and not any(word in searched.text for word in words)
        await within.limit_user(visit.rt, agent.id, None)
        assert (await visit.get(f"/inbox/{ids['conversation']}")).status_code == 200
    assert not wrong, "\n".join(wrong)


async def test_S13_a_limited_key_finds_nothing_of_other_channels(tmp_path: Path) -> None:
    wrong: list[str] = []
    async with visiting(tmp_path) as visit:
        ids, words = await hidden(visit)
        channel = await other_channel(visit)
        made = await tokens.create(visit.rt, name="k", scopes=["read", "send"], channels=frozenset({channel}), rate=0)
        free = await tokens.create(visit.rt, name="f", scopes=["read", "send"], rate=0)
        head, other = ({"Authorization": f"Bearer {key.secret}"} for key in (made, free))
        for line in ENDPOINTS:
            if line.may not in READS:
                continue
            path, named = filled(line.path, ids)
            body = None if line.method == "GET" else body_of(line.name, ids)
            answer = await visit.client.request(line.method, PREFIX + path, headers=head, json=body)
            if (named or line.name in ("sendMessage", "triggerContact")) and answer.status_code != 404:
                wrong.append(f"{line.method} {path}: {answer.status_code} {answer.text[:80]}")
            wrong += [f"{line.method} {path} shows {word}" for word in words if word in answer.text]
        lists = {
            name: await visit.client.get(f"{PREFIX}/{name}", headers=head) for name in ("channels", "conversations")
        }
        assert [one["name"] for one in lists["channels"].json()["items"]] == ["Elsewhere"]
        assert lists["conversations"].json()["items"] == []
        assert (await visit.client.get(f"{PREFIX}/conversations", headers=other)).json()["items"]
        numbers = (await visit.client.get(f"{PREFIX}/analytics/summary?days=366", headers=head)).json()
        assert (numbers["received"], numbers["channels"], numbers["rules"]) == (0, [], [])
        card = {"channel": str(channel), "to": str(ids["contact"]), "text": "Hi"}
        assert (await visit.client.post(f"{PREFIX}/messages", headers=head, json=card)).status_code == 404
        assert (await visit.client.post(f"{PREFIX}/contacts/import", headers=head)).status_code == 403
    assert not wrong, "\n".join(wrong)


async def test_S13_teams_add_up_and_whoever_sees_none_sees_none(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        rt, db = visit.rt, visit.rt.db.reader
        one, two = await other_channel(visit), await other_channel(visit, "Two", "98")
        user_id, _ = await users.add(rt, email="ana@luna.example", name="Ana", role="agent")
        user = await users.find(rt, "ana@luna.example")
        assert await within.of_user(db, user) is None
        team_id = await teams.add(rt, "Orders")
        await teams.join(rt, team_id, user_id)
        await within.limit_team(rt, team_id, frozenset({one}))
        assert await within.of_user(db, user) == {one}
        await within.limit_user(rt, user_id, frozenset({two}))
        assert await within.of_user(db, user) == {one, two}
        key = await tokens.create(rt, name="k", scopes=["read"], user_id=user_id, channels=frozenset({two}))
        assert await within.of_key(db, key.id, user_id, "agent") == {two}
        await within.limit_user(rt, user_id, frozenset())
        assert await within.of_user(db, user) == {one} and await within.of_key(db, key.id, user_id, "agent") == set()
        await within.limit_team(rt, team_id, None)
        assert await within.of_user(db, user) == set(), "a limit without a channel is no freedom"
        owner = await users.find(rt, "rosa@luna.example")
        with pytest.raises(within.Invalid):
            await within.limit_user(rt, owner.id, frozenset({one}))


async def test_S13_events_of_other_channels_are_not_told(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        rt, channel = visit.rt, await other_channel(visit)
        limited, free = await told(rt, Wanted(seen=frozenset({channel}))), await told(rt, Wanted())
        assert free and all(one["data"].get("channel_id") == str(channel) for one in limited)


async def test_S13_doorbells_tell_a_limited_person_no_ids(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        rt, channel = visit.rt, await other_channel(visit)
        ids, _words = await hidden(visit)
        chat = f"conversation-{ids['conversation']}"
        asked = ["conversations", chat, f"channel-{ids['channel']}", f"channel-{channel}", "bots"]
        seen = frozenset({channel})
        topics = await asyncio.create_task(stream.visible(rt.db.reader, asked, seen))
        assert topics == ["conversations", f"channel-{channel}", "bots"]
        limited, free = rt.bus.subscribe(asked, bare=True), rt.bus.subscribe(["conversations", chat])
        event = StoredEvent(rt.bus.seq + 1, 0, "message.created", ("conversations", chat), b'{"id":"one"}')
        rt.bus.ring([event])
        again = rt.bus.subscribe(["conversations"], after=event.seq - 1, bare=True)
        assert b"one" in b"".join(free.queue) and limited.queue and again.queue
        assert b"one" not in b"".join([*limited.queue, *again.queue])


async def test_S13_an_invited_person_sees_what_was_chosen_for_them(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        channel, owner = await other_channel(visit), await users.find(visit.rt, "rosa@luna.example")
        given: dict[str, Any] = {"email": "ana@luna.example", "name": "Ana", "by": owner}
        seen = frozenset({channel})
        with pytest.raises(within.Invalid):
            await invitations.create(visit.rt, **given, role="admin", channels=seen)
        token = await invitations.create(visit.rt, **given, role="agent", channels=seen)
        await invitations.accept(visit.rt, token, name="Ana", password="purple kettle walks nine", agent="", ip="")
        assert await within.of_user(visit.rt.db.reader, await users.find(visit.rt, "ana@luna.example")) == seen
        # A key is limited as it is made, on the page too.
        fields = {"name": "CRM", "scopes": "read", "days": "30", "rate": "", "which": "some", "channels": str(channel)}
        assert "pk_" in (await visit.post("/settings/keys", fields)).text
        key = await visit.one("select max(id) from api_key")
        assert await within.of_key(visit.rt.db.reader, key, None, None) == seen


async def told(rt: Runtime, wanted: Wanted) -> list[dict[str, Any]]:
    """Everything that a listener is told of what happened so far."""
    found: list[Told] = []
    listener, end = rt.feed.join(wanted, 0), rt.feed.seq
    following = asyncio.ensure_future(collect(rt, listener, found))
    async with asyncio.timeout(5):
        while listener.seq < end:
            await asyncio.sleep(0.01)
    following.cancel()
    return [json.loads(one.body) for one in found]


async def collect(rt: Runtime, listener: Listener, found: list[Told]) -> None:
    async for some in rt.feed.follow(listener):
        found += some


async def test_work_for_everybody_sees_everything() -> None:
    token = rows.channels.set(frozenset())
    try:
        with rows.everything():
            assert rows.narrowed("select 1 from message") == "select 1 from message"
        assert "in (-1)" in rows.narrowed("select 1 from message")
    finally:
        rows.channels.reset(token)
