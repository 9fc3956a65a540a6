"""Publishing at a time: what was chosen goes live then, once, whatever happens in between."""

import asyncio
from zoneinfo import ZoneInfo

import pytest

from app import bots, connecting, jobs, planned, users
from app.errors import Conflict, Invalid, NotFound
from app.runtime import Runtime, start, stop
from app.settings import Settings
from app.store import bots as bot_rows
from app.store import planned as store
from tests.clock import START, ManualClock
from tests.shop import open_shop, rows

DRAFT = 'bot: Luna\nrules:\n  - name: greeting\n    when: {says: hi}\n    do: [{say: "Hello."}]\n'
SECOND, THIRD = DRAFT.replace("Hello.", "Good day."), DRAFT.replace("Hello.", "Good night.")
HOUR = 3_600_000


async def drafted(rt: Runtime) -> tuple[int, int]:
    """A shop with version 1 live and another draft: (bot, channel)."""
    live = await open_shop(rt, DRAFT)
    bot = await bots.find(rt.db.reader, "Luna")
    await bots.save_draft(rt, bot.id, SECOND, 1, None)
    return bot.id, live.row.id


async def number_live(rt: Runtime) -> int | None:
    [channel] = await rt.db.read(bot_rows.list_channels)
    return channel.number


async def waiting(rt: Runtime, bot_id: int) -> list[store.Planned]:
    return await rt.db.reader.all(store.OF_BOT, bot_id=bot_id)


async def settled(rt: Runtime) -> None:
    """Until no job is left that is due."""
    for _ in range(200):
        rt.jobs.wake()
        await asyncio.sleep(0.01)
        due = "select id from job where state = 'running' or (state = 'queued' and due_at <= :now)"
        if not await rows(rt, due, now=rt.clock.now()):
            return
    raise AssertionError("a job that is due was not done")


async def test_the_version_chosen_goes_live_at_its_time_though_the_draft_changed(
    rt: Runtime, clock: ManualClock
) -> None:
    bot_id, channel_id = await drafted(rt)
    await users.create_owner(rt, email="rosa@luna.example", name="Rosa", password="a cake with nine candles")
    rosa = await users.find(rt, "rosa@luna.example")
    assert await planned.plan(rt, bot_id, [channel_id], "for Monday", clock.now() + HOUR, rosa) == 2
    await bots.save_draft(rt, bot_id, THIRD, 2, None)
    await settled(rt)
    assert await number_live(rt) == 1
    [one] = await waiting(rt, bot_id)
    assert (one.number, one.author, one.at, one.channel_ids) == (2, "Rosa", START + HOUR, (channel_id,))
    clock.advance(3600)
    await settled(rt)
    assert await number_live(rt) == 2 and not await waiting(rt, bot_id)
    assert rt.channels.by_id[channel_id].here.version_id == one.version_id
    record = await rt.db.reader.all(bot_rows.PUBLICATIONS, bot_id=bot_id)
    assert [(line.number, line.author) for line in record] == [(2, "Rosa"), (1, "")]


async def test_it_survives_a_restart_and_fires_once_at_the_next_start_if_it_was_due_meanwhile(
    settings: Settings, clock: ManualClock
) -> None:
    first = await start(settings, clock)
    bot_id, channel_id = await drafted(first)
    await planned.plan(first, bot_id, [channel_id], "", clock.now() + HOUR, None)
    await stop(first)
    clock.advance(7200)
    second = await start(settings, clock)
    await settled(second)
    assert await number_live(second) == 2
    [version] = await bots_rolled_back(second, bot_id, channel_id)
    await stop(second)
    third = await start(settings, clock)
    await settled(third)
    assert third.channels.by_id[channel_id].here.version_id == version, "it does not fire again"
    await stop(third)


async def bots_rolled_back(rt: Runtime, bot_id: int, channel_id: int) -> list[int]:
    first = await rt.db.reader.one(bot_rows.BY_NUMBER, bot_id=bot_id, number=1)
    assert first is not None
    await bots.roll_back(rt, channel_id, first.id, None)
    return [first.id]


async def test_what_is_cancelled_does_not_go_live_even_if_its_job_has_begun(rt: Runtime, clock: ManualClock) -> None:
    rt.jobs._open = False
    bot_id, channel_id = await drafted(rt)
    await planned.plan(rt, bot_id, [channel_id], "", clock.now() + HOUR, None)
    [one] = await waiting(rt, bot_id)
    clock.advance(3601)
    [job] = (await rt.db.write(jobs.claim, "net", 8, 1000))[0]
    with pytest.raises(NotFound):
        await planned.cancel(rt, bot_id + 1, one.id)
    await planned.cancel(rt, bot_id, one.id)
    await rt.db.write(planned.put_live, job, one)
    assert await number_live(rt) == 1 and not await waiting(rt, bot_id)
    with pytest.raises(Conflict):
        await planned.cancel(rt, bot_id, one.id)


async def test_a_job_that_was_taken_over_publishes_once(rt: Runtime, clock: ManualClock) -> None:
    rt.jobs._open = False
    bot_id, channel_id = await drafted(rt)
    await planned.plan(rt, bot_id, [channel_id], "", clock.now() + HOUR, None)
    [one] = await waiting(rt, bot_id)
    clock.advance(3601)
    [slow] = (await rt.db.write(jobs.claim, "net", 8, 1000))[0]
    clock.advance(2)
    [fast] = (await rt.db.write(jobs.claim, "net", 8, 1000))[0]
    assert await rt.db.write(planned.put_live, slow, one) == []
    assert await rt.db.write(planned.put_live, fast, one) == [channel_id]
    assert await rt.db.write(planned.put_live, fast, one) == []
    assert await number_live(rt) == 2


async def test_a_channel_that_was_removed_is_left_out_and_without_any_the_reason_stays_in_sight(
    rt: Runtime, clock: ManualClock
) -> None:
    bot_id, channel_id = await drafted(rt)
    values = {"phone_number_id": "2", "access_token": "t", "app_secret": "s", "verify_token": "v"}
    other = await connecting.add(rt.channels, "whatsapp_cloud", "Stall", values)
    await planned.plan(rt, bot_id, [channel_id, other], "", clock.now() + HOUR, None)
    await planned.plan(rt, bot_id, [other], "", clock.now() + HOUR, None)
    await connecting.remove(rt.channels, other)
    clock.advance(3601)
    await settled(rt)
    assert await number_live(rt) == 2
    [left] = await waiting(rt, bot_id)
    assert left.problem == planned.NO_CHANNEL
    await planned.cancel(rt, bot_id, left.id)
    assert not await waiting(rt, bot_id)


async def test_only_what_can_be_published_now_can_be_planned(rt: Runtime, clock: ManualClock) -> None:
    bot_id, channel_id = await drafted(rt)
    with pytest.raises(Invalid, match="at least one channel"):
        await planned.plan(rt, bot_id, [], "", clock.now() + HOUR, None)
    await bots.save_draft(rt, bot_id, "bot: Luna\ncolour: red\n", 2, None)
    with pytest.raises(Invalid, match="cannot be published"):
        await planned.plan(rt, bot_id, [channel_id], "", clock.now() + HOUR, None)
    assert not await waiting(rt, bot_id) and await number_live(rt) == 1


PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2025-07-01T08:30", 1_751_351_400_000),
        (" 2025-07-01 08:30 ", 1_751_351_400_000),
        ("2025-07-01T08:30+02:00", 1_751_351_400_000),
        ("2025-10-26 02:30", 1_761_438_600_000),  # comes twice: the first
    ],
)
def test_a_time_is_read_in_the_zone_of_whoever_asks(text: str, utc: int) -> None:
    assert planned.moment(text, PARIS, START) == utc


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a day and a time"),
        ("tomorrow", "a day and a time"),
        ("2025-06-01 08:00", "is over"),
        ("2026-03-29 02:30", "clocks skip"),
        ("2027-01-01 08:00", "within a year"),
        ("0001-01-01T00:00", "is over"),
        ("9999-12-31T23:59", "within a year"),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_a_sentence(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        planned.moment(text, PARIS, START)
