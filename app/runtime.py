"""The running product: one database, its bots, channels and jobs; the order in which they start and stop."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from app import (
    caller,
    calls,
    claims,
    due,
    fetching,
    housekeeping,
    imports,
    jobs,
    media,
    message_templates,
    planned,
    promises,
    readiness,
    retention,
    search,
    statistics,
    users,
)
from app.ballast import Ballast
from app.bus import Bus
from app.case import Intake
from app.channels import Channels
from app.clock import Clock, SystemClock
from app.compiled import Versions
from app.db import Database, Tx, open_database
from app.desk import Desk
from app.feed import Feed
from app.handlers import Handlers
from app.inbox import DAY
from app.media import Fetcher, may_fetch
from app.metrics import Metrics
from app.poison import Guard
from app.replay import Replays
from app.security.outbound import Outbound
from app.security.secrets import Keyring
from app.settings import Settings
from app.storage import Store, open_store
from app.store import keys as key_rows
from app.store import settings as setting_rows
from app.store import turns
from app.troubles import Troubles
from app.webhooks import Webhooks

log = logging.getLogger(__name__)
RESTART_DELAY = 1.0


class Runtime:
    """Everything a request or a task may need. Built by `start`, closed by `stop`."""

    settings: Settings
    clock: Clock
    db: Database
    keys: Keyring
    bus: Bus
    feed: Feed
    versions: Versions
    replays: Replays
    channels: Channels
    workers: dict[str, jobs.Worker]
    webhooks: Webhooks
    desk: Desk
    handlers: Handlers
    calls: jobs.CallWorker
    jobs: jobs.Worker
    media: Store
    metrics: Metrics
    troubles: Troubles
    install: str
    started_at: int
    stopping: bool = False

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.workers: dict[str, jobs.Worker] = {}

    def supervise(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a task for ever: if it ends or raises, that is logged and it starts again (P44)."""
        self._tasks[name] = asyncio.get_running_loop().create_task(self._forever(name, work), name=name)

    async def _forever(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while not self.stopping:
            try:
                await work()
            except Exception:
                log.exception("task %s ended and starts again", name)
            if not self.stopping:
                await asyncio.sleep(RESTART_DELAY)

    def due(self, lane: str, at: int) -> None:
        """A job of this lane was written that is due `at` (ms UTC)."""
        self.workers[lane].due(at)

    async def problems(self) -> list[dict[str, str]]:
        """What keeps it from working now, as {"code", "message"}; empty when ready."""
        return await readiness.problems(self)

    def begin_stop(self) -> None:
        """Readiness turns and open streams end; called at the first signal."""
        if not self.stopping:
            self.stopping = True
            self.bus.close()
            self.feed.close()
            self.desk.close()

    async def cancel_tasks(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=2)


async def start(settings: Settings, clock: Clock | None = None) -> Runtime:
    """Open everything in order. The data folder's lock is held by the caller. Raises `Misconfigured`,
    `DatabaseError`."""
    rt = Runtime()
    rt.settings = settings
    rt.clock = clock or SystemClock()
    rt.started_at = rt.clock.now()
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    rt.db = open_database(settings.database_url or settings.data / "parley.db", clock=rt.clock)
    await rt.db.start()
    try:
        await _open(rt)
    except BaseException:
        await rt.db.stop()  # its threads would keep the process
        raise
    return rt


async def _open(rt: Runtime) -> None:
    settings = rt.settings
    rt.keys = await Keyring.load(settings, rt.db)
    rt.install = await rt.db.write(ensure_install)
    await users.load_passes(rt.db)
    rt.bus = Bus(rt.db)
    rt.feed = Feed(rt.db)
    await rt.feed.start()
    rt.metrics = Metrics()
    rt.troubles = Troubles(rt.clock)
    logging.getLogger().addHandler(rt.troubles)
    rt.versions = Versions(rt.db)
    rt.replays = Replays(rt.db.reader, rt.bus)
    rt.media = open_store(settings)
    await _finish_rotation(rt)
    await _start_work(rt)


async def _finish_rotation(rt: Runtime) -> None:
    """A rotation that a stop cut short is finished before anything is opened; the modules load with their first use."""
    kids = {row.kid for row in await rt.db.reader.all(key_rows.ALL)}
    if kids != {rt.keys.current}:
        from app import rotation

        await rotation.finish(rt)


async def _start_work(rt: Runtime) -> None:
    guard = Guard(rt.settings.data / "deciding")
    guard.judge(await rt.db.write(strike, guard.found()))
    policy = await rt.db.read(setting_rows.load)
    make = partial(
        Intake, bots=rt.versions, guard=guard, install=rt.install, answer_age=policy.answer_hours * DAY // 24,
        raw_age=policy.raw_days * DAY, due=rt.due,
    )  # fmt: skip
    names = ("graph_url", "graph_version", "telegram_url", "whatsapp_web_url", "public_url", "data")
    defaults = {name: str(getattr(rt.settings, name)) for name in names}
    rt.channels = Channels(rt.db, rt.clock, rt.keys, defaults, rt.media, make)
    typed = Outbound(rt.settings.outbound_allow)
    rt.channels.read_url, rt.channels.post_url = partial(fetching.read, typed), partial(fetching.post, typed)
    await rt.db.write(claims.recover)
    await rt.versions.load_live()
    _make_workers(rt)
    for lane in jobs.LANES:
        await rt.db.write(jobs.recover, lane, last_words(rt))
    rt.media.sweep()
    await rt.channels.start()
    for worker in rt.workers.values():
        rt.supervise(f"{worker.lane} jobs", worker.run)
    rt.supervise("webhooks", rt.webhooks.run)
    rt.supervise("webhook events", rt.webhooks.spool)
    rt.supervise("handlers", rt.handlers.run)
    rt.supervise("statistics", partial(statistics.run, rt.db))
    rt.supervise("files", partial(retention.run, rt.db, rt.media))
    rt.supervise("search index", partial(search.run, rt.db))
    rt.supervise("troubles", partial(rt.troubles.run, rt.db))
    ballast = Ballast(rt.settings.data)
    sweeping = partial(sweep_files, rt)
    rt.supervise("housekeeping", lambda: housekeeping.run(rt.db, rt.channels, ballast, rt.media, sweeping))
    _watch(rt)


async def sweep_files(rt: Runtime) -> None:
    """What lies in the data folder and is past its time."""
    rt.keys.let_go(rt.settings, rt.clock.now())
    await imports.sweep(rt)
    await media.sweep_uploads(rt.db, rt.media)


def _make_workers(rt: Runtime) -> None:
    """Whoever runs jobs, by lane."""
    networks = (rt.settings.graph_url, rt.settings.telegram_url)
    fetcher = Fetcher(rt.db, rt.media, rt.channels, partial(may_fetch, networks, rt.settings.outbound_allow), rt.clock)
    client = Outbound(rt.settings.outbound_allow)
    rt.desk = Desk(rt.db)
    rt.handlers = Handlers(rt.settings.data / "handlers", rt.desk, rt.clock, partial(rt.bus.tell, "attention"))
    rt.webhooks = Webhooks(rt.db, rt.clock, rt.keys, client, frozenset(rt.settings.outbound_allow))
    made = caller.Caller(
        rt.db,
        rt.clock,
        rt.keys,
        rt.versions,
        client,
        rt.metrics,
        rt.install,
        lambda: rt.channels.intake,
        rt.desk,
    )
    handlers: dict[str, jobs.Handler] = {
        media.KIND: fetcher.fetch,
        media.LOOK: fetcher.look,
        retention.KIND: retention.handler(rt.db, rt.media),
        planned.KIND: planned.handler(rt),
        imports.KIND: partial(imports.work, rt),
        message_templates.KIND: message_templates.handler(rt),
    }
    rt.jobs = jobs.Worker(rt.db, rt.clock, "net", handlers, last_words(rt))
    rt.calls = jobs.CallWorker(rt.db, rt.clock, "call", {calls.KIND: made.call}, last_words(rt))
    asks = jobs.AskWorker(rt.db, rt.clock, "ask", {calls.KIND: made.call}, last_words(rt))
    asks.settled = rt.desk.settled
    promised = due.handlers(rt.db.reader, rt.versions, lambda: rt.channels.intake)
    turns_due = jobs.Worker(rt.db, rt.clock, promises.LANE, promised, last_words(rt))
    rt.workers = {worker.lane: worker for worker in (rt.jobs, turns_due, rt.calls, asks)}


def last_words(rt: Runtime) -> jobs.LastWords:
    """Who is told when a job is given up."""
    return {
        media.KIND: media.given_up,
        planned.KIND: planned.given_up,
        imports.KIND: imports.given_up,
        calls.KIND: partial(caller.given_up, lambda: rt.channels.intake),
        **dict.fromkeys(due.KINDS, due.given_up),
    }


def _statistic(rt: Runtime, name: str) -> float:
    return float(rt.db.stats().get(name, 0))


def _watch(rt: Runtime) -> None:
    """Numbers that are only read when somebody asks for them, so that no message pays for them."""
    lives = rt.channels.by_id
    for name in ("units", "batches", "failed", "waiting", "log_bytes"):
        rt.metrics.watch(f"database_{name}", partial(_statistic, rt, name))
    rt.metrics.watch("messages_received", lambda: sum(live.received for live in lives.values()))
    rt.metrics.watch("messages_sent", lambda: sum(live.sender.sent for live in lives.values()))
    rt.metrics.watch("sends_failed", lambda: sum(live.sender.failed for live in lives.values()))
    rt.metrics.watch("bot_calls_under_way", rt.calls.busy)
    rt.metrics.watch("errors_seen", lambda: rt.troubles.total)
    rt.metrics.watch("requests_refused_by_limits", lambda: rt.troubles.refused)
    rt.metrics.watch("sends_under_way", lambda: sum(live.sender.busy() for live in lives.values()))


async def stop(rt: Runtime) -> None:
    """No new work; what is under way gets ten seconds; everything is written and closed (P34)."""
    rt.begin_stop()
    await asyncio.gather(
        rt.channels.stop(), *(worker.close(10.0) for worker in rt.workers.values()), rt.replays.close()
    )
    await rt.cancel_tasks()
    await rt.webhooks.close()
    await rt.handlers.close()
    logging.getLogger().removeHandler(rt.troubles)
    await rt.troubles.write(rt.db)
    await rt.db.stop()


# ---- units of work --------------------------------------------------------------------------------------------------


def ensure_install(tx: Tx) -> str:
    """The installation's id, given at the first start: with it a receipt finds its message."""
    found = tx.one(setting_rows.VALUE, name="install")
    if found is None:
        found = secrets.token_hex(6)
        tx.run(setting_rows.PUT, name="install", value=found)
    return found


def strike(tx: Tx, names: list[str]) -> dict[str, int]:
    """Count what a killed process was deciding, and tell all counts."""
    for name in names:
        tx.run(turns.STRIKE, name=name, now=tx.now)
    return dict(tx.all(turns.SUSPECTS))
