"""What the command line can do to an installation, by name: the same functions whether it runs or rests.

Each takes the runtime and plain values and returns what JSON can hold, ids as strings. Nothing here prints.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app import (
    audit,
    bots,
    channels,
    demo,
    doctor,
    documents,
    i18n,
    planned,
    replay,
    second_factor,
    teams,
    tokens,
    users,
    vault,
)
from app.connectors import CONNECTORS
from app.connectors.base import LinksPhones, Webhook
from app.errors import Conflict, Invalid
from app.models import ChannelRow
from app.said import N_
from app.store import bots as bot_rows
from app.store import channels as channel_rows
from app.store import settings as setting_rows

if TYPE_CHECKING:
    from app.runtime import Runtime

Row = dict[str, Any]


# ---- people ---------------------------------------------------------------------------------------------------------


async def set_up(rt: "Runtime", *, email: str, name: str, password: str) -> Row:
    return {"id": str(await users.create_owner(rt, email=email, name=name, password=password)), "email": email}


async def add_user(rt: "Runtime", *, email: str, name: str, role: str, password: str | None) -> Row:
    """Without a password one is made and told this once."""
    user_id, made = await users.add(rt, email=email, name=name, role=role, password=password)
    told = {} if password else {"password": made}
    return {"id": str(user_id), "email": email, "role": role, **told}


async def list_users(rt: "Runtime") -> list[Row]:
    return [
        {
            "id": str(user.id),
            "email": user.email,
            "name": user.name,
            "role": user.role,
            "disabled": user.disabled_at is not None,
        }
        for user in await users.list_all(rt)
    ]


async def disable_user(rt: "Runtime", *, email: str) -> Row:
    user = await users.find(rt, email)
    await users.disable(rt, user.id)
    return {"id": str(user.id), "email": user.email}


async def reset_password(rt: "Runtime", *, email: str, password: str | None) -> Row:
    user = await users.find(rt, email)
    made = await users.reset_password(rt, user.id, password)
    told = {} if password else {"password": made}
    return {"id": str(user.id), "email": user.email, **told}


async def reset_two_step(rt: "Runtime", *, email: str) -> Row:
    user = await users.find(rt, email)
    await second_factor.reset(rt, user.id)
    return {"id": str(user.id), "email": user.email}


# ---- teams ----------------------------------------------------------------------------------------------------------


async def add_team(rt: "Runtime", *, name: str) -> Row:
    return {"id": str(await teams.add(rt, name)), "name": name}


async def list_teams(rt: "Runtime") -> list[Row]:
    return [
        {"id": str(team.id), "name": team.name, "members": [member.email for member in team.members]}
        for team in await teams.list_all(rt)
    ]


async def remove_team(rt: "Runtime", *, name: str) -> Row:
    team_id = await teams.find(rt, name)
    await teams.remove(rt, team_id)
    return {"id": str(team_id), "name": name}


async def join_team(rt: "Runtime", *, name: str, email: str) -> Row:
    await teams.join(rt, await teams.find(rt, name), (await users.find(rt, email)).id)
    return {"name": name, "email": email}


async def leave_team(rt: "Runtime", *, name: str, email: str) -> Row:
    await teams.leave(rt, await teams.find(rt, name), (await users.find(rt, email)).id)
    return {"name": name, "email": email}


# ---- channels -------------------------------------------------------------------------------------------------------


async def add_channel(rt: "Runtime", *, kind: str, name: str, values: dict[str, str], rate: float | None) -> Row:
    channel_id = await rt.channels.add(kind, name, values, rate=rate)
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
    await rt.channels.change(row.id, values, name=new_name, rate=rate)
    return await show_channel(rt, name=str(row.id))


async def remove_channel(rt: "Runtime", *, name: str) -> Row:
    row = await rt.channels.find(name)
    await rt.channels.remove(row.id)
    return {"id": str(row.id), "name": row.name}


async def link_channel(rt: "Runtime", *, name: str, code: bool, again: bool) -> Row:
    """How linking stands: the state, and the texts of QR code and pairing code while there are any. `again` shows new
    codes where the last ones ran out; `code` asks for one to be typed. Raises `Conflict` where nothing runs."""
    row = await rt.channels.find(name)
    if rt.channels.linking(row.id) is None:
        raise Conflict(N_("Start Parley first, and link a channel that is a phone."))
    if again:
        await rt.channels.link(row.id)
    if code:
        await rt.channels.ask_code(row.id)
    found, live = rt.channels.linking(row.id), rt.channels.get(row.id)
    return {
        "name": row.name,
        "state": live.state.state.value,
        "state_text": channels.sentence(live.state.code),
        "qr": found.qr if found else "",
        "code": found.code if found else "",
        "number": found.number if found else "",
    }


async def unlink_channel(rt: "Runtime", *, name: str) -> Row:
    row = await rt.channels.find(name)
    await rt.channels.unlink(row.id)
    return {"id": str(row.id), "name": row.name}


def _channel(row: ChannelRow) -> Row:
    return {
        "id": str(row.id),
        "name": row.name,
        "kind": row.connector,
        "account": row.account,
        "rate": row.rate,
        "state": row.state,
        "state_text": channels.sentence(row.state_code),
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


# ---- bots -----------------------------------------------------------------------------------------------------------


async def import_bot(rt: "Runtime", *, text: str) -> Row:
    """The document becomes the draft of the bot that it names; a new bot if there is none."""
    name = await rt.versions.aside(documents.name_of, text)
    if not name:
        raise Invalid("This document has errors, so it was not imported.", code="document")
    known = await rt.db.reader.one(bot_rows.BY_NAME, name=bot_rows.fold(name))
    if known is None:
        return {"id": str(await bots.create(rt, name, text, None)), "name": name, "new": True}
    if known.draft != text:
        await bots.save_draft(rt, known.id, text, known.draft_revision, None)
    return {"id": str(known.id), "name": known.name, "new": False}


async def export_bot(rt: "Runtime", *, name: str, number: int) -> Row:
    """The draft, or with a number that version."""
    bot = await bots.find(rt.db.reader, name)
    return {"name": bot.name, "document": await bots.text_of(rt.db.reader, bot, number)}


async def publish_bot(
    rt: "Runtime", *, name: str, channels: list[str] | None, note: str, anyway: bool, at: str = ""
) -> Row:
    """On the channels named, or on every channel without a bot; now, or `at` a time: in the installation's zone, unless
    it tells its own offset. Tells the secrets that its calls name and that are not there."""
    bot = await bots.find(rt.db.reader, name)
    chosen = None if channels is None else [(await rt.channels.find(each)).id for each in channels]
    told: Row = {"id": str(bot.id), "name": bot.name, "missing_secrets": await missed(rt, bot.draft)}
    if at:
        zone = i18n.zone((await rt.db.read(setting_rows.read_all))["zone"])
        moment = planned.moment(at, zone, rt.clock.now())
        number = await planned.plan(rt, bot.id, chosen, note, moment, None, anyway=anyway)
        return told | {"version": number, "live": [], "at": moment}
    number = await bots.publish(rt, bot.id, chosen, note, None, anyway=anyway)
    on = [channel for channel in await rt.db.read(bot_rows.list_channels) if channel.bot_id == bot.id]
    live = [channel.channel for channel in on if channel.number == number]
    older = [channel.channel for channel in on if channel.number != number]
    return told | {"version": number, "live": live, "older": older}


async def missed(rt: "Runtime", text: str) -> list[Row]:
    """Where a document names secrets that are not there."""
    problems = await rt.versions.aside(partial(documents.missed, secrets=await vault.names(rt)), text)
    return [{"line": problem.line, "message": problem.message} for problem in problems]


async def replay_bot(rt: "Runtime", *, name: str, text: str | None, last: int, tag: str) -> Row:
    """Past conversations of the bot through a document, or without one through its draft: counts, and of each
    conversation that differs the first turns that do."""
    bot = await bots.find(rt.db.reader, name)
    if not 1 <= last <= replay.MOST_CHATS:
        raise Invalid(N_("Between 1 and {most} conversations are replayed at once.", most=replay.MOST_CHATS))
    version = await replay.compiled(rt, bot.draft if text is None else text)
    choice = replay.Choice(last, tag=tag, now=rt.clock.now())
    report = await replay.replay(rt.db.reader, bot.id, version, choice, lambda done, total: None)
    return {
        "id": str(bot.id),
        "name": bot.name,
        "conversations": report.conversations,
        "turns": report.turns,
        "held": report.held,
        "unreadable": report.unreadable,
        "cut": report.cut,
        "took_ms": report.took,
        "differing": [_differing(one) for one in report.differing],
    }


def _differing(one: replay.Differing) -> Row:
    turns = [turn for turn in one.turns if turn.outcome != "same"][:3]
    return {
        "conversation": str(one.conversation_id),
        "contact": one.name,
        "outcome": one.outcome,
        "differences": one.differences,
        "turns": [
            {
                "outcome": turn.outcome,
                "at": turn.at,
                "asked": turn.asked,
                "before": [{"who": said.who, "text": said.text, "rule": said.rule} for said in turn.before],
                "after": [{"who": said.who, "text": said.text, "rule": said.rule} for said in turn.after],
            }
            for turn in turns
        ],
    }


async def list_bots(rt: "Runtime") -> list[Row]:
    live = await rt.db.read(bot_rows.list_channels)
    return [
        {
            "id": str(bot.id),
            "name": bot.name,
            "version": bot.last_number or None,
            "live": {c.channel: c.number for c in live if c.bot_id == bot.id},
        }
        for bot in await rt.db.read(bot_rows.list_bots)
    ]


# ---- upkeep ---------------------------------------------------------------------------------------------------------


async def fill_demo(rt: "Runtime", *, starter: str, seed: int, anyway: bool) -> Row:
    """A month of made-up chats."""
    made = await demo.fill(rt, starter=starter, seed=seed, anyway=anyway)
    return {
        "bot_id": str(made.bot_id),
        "bot": made.bot,
        "channel": made.channel,
        "people": made.people,
        "visits": made.visits,
        "messages": made.messages,
    }


async def remove_demo(rt: "Runtime") -> Row:
    return {"people": await demo.remove(rt)}


# ---- API keys -------------------------------------------------------------------------------------------------------


async def create_token(rt: "Runtime", *, name: str, scopes: list[str], days: int | None, rate: float | None) -> Row:
    """The key itself is told this once."""
    made = await tokens.create(rt, name=name, scopes=scopes, days=days, rate=rate)
    return {"id": str(made.id), "key": made.secret, "expires_at": made.expires_at}


# ---- the audit log --------------------------------------------------------------------------------------------------


async def verify_audit(rt: "Runtime") -> Row:
    """How many lines there are and the first that does not fit, if any."""
    found = await rt.db.read(audit.verify)
    return {"lines": found.lines, "wrong": found.wrong}


# ---- the list -------------------------------------------------------------------------------------------------------

COMMANDS: Final[dict[str, Callable[..., Awaitable[Any]]]] = {
    "setup": set_up,
    "user.add": add_user,
    "user.list": list_users,
    "user.disable": disable_user,
    "user.reset-password": reset_password,
    "user.reset-two-step": reset_two_step,
    "team.add": add_team,
    "team.list": list_teams,
    "team.remove": remove_team,
    "team.join": join_team,
    "team.leave": leave_team,
    "channel.add": add_channel,
    "channel.list": list_channels,
    "channel.show": show_channel,
    "channel.set": set_channel,
    "channel.remove": remove_channel,
    "channel.link": link_channel,
    "channel.unlink": unlink_channel,
    "secret.set": set_secrets,
    "secret.list": list_secrets,
    "secret.remove": remove_secret,
    "bot.import": import_bot,
    "bot.export": export_bot,
    "bot.publish": publish_bot,
    "bot.replay": replay_bot,
    "bot.list": list_bots,
    "demo": fill_demo,
    "demo.remove": remove_demo,
    "token.create": create_token,
    "audit.verify": verify_audit,
    "doctor": doctor.examine,
}
