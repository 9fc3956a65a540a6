"""Versions of bots, ready to decide: each document is compiled once, and the pipeline only ever looks it up."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from app.bot.document import DocumentError, Version, compile_version
from app.db import Database
from app.errors import NotFound
from app.said import N_
from app.store import bots as store

KEPT: Final = 32  # versions that are not live anywhere: drafts that were tried

T = TypeVar("T")

log = logging.getLogger(__name__)


class Versions:
    """Compiled versions by id. `get` is a plain look-up, safe on any thread; `load` compiles in a thread."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._compiled: dict[int, Version] = {}
        self._live: frozenset[int] = frozenset()
        self._before: frozenset[int] = frozenset()
        self._one = asyncio.Lock()

    async def aside(self, work: Callable[[str], T], text: str) -> T:
        """Work on a document in a thread, one at a time: several large ones would take the interpreter from the
        pipeline, and a stop would have to wait for all of them; those whose turn has not come are dropped by it."""
        async with self._one:
            return await asyncio.to_thread(work, text)

    def live(self) -> list[Version]:
        """Those that answer on a channel now."""
        return [self._compiled[id] for id in self._live if id in self._compiled]

    def get(self, version_id: int) -> Version:
        """The compiled version. Raises KeyError if it was not loaded."""
        return self._compiled[version_id]

    async def load(self, version_id: int) -> Version:
        """The compiled version, compiled now if need be. Raises NotFound, DocumentError."""
        found = self._compiled.get(version_id)
        if found is None:
            row = await self._db.reader.one(store.VERSION, id=version_id)
            if row is None:
                raise NotFound(N_("There is no such version."))
            found = await self.aside(partial(compile_version, version_id=version_id), row.document)
            self._keep(version_id, found)
        return found

    async def load_live(self) -> None:
        """Compile what is live on a channel or leads a flow, and remember which those are, and which were before: with
        one of those a flow may begin while this reads. One that this release refuses is logged: its channel stores
        messages and answers none until a version that works is published."""
        rows = await self._db.reader.all(store.LIVE)
        self._before, self._live = self._live, frozenset(version_id for version_id, _ in rows)
        for version_id, document in rows:
            if version_id not in self._compiled:
                try:
                    made = await self.aside(partial(compile_version, version_id=version_id), document)
                    self._keep(version_id, made)
                except DocumentError as error:
                    log.error("version %s is live but cannot be used: %s", version_id, error)

    def _keep(self, version_id: int, version: Version) -> None:
        self._compiled[version_id] = version
        tried = [known for known in self._compiled if known not in self._live | self._before and known != version_id]
        for oldest in tried[: max(0, len(tried) - KEPT + 1)]:
            del self._compiled[oldest]
