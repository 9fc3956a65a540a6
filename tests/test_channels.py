"""Channels that change and go while messages are under way."""

import asyncio
import threading

from app import connecting, inbox
from app.outbox import Sender
from app.runtime import Runtime
from tests.shop import open_shop, rows, said


async def test_two_changes_at_once_leave_one_session_and_one_sender(rt: Runtime) -> None:
    live = await open_shop(rt)
    await asyncio.gather(*(rt.channels.reload(live.row.id) for _ in range(3)))
    now = rt.channels.by_id[live.row.id]
    supervised = [task for task in rt.channels._tasks if not task.done() and "_supervise" in repr(task)]
    assert now.task in supervised
    assert len(supervised) == len(rt.channels.by_id)
    assert isinstance(now.sender, Sender) and now.sender.open and not live.sender.open


async def test_what_arrives_while_its_channel_is_removed_leaves_nothing_waiting_for_ever(rt: Runtime) -> None:
    live = await open_shop(rt, sending=True)
    gate = threading.Event()
    rt.db.submit(lambda tx: gate.wait(2), key=1, done=lambda _, __: None)
    rt.db.submit(inbox.receive, rt.channels.intake, live.here, said(rt, "twice"), False, key=1, done=lambda _, __: None)
    asyncio.get_running_loop().call_later(0.2, gate.set)
    await connecting.remove(rt.channels, live.row.id)
    await rt.db.settled()
    assert await rows(rt, "select count(*) from outbox") == [(0,)]
    assert await rows(rt, "select status, count(*) from message where direction = 'out' group by status") == [
        ("failed", 2)
    ]
