"""Channels: how each one stands, its settings, who answers on it, and removing it.

Secrets are shown as set or not set and can be replaced. The verify token is the one exception: it has to be copied to
the network by hand, so it is shown until the network has asked for it.
"""

from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app import bots, connecting, demo, health
from app.connectors import CONNECTORS
from app.connectors.abilities import Webhook
from app.connectors.account import KeepsTemplates
from app.connectors.base import Check, Connector
from app.connectors.states import CHECKS, REMEDIES
from app.errors import Conflict, Invalid, NotFound
from app.i18n import _, fmt
from app.models import ChannelRow
from app.routes import away, faces, linking, standing, states
from app.routes.home import start_of_day
from app.routes.respond import Form, form, fragment, is_htmx, page, redirect, refused
from app.said import mark
from app.security.permissions import Action, may
from app.store import channel_pages, overview
from app.store import channels as channel_rows

if TYPE_CHECKING:
    from app.runtime import Runtime

QUALITY: Final = "phone_number_quality_update"
LOOPBACK: Final = ("127.", "localhost", "[::1]")


class Guide(msgspec.Struct, frozen=True):
    """How a network is set up, step by step. `done`: which of the steps are; `paste` and `pace` are its words for the
    form and for the rate."""

    kind: str
    paste: str
    pace: str
    done: tuple[bool, ...]

    @property
    def template(self) -> str:
        return f"channels/guides/{self.kind}.html"

    @property
    def first(self) -> str:
        return f"channels/guides/{self.kind}_first.html"

    @property
    def rest(self) -> str:
        return f"channels/guides/{self.kind}_rest.html"


GUIDES: Final = {
    "whatsapp_cloud": Guide(
        "whatsapp_cloud",
        mark("Paste number and token"),
        mark(
            "What the network allows this number: 80 as a rule, 20 beside the phone app, 1000 after an upgrade."
            " 0 is not paced."
        ),
        (False,) * 5,
    ),
    "telegram": Guide(
        "telegram",
        mark("Paste the token"),
        mark("Telegram lets a bot send about 30, and one to the same chat. 0 is not paced."),
        (False,) * 4,
    ),
}


class Line(msgspec.Struct, frozen=True):
    """One line of "test it" in words; `ok` None: still waiting."""

    ok: bool | None
    text: str
    remedy: str


# ---- the list --------------------------------------------------------------------------------------------------------


async def index(request: Request) -> Response:
    return await page(request, "channels/index.html", topics=("channels",), **await cards(request))


async def listing(request: Request) -> Response:
    found = await cards(request)
    version = repr((found["channels"], found["today"], found["quality"]))
    return await fragment(request, "channels/_list.html", version=version, **found)


async def cards(request: Request) -> dict[str, Any]:
    rt: Runtime = request.state.rt
    channels = await rt.db.read(overview.list_channels)
    quality = {}
    for channel in channels:
        if states.has_webhook(channel.connector):
            quality[channel.id] = await read_quality(rt, channel.id)
        elif states.is_linked(channel.connector):
            quality[channel.id] = (await health_values(rt, channel.id))["health_said"]
    midnight = start_of_day(rt.clock.now())
    today = await rt.db.read(channel_pages.count_today, midnight)
    return {"channels": channels, "today": today, "quality": quality, "faces": faces, "states": states}


async def read_quality(rt: "Runtime", channel_id: int) -> str:
    """What the network said last about the number's quality, '' if it said nothing."""
    notices = await rt.db.read(channel_pages.list_notices, channel_id, QUALITY)
    event = find_text(notices[0].body, "event") if notices else ""
    words = {
        "FLAGGED": _("quality flagged as low"),
        "UNFLAGGED": _("quality no longer flagged"),
        "DOWNGRADE": _("sending limit lowered"),
        "UPGRADE": _("sending limit raised"),
    }
    return words.get(event, "")


def find_text(body: bytes, name: str) -> str:
    """The first text under this name anywhere in a JSON document."""
    try:
        waiting = [msgspec.json.decode(body)]
    except msgspec.DecodeError:
        return ""
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get(name), str):
                return str(value[name])
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return ""


# ---- one channel -----------------------------------------------------------------------------------------------------


async def show(request: Request) -> Response:
    row = await read_row(request)
    values = await channel_values(request, row)
    return await channel_page(request, row, values)


async def channel_page(request: Request, row: ChannelRow, values: dict[str, Any]) -> Response:
    topics = ("channels", f"channel-{row.id}", "attention")
    return await page(request, "channels/show.html", topics=topics, error="", errors={}, **values)


async def guide(request: Request) -> Response:
    """The steps that are left, refreshed when the network calls."""
    values = await channel_values(request, await read_row(request))
    return await fragment(request, "channels/_guide.html", **values)


async def update(request: Request) -> Response:
    """Name, pace and settings; an empty secret stays as it was. A stopped channel is tried again."""
    rt: Runtime = request.state.rt
    row = await read_row(request)
    fields = await form(request)
    given = read_settings(CONNECTORS[row.connector], fields)
    try:
        rate = read_rate(fields.text("rate", limit=20))
        await connecting.change(rt.channels, row.id, given, name=fields.text("name", limit=200), rate=rate)
    except (Invalid, Conflict) as error:
        wrong = Invalid(error.said, fields=error.fields)
        return await refused(request, "channels/show.html", wrong, **await channel_values(request, row))
    return redirect(request, address(request, row.id), done=_("Saved. The channel was connected again."))


def read_settings(connector: Connector, fields: Form) -> dict[str, str]:
    found = {setting.name: fields.text(setting.name, limit=10_000) for setting in connector.settings}
    return {name: value for name, value in found.items() if value}


def read_rate(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise Invalid(_("The pace is a number."), fields={"rate": _("Messages per second, for example 80.")}) from None


async def choose(request: Request) -> Response:
    """Who answers here from the next message on."""
    row = await read_row(request)
    version_id = (await form(request)).number("version")
    if version_id is None:
        raise Invalid(_("Choose a bot first."))
    number = await bots.roll_back(request.state.rt, row.id, version_id, request.state.user)
    return redirect(request, address(request, row.id), done=_("Version {n} answers here now.").format(n=number))


async def test(request: Request) -> Response:
    """Ask the network how things stand."""
    rt: Runtime = request.state.rt
    row = await read_row(request)
    tested = [line(check) for check in await connecting.examine(rt.channels, row.id)]
    if is_htmx(request):
        return await fragment(request, "channels/_checks.html", channel=row, tested=tested)
    values = await channel_values(request, row) | {"tested": tested}
    return await channel_page(request, row, values)


async def remove(request: Request) -> Response:
    rt: Runtime = request.state.rt
    row = await read_row(request)
    if row.connector == demo.KIND:
        await demo.remove(rt)
        done = _("The demo is gone. Its bot stays.")
    else:
        await connecting.remove(rt.channels, row.id)
        done = _("“{name}” was removed. Its conversations can still be read.").format(name=row.name)
    return redirect(request, str(request.app.url_path_for("channels")), done=done)


def line(check: Check) -> Line:
    remedy = "" if check.ok else REMEDIES.get(check.remedy, check.remedy)
    return Line(check.ok, _(CHECKS.get(check.name, check.name)), _(remedy) if remedy else "")


async def read_row(request: Request) -> ChannelRow:
    rt: Runtime = request.state.rt
    row = await rt.db.reader.one(channel_rows.BY_ID, id=request.path_params["id"])
    if row is None:
        raise NotFound(_("There is no such channel. It may have been removed."))
    return row


async def channel_values(request: Request, row: ChannelRow) -> dict[str, Any]:
    """Everything a channel's page shows. Secrets never leave, but for the verify token while it has to be copied."""
    rt: Runtime = request.state.rt
    stand = states.Stood(
        row.connector, row.state, row.state_code, row.state_detail, row.halted_at, row.verified_at, row.heard_at
    )
    connector = CONNECTORS[row.connector]
    live = rt.channels.by_id.get(row.id)
    set_secrets = msgspec.json.decode(row.secrets, type=dict[str, str])
    return {
        "channel": row,
        "connector": connector,
        "look": states.shown(stand),
        "config": msgspec.json.decode(row.config, type=dict[str, str]),
        "set_secrets": frozenset(name for name, sealed in set_secrets.items() if sealed),
        "rate": fmt.number(row.rate),
        "answerer": await rt.db.read(channel_pages.find_answerer, row.version_id),
        "answerers": await rt.db.read(channel_pages.list_answerers),
        "publications": await rt.db.read(channel_pages.list_publications, row.id),
        "notices": await rt.db.read(channel_pages.list_notice_fields, row.id),
        "stakes": await rt.db.read(channel_pages.get_stakes, row.id),
        "tested": None,
        "templates": live is not None and isinstance(live.session, KeepsTemplates),
        "faces": faces,
        **guide_values(request, row, connector),
        **await standing.values(rt, row.id),
        **linking.values(request, row),
        **await away.values(request, row),
        **await health_values(rt, row.id),
    }


async def health_values(rt: "Runtime", channel_id: int) -> dict[str, Any]:
    """How well the number stands, where a network closes numbers that are not used as a person would."""
    found = await health.of(rt, channel_id)
    words = {
        "good": ("ok", _("Good"), _("health good")),
        "fair": ("warn", _("Fair"), _("health fair")),
        "poor": ("bad", _("Poor"), _("health poor")),
    }
    tone, word, said = words[found.level] if found else ("", "", "")
    return {"health": found, "health_tone": tone, "health_word": word, "health_said": said}


def guide_values(request: Request, row: ChannelRow, connector: Connector) -> dict[str, Any]:
    """The address to enter at the network, and whether the network can reach it."""
    rt: Runtime = request.state.rt
    base = (rt.settings.public_url or f"{request.state.origin.scheme}://{request.state.origin.host}").rstrip("/")
    live = rt.channels.by_id.get(row.id)
    may_see = may(request.state.user, Action.CONNECT) and row.verified_at is None and live is not None
    hidden = live.opened.secrets.get("verify_token", "") if may_see and live else ""
    host = base.partition("://")[2]
    return {
        "webhook": states.has_webhook(row.connector),
        "callback": f"{base}/hooks/{connector.place}/{row.key}" if isinstance(connector, Webhook) else "",
        "reachable": base.startswith("https://") and not host.startswith(LOOPBACK),
        "verify_token": hidden,
        "guide": guide_of(row),
    }


def guide_of(row: ChannelRow) -> Guide | None:
    found = GUIDES.get(row.connector)
    if found is None:
        return None
    ready = row.verified_at is not None if states.has_webhook(row.connector) else row.state == "connected"
    answers, heard = row.version_id is not None, row.heard_at is not None
    done = (True, True, ready, answers, heard) if states.has_webhook(row.connector) else (True, ready, answers, heard)
    return msgspec.structs.replace(found, done=done)


def address(request: Request, channel_id: int) -> str:
    return str(request.app.url_path_for("channels.show", id=channel_id))
