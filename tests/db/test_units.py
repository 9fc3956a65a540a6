"""Units of work: whole or not at all, acknowledged after the commit, alike on both databases."""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence

import pytest

from app.db import (
    EVENTS_AFTER,
    Broken,
    Database,
    Query,
    Reader,
    Statement,
    Stopped,
    Together,
    Tx,
    Violation,
    open_database,
)
from app.db.ids import EPOCH, Ids
from app.db.units import Unit, UnitQueue
from app.events import StoredEvent
from tests.clock import ManualClock
from tests.db.items import COUNT, GROW, ID, INSERT, NAMES, SIZE, SOME, Refused, add, add_and_fail, tell


async def test_what_a_unit_wrote_is_read(database: Database) -> None:
    id = await database.write(add, "a")
    assert await database.reader.one(ID, name="a") == id
    assert await database.reader.one(ID, name="b") is None


async def test_a_read_uses_one_connection_for_all_its_queries(database: Database) -> None:
    async def both(db: Reader, first: str) -> tuple[int | None, list[str]]:
        return await db.one(ID, name=first), await db.all(NAMES)

    id = await database.write(add, "a")
    assert await database.read(both, "a") == (id, ["a"])


async def test_readers_cannot_write(database: Database) -> None:
    await database.write(add, "a")
    with pytest.raises(Broken):
        await database.reader.all(Query("delete from item returning name", str))
    assert await database.reader.all(NAMES) == ["a"]


async def test_P28_many_readers_beside_a_writer_are_not_refused(database: Database) -> None:
    async def read() -> None:
        for _ in range(20):
            await database.reader.one(COUNT)

    await asyncio.gather(*(read() for _ in range(20)), *(database.write(add, str(n), key=n) for n in range(100)))
    assert await database.reader.one(COUNT) == 100


async def test_a_failing_unit_rolls_back_only_itself(database: Database) -> None:
    units = [database.write(add_and_fail if n % 3 == 1 else tell, f"{n:02}") for n in range(12)]
    outcomes = await asyncio.gather(*units, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Refused if n % 3 == 1 else type(None) for n in range(12)]
    assert await database.reader.all(NAMES) == [f"{n:02}" for n in range(12) if n % 3 != 1]


async def test_a_broken_constraint_is_the_units_own_fault(database: Database) -> None:
    first, second, third = await asyncio.gather(
        database.write(add, "a"), database.write(add, "a"), database.write(add, "b"), return_exceptions=True
    )
    assert isinstance(second, Violation)
    assert isinstance(first, int) and isinstance(third, int)


async def test_a_unit_sees_what_those_before_it_wrote(database: Database) -> None:
    def size_after(tx: Tx) -> int | None:
        tx.run(GROW, name="a")
        return tx.one(SIZE, name="a")

    await database.write(add, "a")
    assert await asyncio.gather(*(database.write(size_after) for _ in range(20))) == list(range(1, 21))


async def test_rows_written_later_are_there_for_the_next_statement(database: Database) -> None:
    def unit(tx: Tx) -> tuple[list[str], int | None]:
        for n in range(45):
            tx.later(INSERT, id=tx.new_id(), name=f"{n:02}")
        found = tx.each(Query("select name from item where name in (values (:name))", str), [
            {"name": name} for name in ("44", "07", "none", "00")
        ])  # fmt: skip
        tx.later(INSERT, id=tx.new_id(), name="last")
        return sorted(found), tx.one(COUNT)

    assert await database.write(unit) == (["00", "07", "44"], 46)
    assert await database.reader.one(COUNT) == 46


async def test_rows_written_later_go_with_their_unit(database: Database) -> None:
    """A broken constraint, too, that shows only when they are written."""

    def unit(tx: Tx, name: str, fails: bool) -> None:
        tx.later(INSERT, id=tx.new_id(), name=name)
        if fails:
            raise Refused(name)

    names = ["a", "b", "a", "c", "d"]
    outcomes = await asyncio.gather(
        *(database.write(unit, name, name == "b") for name in names), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), Refused, Violation, type(None), type(None)]
    assert await database.reader.all(NAMES) == ["a", "c", "d"]


async def test_units_that_wait_are_done_together(database: Database) -> None:
    """On SQLite. Each gets its own result; where they fail together, each is done alone."""
    sizes: list[int] = []

    def one(tx: Tx, name: str) -> str:
        if name == "bad":
            raise Refused(name)
        add(tx, name)
        return name

    def several(tx: Tx, calls: Sequence[tuple[str]]) -> list[str]:
        sizes.append(len(calls))
        return [one(tx, *call) for call in calls]

    both = Together(one, several)
    work = [database.write(add if n == 20 else both, f"{n:02}") for n in range(50)]
    outcomes = await asyncio.gather(*work)
    assert [outcome for n, outcome in enumerate(outcomes) if n != 20] == [f"{n:02}" for n in range(50) if n != 20]
    assert database.dialect == "postgres" or (sum(sizes) > 40 and max(sizes) > 10)
    outcomes = await asyncio.gather(*(database.write(both, name) for name in ("x", "bad", "y")), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [str, Refused, str]
    assert await database.reader.one(COUNT) == 52


async def test_units_of_one_key_keep_their_order(database: Database) -> None:
    order: dict[int, list[int]] = {key: [] for key in range(5)}

    def note(tx: Tx, key: int, n: int) -> None:
        tx.one(COUNT)
        tx.after_commit(order[key].append, n)

    await asyncio.gather(*(database.write(note, key, n, key=key) for n in range(20) for key in order))
    assert all(numbers == list(range(20)) for numbers in order.values())


async def test_nobody_hears_of_a_unit_before_it_is_committed(database: Database) -> None:
    seen: list[tuple[str, int | None]] = []

    def note(name: str) -> None:
        seen.append((name, (asyncio.get_running_loop() is loop and 1) or 0))

    def unit(tx: Tx) -> None:
        add(tx, "a")
        tx.after_commit(note, "called")

    loop = asyncio.get_running_loop()
    await database.write(unit)
    assert seen == [("called", 1)]
    assert await database.reader.all(NAMES) == ["a"]


async def test_calls_of_a_failed_unit_are_dropped(database: Database) -> None:
    called: list[str] = []

    def unit(tx: Tx, name: str, fails: bool) -> None:
        tx.after_commit(called.append, name)
        if fails:
            raise Refused(name)

    await asyncio.gather(*(database.write(unit, str(n), n % 2 == 1) for n in range(6)), return_exceptions=True)
    assert called == ["0", "2", "4"]


async def test_a_callback_that_raises_does_not_keep_others_from_hearing(database: Database) -> None:
    def fails() -> None:
        raise Refused()

    def unit(tx: Tx) -> None:
        tx.after_commit(fails)

    assert await asyncio.gather(database.write(unit), database.write(unit)) == [None, None]


async def test_submit_tells_result_and_error_on_the_loop(database: Database) -> None:
    heard: list[tuple[object, BaseException | None]] = []
    database.submit(add, "a", done=lambda result, error: heard.append((type(result), error)))
    database.submit(add_and_fail, "b", done=lambda result, error: heard.append((result, error)))
    await database.settled()
    assert heard[0] == (int, None)
    assert heard[1][0] is None and isinstance(heard[1][1], Refused)


async def test_cancelling_tears_nothing(database: Database) -> None:
    """Of 300 writers a third is cancelled at every stage: each unit is there with both its rows or with none."""

    def pair(tx: Tx, n: int) -> None:
        add(tx, f"{n}-a")
        add(tx, f"{n}-b")

    tasks = [asyncio.create_task(database.write(pair, n)) for n in range(300)]
    for n, task in enumerate(tasks):
        if n % 3 == 0:
            task.cancel()
        if n % 20 == 0:
            await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)
    await database.settled()
    names = await database.reader.all(NAMES)
    halves = [{name.partition("-")[0] for name in names if name.endswith(end)} for end in ("-a", "-b")]
    assert halves[0] == halves[1]
    assert {str(n) for n in range(300) if n % 3} <= halves[0]


async def test_a_cancelled_read_gives_its_connection_back(database: Database) -> None:
    await asyncio.gather(*(database.write(add, str(n)) for n in range(50)))
    for _ in range(3):
        reads = [asyncio.create_task(database.reader.all(NAMES)) for _ in range(12)]
        await asyncio.sleep(0)
        for read in reads[::2]:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
    assert len(await database.reader.all(NAMES)) == 50


async def test_events_are_stored_and_heard_in_one_order_without_gaps(database: Database) -> None:
    heard: list[StoredEvent] = []
    database.listen(heard.extend)
    await asyncio.gather(*(database.write(tell, f"{n}", key=n) for n in range(50)))
    await database.settled()
    assert [event.seq for event in heard] == list(range(1, 51))
    assert await database.reader.all(EVENTS_AFTER, after=0, limit=100) == heard
    assert heard[0].topics[0] == "conversations" and heard[0].data == b'{"id": "1"}'


async def test_events_of_a_failed_unit_are_dropped(database: Database) -> None:
    heard: list[StoredEvent] = []
    database.listen(heard.extend)
    await asyncio.gather(
        database.write(tell, "a"), database.write(add_and_fail, "b"), database.write(tell, "c"), return_exceptions=True
    )
    await database.settled()
    assert [event.topics[1] for event in heard] == ["conversation-a", "conversation-c"]


async def test_events_go_on_after_a_restart_even_when_all_were_deleted(
    database_url: str, clock: ManualClock, migrations: object
) -> None:
    places: list[int] = []
    for _ in range(2):
        database = open_database(database_url, clock=clock, migrations=migrations)
        database.listen(lambda events: places.extend(event.seq for event in events))
        await database.start()
        await database.write(tell, f"{len(places)}")
        await database.settled()
        await database.write(lambda tx: tx.run(Statement("delete from event")))
        await database.stop()
    assert places == [1, 2]


async def test_P33_ids_are_not_given_twice_after_the_clock_went_back(
    database_url: str, clock: ManualClock, migrations: object
) -> None:
    given: list[int] = []
    for _ in range(3):
        database = open_database(database_url, clock=clock, migrations=migrations)
        await database.start()
        given += [await database.write(add, f"{len(given)}-{n}") for n in range(3)]
        await database.stop()
        clock.jump(-7200)
    assert given == sorted(set(given)) and all(0 < id < 2**63 for id in given)


def test_P33_ids_stay_different_when_one_millisecond_is_not_enough() -> None:
    ids = Ids(node=5)
    given = [ids.new(EPOCH + 1000) for _ in range(10_000)]
    assert len(set(given)) == 10_000 and given == sorted(given)
    assert all(id >> 12 & 1023 == 5 for id in given)


def test_P33_ids_given_before_a_kill_are_below_the_stored_mark() -> None:
    ids = Ids(node=0)
    last = ids.new(EPOCH + 1000)
    mark = ids.mark_needed()
    assert mark is not None
    after_the_kill = Ids(node=0)
    after_the_kill.resume(mark)
    assert after_the_kill.new(EPOCH) > last


async def test_stop_finishes_what_waits_and_refuses_what_comes(database: Database) -> None:
    waiting = [asyncio.create_task(database.write(add, str(n))) for n in range(100)]
    await asyncio.sleep(0)
    await database.stop()
    assert len(await asyncio.gather(*waiting)) == 100
    with pytest.raises(Stopped):
        await database.write(add, "late")


async def test_a_slow_unit_is_named_in_the_log(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    def ponder(tx: Tx) -> None:
        time.sleep(0.03)

    with caplog.at_level(logging.WARNING):
        await database.write(ponder)
    assert "ponder" in caplog.text and "took_ms=3" in caplog.text


async def test_claim_and_lock_keep_rows_for_one_unit(database: Database) -> None:
    def take(tx: Tx) -> list[str]:
        names = tx.claim(SOME, limit=2)
        for name in names:
            id = tx.one(ID, name=name)
            assert id is not None
            tx.lock("item", id)
            tx.run(GROW, name=name)
        return names

    await asyncio.gather(*(database.write(add, f"{n}") for n in range(8)))
    taken = await asyncio.gather(*(database.write(take, key=n) for n in range(8)))
    names = [name for names in taken for name in names]
    assert len(names) == len(set(names))


async def test_many_rows_in_one_call_and_changed_rows_are_counted(database: Database) -> None:
    def unit(tx: Tx) -> int:
        tx.many(INSERT, [{"id": n, "name": f"{n}"} for n in range(10)])
        return tx.run(Statement("update item set size = 1 where id >= :id"), id=7)

    assert await database.write(unit) == 3


async def test_both_databases_give_back_the_same_types(database: Database) -> None:
    row = Query(
        "select :big, cast(:text as text), body, cast(:none as text), :yes from item where name = 'a'",
        lambda *columns: columns,
    )

    def unit(tx: Tx) -> object:
        add(tx, "a")
        tx.run(Statement("update item set body = :body where name = :name"), body=b"\x00\xff", name="a")
        return tx.one(row, big=2**62, text="é", none=None, yes=True)

    assert await database.write(unit) == (2**62, "é", b"\x00\xff", None, 1)


async def test_a_wrong_type_is_refused_on_both(database: Database) -> None:
    with pytest.raises(Exception, match=r"datatype mismatch|invalid input syntax"):
        await database.write(lambda tx: tx.run(INSERT, id="not a number", name="a"))


async def test_health_writes_and_stats_count(database: Database, clock: ManualClock) -> None:
    await database.health()
    before = database.stats()["units"]
    await database.health()  # fresh enough: no write
    assert database.stats()["units"] == before
    clock.advance(2)
    await database.health()
    assert database.stats()["units"] == int(before) + 1


def queue_of(main: int, bulk: int) -> UnitQueue:
    queue = UnitQueue()
    for n in range(main):
        queue.put(Unit(add, ("main", n), lambda result, error: None))
    for n in range(bulk):
        queue.put_bulk(Unit(add, ("bulk", n), lambda result, error: None))
    return queue


def drained(queue: UnitQueue) -> Iterator[str]:
    while (unit := queue.take_waiting()) is not None:
        yield unit.args[0]


def test_bulk_work_waits_for_the_first_queue_but_gets_one_unit_in_ten() -> None:
    kinds = list(drained(queue_of(main=30, bulk=5)))
    assert kinds[:20].count("bulk") == 2 and kinds[9] == "bulk"
    assert kinds[-2:] == ["bulk", "bulk"] and len(kinds) == 35


async def test_bulk_work_is_done_when_nothing_else_waits(database: Database) -> None:
    assert isinstance(await database.bulk(add, "a"), int)


def test_what_others_wait_for_runs_before_what_waits() -> None:
    queue = queue_of(main=3, bulk=1)
    queue.put_first(Unit(add, ("first", 0), lambda result, error: None))
    assert len(queue) >= 5
    assert list(drained(queue)) == ["first", "main", "main", "main", "bulk"]


async def test_a_colon_in_quotes_is_no_parameter(database: Database) -> None:
    both = Query("select ':name' || :name || ':' || :other || :name", str)
    assert await database.write(lambda tx: tx.one(both, name="a", other="b")) == ":namea:ba"
