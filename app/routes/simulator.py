"""The simulator: a phone on the page that talks to any version of a bot, and why each reply was given.

What is being tried stands in the address (`bot`, `version`, `who`, `on`), so a page can be kept and shared.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app import bots, content, documents, simulator
from app.content import Content
from app.errors import Invalid
from app.i18n import _
from app.routes import bubbles, explain, kinds
from app.routes.respond import Form, form, fragment, is_htmx, page, redirect, refused
from app.simulator import Trial
from app.store import bots as bot_rows
from app.store import explained, simulated, threads

if TYPE_CHECKING:
    from app.runtime import Runtime

SHOWN: Final = 200  # newest messages on the phone
SCREEN: Final = "simulator/_screen.html"


class Scene(msgspec.Struct, frozen=True):
    """One chat as it is drawn. `numbers` names the turn behind each reply; `turns` newest first."""

    conversation_id: int | None
    mode: str
    items: list[bubbles.Item]
    turns: list[tuple[int, explain.Why, float]]
    numbers: dict[int, int]


async def show(request: Request) -> Response:
    return await page(request, "simulator/show.html", **await values(request, await trial_of(request)))


async def screen(request: Request) -> Response:
    """What is on the phone, for the bell."""
    trial = await trial_of(request)
    scene = await read_scene(request, trial)
    version = msgspec.json.encode((scene.items, scene.numbers, scene.mode), enc_hook=str)
    return await fragment(request, SCREEN, version=version, **drawn(request, trial, scene))


async def reasons(request: Request) -> Response:
    """Why these replies, for the bell."""
    trial = await trial_of(request)
    scene = await read_scene(request, trial)
    version = [number for number, _why, _ms in scene.turns], trial
    return await fragment(request, "simulator/_turns.html", version=version, **drawn(request, trial, scene))


async def say(request: Request) -> Response:
    """The customer sends something: a text, a pressed button, a picked row, or one of the samples."""
    fields = await form(request)
    trial = read_trial(fields.data)
    try:
        said, reply_to, referral = read_said(fields)
        await simulator.say(request.state.rt, request.state.user, trial, said, reply_to, referral)
    except Invalid as error:
        template = "simulator/_foot.html" if is_htmx(request) else "simulator/show.html"
        return await refused(request, template, error, **await values(request, trial))
    if not is_htmx(request):
        return redirect(request, address(request, trial))
    return await fragment(request, "simulator/_foot.html", **await values(request, trial))


async def start_over(request: Request) -> Response:
    trial = read_trial((await form(request)).data)
    await simulator.start_over(request.state.rt, request.state.user, trial)
    return redirect(request, address(request, trial))


# ---- what is being tried --------------------------------------------------------------------------------------------


async def trial_of(request: Request) -> Trial:
    """From the address; without a bot, the first there is."""
    trial = read_trial(request.query_params)
    if trial.bot_id:
        return trial
    known = await request.state.rt.db.read(bot_rows.list_bots)
    return msgspec.structs.replace(trial, bot_id=known[0].id) if known else trial


def read_trial(given: Any) -> Trial:
    """Anything that is not one of the choices is the first of them."""
    who, on = given.get("who", ""), given.get("on", "")
    return Trial(
        bot_id=whole(given.get("bot", "")),
        number=whole(given.get("version", "")),
        who=who if who in simulator.CUSTOMERS else simulator.CUSTOMERS[0],
        network=on if on in simulator.AS_ON else next(iter(simulator.AS_ON)),
    )


def whole(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 19 else 0


def query(trial: Trial) -> str:
    return urlencode({"bot": trial.bot_id, "version": trial.number, "who": trial.who, "on": trial.network})


def address(request: Request, trial: Trial) -> str:
    return f"{request.app.url_path_for('simulator')}?{query(trial)}"


def read_said(fields: Form) -> tuple[Content, str, dict[str, Any] | None]:
    """What is sent (a pressed button or picked row, a reaction, a sample with the text below it, or the text), the
    provider's id of the message it answers, and what an ad tells."""
    choice, text = fields.text("choice", limit=300), fields.text("text", limit=simulator.LONGEST)
    sample, emoji = fields.text("sample", limit=20), fields.text("emoji", limit=20)
    if choice:
        title, reply_to = fields.text("title", limit=300), fields.text("reply_to", limit=200)
        picked = fields.text("kind", limit=20) == "list"
        return (content.Picked(choice, title) if picked else content.Pressed(choice, title)), reply_to, None
    if emoji:
        return content.Reaction("", emoji), "", None
    if sample == "ad":
        return content.Text(text or _("Hello! Can I get more info on this?")), "", AD
    return (SAMPLES[sample](text) if sample in SAMPLES else content.Text(text)), "", None


ITEMS: Final[tuple[dict[str, Any], ...]] = (
    {"product_retailer_id": "SKU-1", "quantity": 2, "item_price": 9.5, "currency": "EUR"},
)
# As WhatsApp tells of an ad that was pressed.
AD: Final[dict[str, Any]] = {
    "source_type": "ad", "source_id": "120210000000000001", "source_url": "https://fb.me/example",
    "headline": "Fresh today", "body": "Write to us", "ctwa_clid": "example",
}  # fmt: skip
SAMPLES: Final[dict[str, Callable[[str], Content]]] = {
    "photo": lambda text: content.Image(mime="image/jpeg", caption=text),
    "video": lambda text: content.Video(mime="video/mp4", caption=text),
    "voice": lambda text: content.Audio(mime="audio/ogg", voice=True),
    "document": lambda text: content.Document(mime="application/pdf", filename="order.pdf", caption=text),
    "sticker": lambda text: content.Sticker(mime="image/webp"),
    "location": lambda text: content.Location(-23.5614, -46.6559, text or "Avenida Paulista"),
    "order": lambda text: content.Order("catalog", ITEMS, text),
}


# ---- what is drawn --------------------------------------------------------------------------------------------------


async def values(request: Request, trial: Trial) -> dict[str, Any]:
    db = request.state.rt.db
    known = await db.read(bot_rows.list_bots)
    versions = await db.reader.all(bot_rows.VERSIONS, bot_id=trial.bot_id)
    live = {channel.version_id for channel in await db.read(bot_rows.list_channels)}
    return {
        **drawn(request, trial, await read_scene(request, trial)),
        "bots": known,
        "bot": next((bot for bot in known if bot.id == trial.bot_id), None),
        "versions": versions,
        "live_versions": live,
        "samples": samples(),
        "networks": network_names(),
        "hint": network_hint(trial.network),
        "called": await read_called(request, trial),
        "error": "",
        "errors": {},
    }


async def read_called(request: Request, trial: Trial) -> tuple[str, ...]:
    """Who is really called when this version is tried; nobody if it cannot be."""
    rt: Runtime = request.state.rt
    bot = await rt.db.reader.one(bot_rows.BY_ID, id=trial.bot_id)
    if bot is None:
        return ()
    text = await bots.text_of(rt.db.reader, bot, trial.number)
    return await rt.versions.aside(documents.called, text) if "call" in text else ()


def drawn(request: Request, trial: Trial, scene: Scene) -> dict[str, Any]:
    return {"trial": trial, "query": query(trial), "scene": scene, "kinds": kinds}


async def read_scene(request: Request, trial: Trial) -> Scene:
    rt: Runtime = request.state.rt
    found = await simulator.find_conversation(rt, request.state.user, trial)
    head = None if found is None else await rt.db.reader.one(threads.HEAD, id=found)
    if found is None or head is None:
        return Scene(None, "bot", [], [], {})
    thread = await rt.db.read(newest, found)
    turns = await rt.db.reader.all(simulated.TURNS, id=found)
    order = {turn.id: len(turns) - place for place, turn in enumerate(turns)}
    around = [explained.Step(t.at, t.input, t.output) for t in reversed(turns) if explain.is_about_calls(t)]
    return Scene(
        conversation_id=found,
        mode=head.mode,
        items=[item for item in bubbles.items(thread, head, rt.clock.now()) if item.shape != "day"],
        turns=[(order[turn.id], explain.view(turn, around=around), turn.took_us / 1000) for turn in turns],
        numbers={entry.id: order[entry.turn_id] for entry in thread.entries if entry.turn_id in order},
    )


async def newest(db: Any, conversation_id: int) -> threads.Thread:
    return await threads.get_page(db, conversation_id, limit=SHOWN)


def samples() -> list[tuple[str, str, str]]:
    """What can be sent besides a text: (value, icon, label)."""
    return [
        ("photo", "image", _("Photo")),
        ("video", "play", _("Video")),
        ("voice", "mic", _("Voice message")),
        ("document", "file", _("Document")),
        ("sticker", "smile", _("Sticker")),
        ("location", "globe", _("Location")),
        ("order", "tag", _("Order")),
        ("ad", "campaign", _("Message from an ad")),
    ]


def network_names() -> list[tuple[str, str]]:
    return [
        ("whatsapp_cloud", _("WhatsApp Cloud")),
        ("telegram", _("Telegram")),
        ("whatsapp_web", _("Plain text (WhatsApp Web)")),
    ]


def network_hint(network: str) -> str:
    can = simulator.AS_ON[network]
    if not can.buttons:
        return _("Shows no buttons: they become a numbered text.")
    if can.list_rows:
        return _("Shows {n} buttons; more become a list.").format(n=can.buttons)
    return _("Shows up to {n} buttons and no lists.").format(n=can.buttons)
