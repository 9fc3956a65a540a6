"""Commands on channels and on the secrets that bots name."""

from typing import TYPE_CHECKING, Any

import msgspec

from app import bots, connecting, linking, vault
from app.connectors import CONNECTORS
from app.connectors.abilities import LinksPhones, Webhook
from app.connectors.states import sentence
from app.errors import Conflict
from app.models import ChannelRow
from app.said import N_
from app.store import bots as bot_rows
from app.store import channels as channel_rows

if TYPE_CHECKING:
    from app.runtime import Runtime

Row = dict[str, Any]


# ---- channels -------------------------------------------------------------------------------------------------------


async def add_channel(rt: "Runtime", *, kind: str, name: str, values: dict[str, str], rate: float | None) -> Row:
    channel_id = await connecting.add(rt.channels, kind, name, values, rate=rate)
    return await show_channel(rt, name=str(channel_id))


async def list_channels(rt: "Runtime") -> list[Row]:
    return [_channel(row) for row in await rt.db.reader.all(channel_rows.ALL)]


async def show_channel(rt: "Runtime", *, name: str) -> Row:
    """With its key, its settings in plain and the names of its secrets."""
    row = await rt.channels.find(name)
    version: bot_rows.Text | None = None
    if row.version_id is not None:
        version = await rt.db.reader.one(bot_rows.VERSION, id=row.version_id)
    bot = None if version is None else await bots.get(rt.db.reader, version.bot_id)
    return _channel(row) | {
        "key": row.key,
        "webhook": webhook(rt, row),
        "links": isinstance(CONNECTORS[row.connector], LinksPhones),
        "settings": msgspec.json.decode(row.config),
        "secrets": sorted(msgspec.json.decode(row.secrets)),
        "bot": bot and bot.name,
        "version": version and version.number,
    }


def webhook(rt: "Runtime", row: ChannelRow) -> str | None:
    """The address to enter at the network, only its path while no public address is set; None for networks without."""
    connector = CONNECTORS[row.connector]
    return f"{rt.settings.public_url}/hooks/{connector.place}/{row.key}" if isinstance(connector, Webhook) else None


async def set_channel(
    rt: "Runtime", *, name: str, values: dict[str, str], rate: float | None, new_name: str | None
) -> Row:
    row = await rt.channels.find(name)
    await connecting.change(rt.channels, row.id, values, name=new_name, rate=rate)
    return await show_channel(rt, name=str(row.id))


async def remove_channel(rt: "Runtime", *, name: str) -> Row:
    row = await rt.channels.find(name)
    await connecting.remove(rt.channels, row.id)
    return {"id": str(row.id), "name": row.name}


async def link_channel(rt: "Runtime", *, name: str, code: bool, again: bool) -> Row:
    """How linking stands: the state, and the texts of QR code and pairing code while there are any. `again` shows new
    codes where the last ones ran out; `code` asks for one to be typed. Raises `Conflict` where nothing runs."""
    row = await rt.channels.find(name)
    if linking.shown(rt.channels, row.id) is None:
        raise Conflict(N_("Start Parley first, and link a channel that is a phone."))
    if again:
        await linking.link(rt.channels, row.id)
    if code:
        await linking.ask_code(rt.channels, row.id)
    found, live = linking.shown(rt.channels, row.id), rt.channels.get(row.id)
    return {
        "name": row.name,
        "state": live.state.state.value,
        "state_text": sentence(live.state.code),
        "qr": found.qr if found else "",
        "code": found.code if found else "",
        "number": found.number if found else "",
    }


async def unlink_channel(rt: "Runtime", *, name: str) -> Row:
    row = await rt.channels.find(name)
    await linking.unlink(rt.channels, row.id)
    return {"id": str(row.id), "name": row.name}


def _channel(row: ChannelRow) -> Row:
    return {
        "id": str(row.id),
        "name": row.name,
        "kind": row.connector,
        "account": row.account,
        "rate": row.rate,
        "state": row.state,
        "state_text": sentence(row.state_code),
    }


# ---- secrets --------------------------------------------------------------------------------------------------------


async def set_secrets(rt: "Runtime", *, values: dict[str, str]) -> list[Row]:
    """Each is added or gets another value, if all of them can be."""
    for name, value in values.items():
        vault.check(name, value)
    return [{"name": name, "new": await vault.put(rt, name, value)} for name, value in values.items()]


async def list_secrets(rt: "Runtime") -> list[Row]:
    """Names only."""
    return [
        {"name": secret.name, "changed_at": secret.changed_at, "changed_by": secret.changed_by or None}
        for secret in await vault.list_all(rt)
    ]


async def remove_secret(rt: "Runtime", *, name: str) -> Row:
    await vault.remove(rt, await vault.find(rt, name))
    return {"name": name}
