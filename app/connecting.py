"""Channels are added, changed, tested and removed here, so that the rows and the live sessions never differ."""

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.audit import entry, logged
from app.configuring import check_name, check_rate, check_values, insert, update
from app.configuring import remove as drop
from app.connectors import CONNECTORS
from app.connectors.abilities import Examines, Links
from app.connectors.base import Check
from app.db import DatabaseError
from app.errors import Conflict, Invalid
from app.said import N_
from app.store import channels as store

if TYPE_CHECKING:
    from app.channels import Channels


async def add(
    channels: "Channels",
    kind: str,
    name: str,
    values: Mapping[str, str],
    *,
    rate: float | None = None,
    version_id: int | None = None,
) -> int:
    """A new channel, connected at once. Raises `Invalid` with a sentence per field, `Conflict` if name or
    account is taken."""
    connector = CONNECTORS.get(kind)
    if connector is None:
        raise Invalid(N_("There is no connector “{kind}”. There are: {names}.", kind=kind, names=", ".join(CONNECTORS)))
    checked = check_values(connector, values)
    pace = connector.default_rate if rate is None else check_rate(rate)
    clean, key = check_name(name), secrets.token_urlsafe(16)
    line = entry("channel.added", clean, kind)
    channel_id: int = await channels.db.write(
        logged, line, insert, channels.keys, connector, clean, checked, pace, version_id, key
    )
    await channels.reload(channel_id)
    return channel_id


async def change(
    channels: "Channels",
    channel_id: int,
    values: Mapping[str, str],
    *,
    name: str | None = None,
    rate: float | None = None,
) -> None:
    """Change settings; a secret left out stays as it is. A halted channel is tried again."""
    live = channels.get(channel_id)
    merged = {**live.opened.config, **live.opened.secrets, **{k: v for k, v in values.items() if v}}
    known = {setting.name for setting in live.connector.settings}
    checked = check_values(live.connector, {k: v for k, v in merged.items() if k in known})
    new_name = live.row.name if name is None else check_name(name)
    new_rate = live.row.rate if rate is None else check_rate(rate)
    # Which settings were given, never their values.
    line = entry("channel.changed", live.row.name, ", ".join(sorted(name for name, value in values.items() if value)))
    await channels.db.write(logged, line, update, channels.keys, live.connector, live.row, new_name, checked, new_rate)
    await channels.reload(channel_id)


async def remove(channels: "Channels", channel_id: int) -> None:
    """The channel stops; its conversations stay readable. What was not sent yet is shown as failed."""
    live = channels.get(channel_id)
    if live.row.connector == "simulator":
        raise Conflict(N_("The simulator is built in and cannot be removed."))
    async with channels.changing:
        if isinstance(live.session, Links):
            await live.session.unlink()
        await channels.close(live, 2.0)
        try:
            await channels.db.settled()  # what came in before it closed may still queue replies
            await channels.db.write(logged, entry("channel.removed", live.row.name), drop, channel_id)
        except DatabaseError:
            channels.open(live.row)
            raise


async def examine(channels: "Channels", channel_id: int) -> list[Check]:
    """ "Test it": what works and what is missing, each with its remedy."""
    live = channels.get(channel_id)
    checks: list[Check] = []
    if isinstance(live.session, Examines):
        checks = await live.session.examine()
    if live.webhook and live.webhook.by_hand:
        row = await channels.db.reader.one(store.BY_ID, id=channel_id) or live.row
        checks += [
            Check("webhook.verified", True if row.verified_at else None, "webhook.verify"),
            Check("webhook.heard", True if row.heard_at else None, "webhook.say_hi"),
        ]
    return checks
