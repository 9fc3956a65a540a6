"""The way in: arrivals from a network become units of work, and the caller waits until all of them are on disk.

One update is one unit, so a bad one never takes its neighbours along: what a unit cannot store is quarantined instead.
"""

import asyncio
import logging
import traceback
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from app import inbox, settle
from app.connectors.base import Arrival, Inbound, Malformed, Notice, Receipt, StatusChange
from app.db import DatabaseError
from app.inbox import Outcome

if TYPE_CHECKING:
    from app.channels import Channels, Live

log = logging.getLogger(__name__)


Told = Callable[[BaseException | None], None]


class Batch:
    """Counts the units of one call down; `told` hears when all are committed, or which failure of the database kept one
    from it."""

    def __init__(self, told: Told) -> None:
        self._left = 1
        self._error: BaseException | None = None
        self._told = told

    def add(self) -> None:
        self._left += 1

    def done(self, error: BaseException | None = None) -> None:
        self._left -= 1
        self._error = self._error or error
        if self._left == 0:
            self._told(self._error)


async def accept(
    channels: "Channels", live: "Live", arrivals: Iterable[Arrival], trusted: Callable[["Live"], bool]
) -> None:
    """`take_in`, waited for. Raises what kept an arrival from the disk."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def told(error: BaseException | None) -> None:
        if future.done():
            return  # nobody waits any more
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)

    take_in(channels, live, arrivals, trusted, told)
    await future


def take_in(
    channels: "Channels", live: "Live", arrivals: Iterable[Arrival], trusted: Callable[["Live"], bool], told: Told
) -> None:
    """Bring arrivals of one channel in. `trusted` tells whether another channel's secret signed the same body, too;
    `told` is called on the loop once everything is on disk, or with what kept it from there."""
    batch = Batch(told)
    for arrival in arrivals:
        if isinstance(arrival, StatusChange):
            channels.state_changed(live, arrival)
            continue
        owner = _owner(channels, live, arrival, trusted)
        if owner is None:
            _quarantine(channels, None, "unknown_account", _as_malformed(arrival), batch)
        else:
            _submit(channels, owner, arrival, batch)
    batch.done()


def _owner(
    channels: "Channels",
    live: "Live",
    arrival: Inbound | Receipt | Notice | Malformed,
    trusted: Callable[["Live"], bool],
) -> "Live | None":
    """The channel an update belongs to: by its account, if that channel's secret signed it."""
    if not arrival.account or arrival.account == live.row.account:
        return live
    other = channels.by_account.get((live.row.connector, arrival.account))
    return other if other is not None and trusted(other) else None


def _submit(channels: "Channels", live: "Live", arrival: Inbound | Receipt | Notice | Malformed, batch: Batch) -> None:
    match arrival:
        case Inbound():
            _receive(channels, live, arrival, batch)
        case Receipt():
            _record(channels, live, arrival, batch)
        case Notice():
            batch.add()
            channels.db.submit(
                inbox.keep_notice, channels.intake, live.row.id, live.row.connector, arrival,
                done=lambda _, error: _stored(channels, live, arrival, batch, error),
            )  # fmt: skip
        case Malformed():
            _quarantine(channels, live.row.id, "malformed", arrival, batch)


def _receive(channels: "Channels", live: "Live", inbound: Inbound, batch: Batch) -> None:
    slot = live.sender.reserve()
    live.received += 1
    batch.add()

    def done(outcome: Outcome | None, error: BaseException | None) -> None:
        if slot and not (outcome and outcome.slot_used):
            live.sender.release()
        _stored(channels, live, inbound, batch, error)

    channels.db.submit(inbox.RECEIVE, channels.intake, live.here, inbound, slot, done=done, key=_key(inbound))


def _record(channels: "Channels", live: "Live", receipt: Receipt, batch: Batch) -> None:
    batch.add()

    def done(settled: int | None, error: BaseException | None) -> None:
        if settled is not None:
            live.sender.wake()
        _stored(channels, live, receipt, batch, error)

    channels.db.submit(settle.receipt, live.row.id, channels.intake.install, receipt, done=done)


def _stored(
    channels: "Channels", live: "Live", arrival: Inbound | Receipt | Notice, batch: Batch, error: BaseException | None
) -> None:
    """A database failure is the caller's to answer; any other failure of a unit sends its update to the quarantine."""
    if error is None or isinstance(error, DatabaseError):
        batch.done(error)
        return
    log.error("an update could not be stored", exc_info=error)
    reason = "".join(traceback.format_exception(error, limit=-4))
    _quarantine(channels, live.row.id, "not_stored", Malformed(arrival.account, reason, arrival.raw), batch)
    batch.done()


def _quarantine(channels: "Channels", channel_id: int | None, reason: str, malformed: Malformed, batch: Batch) -> None:
    batch.add()
    channels.db.submit(
        inbox.quarantine, channels.intake, channel_id, reason, malformed, done=lambda _, error: batch.done(error)
    )


def _as_malformed(arrival: Inbound | Receipt | Notice | Malformed) -> Malformed:
    if isinstance(arrival, Malformed):
        return arrival
    return Malformed(arrival.account, f"No channel here has the account {arrival.account}.", arrival.raw)


def _key(inbound: Inbound) -> int:
    """Units of one conversation keep their order on Postgres: the same sender gives the same writer."""
    aliases = inbound.sender.aliases()
    return hash(aliases[0]) if aliases else 0
