"""Events on Postgres: committed by many, put into one order by this thread, heard from all nodes.

A unit leaves its events in `event_arrival`. One node at a time, holding the row of the mark, moves what has arrived
into `event` with the next places and rings: an empty notification, at most one in 20 ms. Whoever hears it reads on from
the last place heard, so nothing depends on a notification arriving. What is moved together keeps the order of its ids.
"""

import logging
import selectors
import socket
import threading
import zlib
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

import psycopg

from app.db.errors import InUse
from app.db.journal import EVENTS_AFTER
from app.db.postgres_link import Address, translate
from app.events import StoredEvent

PATIENCE = 2.0  # s: the server lets go of a place a moment after the process that had it is gone
log = logging.getLogger(__name__)

APART = 0.020  # between two rounds (s)
LOOK_ANYWAY = 1.0  # without hearing anything (s)
PAGE = 1000

LOCK_SEQ = "select value from mark where name = 'event.seq' for update"
PLACE = """
with arrived as (delete from event_arrival returning id, at, type, topics, data)
insert into event (seq, at, type, topics, data)
select cast(:seq as bigint) + row_number() over (order by id), at, type, topics, data from arrived
"""
MOVE_SEQ = "update mark set value = value + :count where name = 'event.seq'"


class Sequencer(threading.Thread):
    """Also holds the lock that keeps a second process with the same node number away."""

    def __init__(self, address: Address, node: int, loop: AbstractEventLoop, tell: Callable[[list[StoredEvent]], None]):
        super().__init__(name="db-sequencer", daemon=True)
        self._address, self._node, self._loop, self._tell = address, node, loop, tell
        self._bell, self._button = socket.socketpair()
        self._bell.setblocking(False)
        self._button.setblocking(False)
        self._pressed = False
        self._stopping = False
        self._waiting: deque[Callable[[], None]] = deque()
        self._pause = threading.Event()
        self._connection: psycopg.Connection[Any] | None = None
        self.seq = 0

    def ring(self) -> None:
        """Something was committed. From any thread."""
        if not self._pressed:
            self._pressed = True
            try:
                self._button.send(b".")
            except OSError:  # it has been rung often enough, or the thread was told to stop and has ended by now
                pass

    def after_round(self, fn: Callable[[], None]) -> None:
        """Call `fn` on the loop's thread when everything committed by now has been told."""
        self._waiting.append(fn)
        self.ring()

    def stop(self) -> None:
        self._stopping = True
        self._pause.set()
        self._pressed = False
        self.ring()
        self.join()

    def connect(self) -> None:
        """Raises InUse if another process has this node's place."""
        connection = self._address.connect(autocommit=True)
        try:
            schema = _value(connection, "select current_schema()")
            space = zlib.crc32(f"parley.{schema}".encode()) - 2**31
            until = monotonic() + PATIENCE
            while not _value(connection, f"select pg_try_advisory_lock({space}, {self._node})"):
                if monotonic() > until:
                    raise InUse("Another Parley process uses this database. Stop it first, or name another schema.")
                sleep(0.05)
            self._channel = f"parley_{schema}"
            connection.execute(translate(f'listen "{self._channel}"'))
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def close(self) -> None:
        """For a thread that was never started; a running one does it when it stops."""
        self._drop()
        self._bell.close()
        self._button.close()

    @property
    def connection(self) -> psycopg.Connection[Any]:
        assert self._connection is not None
        return self._connection

    def run(self) -> None:
        while not self._stopping:
            try:
                if self._connection is None:
                    self.connect()
                self._round()
                self._wait()
            except (psycopg.Error, InUse) as error:
                log.warning("events wait reason=%s", error)
                self._drop()
                self._pause.wait(0.5)
        self._last_round()
        self.close()

    def _last_round(self) -> None:
        try:
            if self._connection is not None:
                self._round()
        except psycopg.Error as error:
            log.warning("events wait for the next start reason=%s", error)
        while self._waiting:
            self._call(self._waiting.popleft())

    def _round(self) -> None:
        started = monotonic()
        self._pressed = False
        askers = len(self._waiting)
        self._place()
        while events := self._read():
            self.seq = events[-1].seq
            self._call(self._tell, events)
        for _ in range(askers):
            self._call(self._waiting.popleft())
        self._pause.wait(max(0.0, APART - (monotonic() - started)))

    def _place(self) -> None:
        with self.connection.transaction():
            if not _value(self.connection, "select exists (select 1 from event_arrival)"):
                return
            seq = _value(self.connection, LOCK_SEQ)
            count = self.connection.execute(translate(PLACE), {"seq": seq}).rowcount
            self.connection.execute(translate(MOVE_SEQ), {"count": count})
            self.connection.execute("select pg_notify(%s, '')", (self._channel,))

    def _read(self) -> list[StoredEvent]:
        rows = self.connection.execute(translate(EVENTS_AFTER.sql), {"after": self.seq, "limit": PAGE}).fetchall()
        return [EVENTS_AFTER.row(*row) for row in rows]

    def _wait(self) -> None:
        """Until the bell, a notification, or a while."""
        with selectors.DefaultSelector() as selector:  # `select` refuses descriptors from 1024 on
            selector.register(self._bell, selectors.EVENT_READ)
            selector.register(self.connection.fileno(), selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select(LOOK_ANYWAY)}
        if self._bell in ready:
            self._bell.recv(4096)
        for _ in self.connection.notifies(timeout=0):
            pass

    def _call(self, fn: Callable[..., None], *args: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(fn, *args)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _value(connection: psycopg.Connection[Any], sql: str) -> Any:
    row = connection.execute(translate(sql)).fetchone()
    return None if row is None else row[0]
