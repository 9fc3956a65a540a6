"""One conversation of the inbox: a live thread, answering as a person, and why a reply was given.

The thread is fetched again when the event stream rings, and answers 304 while nothing changed.
"""

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app import assigning, corrections, handoff, media, teams, users, window
from app.capabilities import Capabilities
from app.connectors import CONNECTORS
from app.content import Text
from app.errors import Conflict, Invalid, NotFound
from app.i18n import _, fmt
from app.routes import bubbles, explain, faces, kinds
from app.routes.inbox_list import MINUTE, key_text, query_of, read_key, read_list
from app.routes.respond import form, fragment, is_htmx, is_number, page, redirect, refused
from app.security.permissions import Action, may
from app.store import conversations, explained, people, threads
from app.store.threads import Head, Key

if TYPE_CHECKING:
    from app.runtime import Runtime
    from app.store.users import User

# ---- one conversation ------------------------------------------------------------------------------------------------


async def show(request: Request) -> Response:
    """A conversation, open at its newest message, or around the one named `message`; whoever may answer has seen it by
    that."""
    rt: Runtime = request.state.rt
    head = await read_head(request)
    if head.unread and may(request.state.user, Action.ANSWER):
        await handoff.seen(rt, head.id)
        # Before anything is read, so that the page knows of it and its own event does not make it ask again.
        request.state.seq = rt.bus.seq
        head = await read_head(request)
    thread, newer = await rt.db.read(_opened, head.id, request.query_params.get("message", ""))
    values = {
        **thread_values(request, head, thread, newer=newer),
        **await side_values(request, head),
        **await composer_values(request, head),
    }
    topics = (f"conversation-{head.id}",)
    return await page(request, "inbox/index.html", list=await read_list(request), topics=topics, **values)


async def _opened(db: Any, conversation_id: int, message: str) -> tuple[threads.Thread, bool]:
    """Around a message, or the newest; and whether there are newer ones."""
    key = None
    if is_number(message):
        key = await db.one(threads.KEY, id=int(message), conversation_id=conversation_id)
    if key is None:
        return await threads.get_page(db, conversation_id), False
    return await threads.get_around(db, conversation_id, key)


async def thread(request: Request) -> Response:
    """The messages from `from` on, for the live thread; `seen` is the newest that the page has."""
    rt: Runtime = request.state.rt
    head, params = await read_head(request), request.query_params
    start = read_key(params.get("from", ""), threads.LAST)
    read = await rt.db.read(threads.get_since, head.id, start)
    seen = int(params["seen"]) if is_number(params.get("seen", "")) else 0
    values = thread_values(request, head, read, seen=seen)
    if head.unread and may(request.state.user, Action.ANSWER):
        await handoff.seen(rt, head.id)
    today = fmt.date(rt.clock.now())
    version = msgspec.json.encode(read), head.taken_at, head.closed_at, head.taken_name, today, seen, start
    return await fragment(request, "inbox/_thread.html", version=version, **values)


async def older(request: Request) -> Response:
    """The messages before the key `before`: to htmx in place of the link, otherwise a page that begins there."""
    rt: Runtime = request.state.rt
    head = await read_head(request)
    before = read_key(request.query_params.get("before", ""), threads.FIRST)
    read = await rt.db.read(_page_before, head.id, before)
    return await fragment(request, "inbox/_older.html", **thread_values(request, head, read))


async def _page_before(db: Any, conversation_id: int, before: Key) -> threads.Thread:
    return await threads.get_page(db, conversation_id, before=before)


async def bar(request: Request) -> Response:
    """Title, buttons and the take-over bar."""
    head = await read_head(request)
    version = repr(head), request.state.rt.clock.now() // MINUTE
    return await fragment(request, "inbox/_head.html", version=version, **head_values(request, head))


async def composer(request: Request) -> Response:
    head = await read_head(request)
    return await fragment(request, "inbox/_composer.html", **await composer_values(request, head))


async def why(request: Request) -> Response:
    """The explanation of the message named, or of the newest turn."""
    rt: Runtime = request.state.rt
    head = await read_head(request)
    read = await read_why(rt, head.id, asked_message(request))
    return await fragment(request, "explain/_why.html", why=read)


def asked_message(request: Request) -> int | None:
    text = request.query_params.get("why", "")
    return int(text) if is_number(text) else None


async def read_why(rt: "Runtime", conversation_id: int, message_id: int | None) -> explain.Why | None:
    turn = await rt.db.read(explained.find_turn, conversation_id, message_id)
    return None if turn is None else await explain.read(rt.db.reader, turn)


async def read_head(request: Request) -> Head:
    rt: Runtime = request.state.rt
    head = await rt.db.reader.one(threads.HEAD, id=request.path_params["id"])
    if head is None:
        raise NotFound(_("There is no such conversation. It may have been erased."))
    return head


# ---- what the templates get ------------------------------------------------------------------------------------------


def head_values(request: Request, head: Head) -> dict[str, Any]:
    title = faces.title(head.name, head.phone, head.username)
    query = query_of(request.query_params.get("view", "all"), request.query_params.get("q", "")[:80])
    return {"head": head, "title": title, "faces": faces, "kinds": kinds, "list_query": query}


def thread_values(
    request: Request, head: Head, read: threads.Thread, seen: int = 0, newer: bool = False
) -> dict[str, Any]:
    """`start` is the key of the oldest message drawn, `newest` the id of the newest; `newer`: there are newer ones, so
    this is a look back and does not go on by itself."""
    now = request.state.rt.clock.now()
    entries = read.entries
    return {
        **head_values(request, head),
        "items": bubbles.items(read, head, now, seen=seen),
        "start": key_text(entries[0].key) if entries else "",
        "newest": max((entry.id for entry in entries), default=0),
        "older_left": read.more,
        "newer": newer,
    }


async def side_values(request: Request, head: Head) -> dict[str, Any]:
    rt: Runtime = request.state.rt
    aliases = await rt.db.reader.all(people.ALIASES, contact_id=head.contact_id)
    return {
        "people": await assignable(rt),
        "teams": await teams.list_all(rt),
        "why": await read_why(rt, head.id, asked_message(request)),
        "aliases": aliases,
        "tags": msgspec.json.decode(head.tags, type=list[str]),
    }


async def assignable(rt: "Runtime") -> "list[User]":
    """Whoever can answer."""
    return [one for one in await users.list_all(rt) if may(one, Action.ANSWER)]


async def composer_values(request: Request, head: Head, text: str = "") -> dict[str, Any]:
    """`until`: when the time for free replies ends (0 = never ends); `over`: it has ended, or never began."""
    rt: Runtime = request.state.rt
    can, now = capabilities_of(head.connector), rt.clock.now()
    free = await rt.db.reader.one(conversations.FREE, id=head.id) if can.window else None
    known = window.window(can, head.heard_at, now, window.free_until(*free) if free else 0)
    over = known.over or known.unknown
    ways = {"files": bool(can.media), "templates": can.template, "buttons": bool(can.buttons)}
    limits = {"until": known.until, "over": over, "free_until": known.free_until, "longest": can.text, **ways}
    return {**head_values(request, head), **limits, "text": text, "error": "", "errors": {}}


def capabilities_of(connector: str) -> Capabilities:
    known = CONNECTORS.get(connector)
    return known.capabilities if known else Capabilities()


# ---- what people do --------------------------------------------------------------------------------------------------


async def reply(request: Request) -> Response:
    """Answer as a person: the bot falls silent here until the conversation is given back."""
    rt: Runtime = request.state.rt
    user: User = request.state.user
    head = await read_head(request)
    values = await composer_values(request, head)
    try:
        text = (await form(request)).required("text", limit=10_000)
        await handoff.reply(rt, head.id, Text(text), user.id)
    except (Invalid, Conflict) as error:
        if not is_htmx(request):
            raise
        values["text"] = typed(await form(request))
        values.pop("error"), values.pop("errors")
        return await refused(request, "inbox/_composer.html", error, **values)
    if not is_htmx(request):
        return redirect(request, address(request, head.id))
    response = await fragment(request, "inbox/_composer.html", **values)
    response.headers["HX-Trigger"] = f"conversation-{head.id}"
    return response


def typed(fields: Any) -> str:
    value = fields.data.get("text")
    return value if isinstance(value, str) else ""


async def take(request: Request) -> Response:
    head = await read_head(request)
    await handoff.take(request.state.rt, head.id, request.state.user.id)
    return rung(request, head.id, _("You have this chat. The bot is silent."))


async def give_back(request: Request) -> Response:
    head = await read_head(request)
    await handoff.give_back(request.state.rt, head.id)
    return rung(request, head.id, _("The bot answers again."))


async def assign(request: Request) -> Response:
    """To a person, a team, or nobody."""
    rt: Runtime = request.state.rt
    head = await read_head(request)
    kind, _dash, id = (await form(request)).text("to", limit=30).partition("-")
    chosen = int(id) if is_number(id) else None
    to = assigning.To(chosen if kind == "user" else None, chosen if kind == "team" else None)
    await assigning.assign(rt, head.id, to, request.state.user.name)
    return rung(request, head.id, _("Assigned.") if chosen else _("It is nobody's now."))


async def close(request: Request) -> Response:
    head = await read_head(request)
    await handoff.close(request.state.rt, head.id)
    return rung(request, head.id, _("Closed. The bot answers when the customer writes again."))


async def resend(request: Request) -> Response:
    conversation_id = await conversation_of(request)
    await handoff.resend(request.state.rt, request.path_params["id"])
    return rung(request, conversation_id, _("It goes out again."))


async def discard(request: Request) -> Response:
    conversation_id = await conversation_of(request)
    await handoff.discard(request.state.rt, request.path_params["id"])
    return rung(request, conversation_id, _("Discarded. It will not be sent."))


async def correct(request: Request) -> Response:
    """A text that was sent becomes another one."""
    conversation_id = await conversation_of(request)
    text = (await form(request)).required("text", limit=4096)
    await corrections.correct(request.state.rt, request.path_params["id"], text, request.state.user.id)
    return rung(request, conversation_id, _("The change goes out."))


async def take_back(request: Request) -> Response:
    conversation_id = await conversation_of(request)
    await corrections.take_back(request.state.rt, request.path_params["id"], request.state.user.id)
    return rung(request, conversation_id, _("The message is taken back."))


async def fetch_again(request: Request) -> Response:
    """A file that could not be fetched is wanted once more."""
    rt: Runtime = request.state.rt
    conversation_id = await rt.db.write(media.want_again, request.path_params["id"])
    rt.jobs.wake()
    if conversation_id is None:
        raise NotFound(_("There is no such message. It may have been erased."))
    return rung(request, conversation_id, _("It is fetched again."))


async def conversation_of(request: Request) -> int:
    rt: Runtime = request.state.rt
    asked = await rt.db.reader.one(explained.ASKED, id=request.path_params["id"])
    if asked is None:
        raise NotFound(_("There is no such message. It may have been erased."))
    return asked.conversation_id


def rung(request: Request, conversation_id: int, done: str) -> Response:
    """After an action: htmx rings the page's own bell, so that what changed is fetched; others are sent there."""
    if not is_htmx(request):
        return redirect(request, address(request, conversation_id), done=done)
    topics: dict[str, dict[str, str]] = {f"conversation-{conversation_id}": {}, "conversations": {}, "attention": {}}
    said = msgspec.json.encode({"parley:done": {"text": done}, **topics}).decode()
    return Response(status_code=204, headers={"HX-Trigger": said})


def address(request: Request, conversation_id: int) -> str:
    return str(request.app.url_path_for("inbox.show", id=conversation_id))
