"""Linking a phone to a channel, and ending the link: what pages, commands and the API ask for."""

from typing import TYPE_CHECKING

from app.audit import entry, write
from app.connectors.abilities import Linking, Links
from app.connectors.base import SendFailed, State, StatusChange
from app.errors import Conflict
from app.said import N_

if TYPE_CHECKING:
    from app.channels import Channels, Live


def shown(channels: "Channels", channel_id: int) -> Linking | None:
    """What links the phone now; None for a network without links, or while nothing runs."""
    live = channels.by_id.get(channel_id)
    return live.session.linking() if live and isinstance(live.session, Links) else None


async def link(channels: "Channels", channel_id: int) -> None:
    """Show codes again. A phone that is linked or shows codes is left alone. Raises `Conflict` for a network without
    links."""
    live, session = _link_of(channels, channel_id)
    if live.ended:
        session.retry()
        await channels.reload(channel_id)


async def ask_code(channels: "Channels", channel_id: int) -> str:
    """A code to be typed on the phone. Raises `Conflict` where none can be had now."""
    _, session = _link_of(channels, channel_id)
    try:
        return await session.ask_code()
    except SendFailed as failure:
        said = N_("WhatsApp gave no code. Wait for the QR code to appear, then ask again.")
        raise Conflict(said) from failure


async def unlink(channels: "Channels", channel_id: int) -> None:
    """End the link; the channel stays, and can be linked again. Raises `Conflict` for a network without links."""
    live, session = _link_of(channels, channel_id)
    async with channels.changing:
        await session.unlink()
        await channels.db.write(write, entry("channel.unlinked", live.row.name))
    channels.state_changed(live, StatusChange(State.LOGGED_OUT, "unlinked"))


def _link_of(channels: "Channels", channel_id: int) -> tuple["Live", Links]:
    live = channels.get(channel_id)
    if not isinstance(live.session, Links):
        raise Conflict(N_("“{name}” is not a linked phone.", name=live.row.name))
    return live, live.session
