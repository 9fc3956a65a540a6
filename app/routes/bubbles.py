"""A thread as it is drawn: days, bubbles and event lines from the rows of `store.threads`. Pure."""

from collections.abc import Callable, Iterable, Iterator

import msgspec
from markupsafe import Markup

from app import content as contents
from app.bot.scene import Decision, HandOff
from app.capabilities import Capabilities
from app.connectors import CONNECTORS
from app.content import Content
from app.i18n import _, fmt
from app.markup import render
from app.routes.kinds import kind_name, reason, system_sentence
from app.store.threads import Entry, File, Handed, Head, Thread

_decision: msgspec.json.Decoder[Decision] = msgspec.json.Decoder(Decision)

# Status of an outgoing message → (tick of the sprite, class that colours it). `unknown` is drawn as held or unsure.
TICKS = {
    "queued": ("queued", ""),
    "accepted": ("accepted", ""),
    "sent": ("accepted", ""),
    "delivered": ("delivered", ""),
    "read": ("delivered", "read"),
    "played": ("delivered", "read"),
    "failed": ("failed", "bad"),
    "unknown": ("unsure", "unsure"),
}


class Tick(msgspec.Struct, frozen=True):
    symbol: str
    tone: str
    label: str


class Quote(msgspec.Struct, frozen=True):
    """What a message answers to."""

    id: int
    text: str


class Bubble(msgspec.Struct, frozen=True):
    """One message. `said` is its text or caption as HTML; `picked` the id of the button pressed in answer to it."""

    id: int
    classes: str
    author: str
    at: int
    content: Content
    said: Markup
    quote: Quote | None
    reactions: tuple[str, ...]
    file: File | None
    picked: str
    user_name: str
    rule: str
    explained: bool
    tick: Tick | None
    reason: str
    held: bool
    edited: bool
    deleted: bool
    can_change: bool
    can_take_back: bool
    shape: str = "bubble"


class Line(msgspec.Struct, frozen=True):
    """Something that happened between messages. `name` is a word of the team's that is set bold."""

    id: str
    icon: str
    text: str
    name: str
    at: int
    shape: str = "line"


class Day(msgspec.Struct, frozen=True):
    label: str
    shape: str = "day"


Item = Bubble | Line | Day


def items(thread: Thread, head: Head, now: int, *, seen: int = 0) -> list[Item]:
    """Oldest first. Messages newer than the id `seen` are marked as just arrived; 0 marks none."""
    can = CONNECTORS[head.connector].capabilities if head.connector in CONNECTORS else Capabilities()
    drawn = sorted([*_messages(thread, can, seen, now), *_events(thread, head)], key=_at)
    return list(_with_days(drawn, now))


def _at(item: Bubble | Line) -> int:
    return item.at


def _with_days(drawn: Iterable[Bubble | Line], now: int) -> Iterator[Item]:
    last = ""
    for item in drawn:
        label = fmt.day(item.at, now)
        if label != last:
            yield Day(label)
        last = label
        yield item


# ---- messages --------------------------------------------------------------------------------------------------------


def _messages(thread: Thread, can: Capabilities, seen: int, now: int) -> Iterator[Bubble | Line]:
    known = {entry.provider_id for entry in thread.entries if entry.provider_id}
    reactions = _reactions(thread)
    picked = _picked(thread)
    for entry in thread.entries:
        said = decode(entry.content)
        if line := _as_line(entry, said, known):
            yield line
        elif entry.kind not in ("reaction", "edit", "delete"):
            yield _bubble(
                entry,
                said,
                thread.files.get(entry.id),
                reactions.get(entry.provider_id, ()),
                picked.get(entry.id, ""),
                can,
                arrived=0 < seen < entry.id,
                now=now,
            )


def decode(text: str) -> Content:
    """The stored content; what a later version wrote is shown as not supported."""
    try:
        return contents.decode(text)
    except msgspec.DecodeError:
        return contents.Unsupported(_("a message of a newer version"))


def _reactions(thread: Thread) -> dict[str, tuple[str, ...]]:
    """Emoji by the message they are on: one from each side, the newest counts, an empty one takes it back."""
    found: dict[tuple[str, bool], str] = {}
    for row in thread.reactions:
        reaction = decode(row.content)
        if isinstance(reaction, contents.Reaction):
            found[reaction.target, row.author == "contact"] = reaction.emoji
    by_target: dict[str, tuple[str, ...]] = {}
    for (target, _side), emoji in found.items():
        if emoji:
            by_target[target] = (*by_target.get(target, ()), emoji)
    return by_target


def _picked(thread: Thread) -> dict[int, str]:
    """Which choice was made on which message."""
    found: dict[int, str] = {}
    for entry in thread.entries:
        if entry.kind in ("button_reply", "list_reply") and entry.quoted_id:
            answer = decode(entry.content)
            if isinstance(answer, contents.Pressed | contents.Picked):
                found[entry.quoted_id] = answer.id
    return found


def _as_line(entry: Entry, said: Content, known: set[str]) -> Line | None:
    """What is told between the bubbles: system messages, and changes to messages that are not on this page."""
    name = f"message-{entry.id}"
    match said:
        case contents.System():
            return Line(name, "info", system_sentence(said), "", entry.at)
        case contents.Reaction(target=target, emoji=emoji) if target not in known:
            text = _("Reacted {emoji} to an earlier message") if emoji else _("Took a reaction back")
            return Line(name, "smile", text.format(emoji=emoji), "", entry.at)
        case contents.Edit(target=target) if target not in known:
            return Line(name, "info", _("Changed an earlier message"), "", entry.at)
        case contents.Delete(target=target) if target not in known:
            return Line(name, "trash", _("Deleted an earlier message"), "", entry.at)
    return None


def _bubble(
    entry: Entry, said: Content, file: File | None, reactions: tuple[str, ...], picked: str,
    can: Capabilities, *, arrived: bool, now: int,
) -> Bubble:  # fmt: skip
    held, failed = entry.outbox == "held", entry.status == "failed"
    bare = not (failed or held or entry.rule or reactions or has_choices(said))
    ours = entry.direction == "out" and entry.provider_id and not failed and entry.deleted_at is None
    voice = {"bot": "bot", "user": "person", "phone": "person", "program": "person"}.get(entry.author, "")
    classes = [entry.direction, voice, *_when(failed=failed, held=held, aside=bare, arrived=arrived)]
    return Bubble(
        id=entry.id,
        classes="note" if entry.kind == "note" else " ".join(filter(None, classes)),
        author=entry.author,
        at=entry.at,
        content=said,
        said=render(words(said)),
        quote=quote(entry),
        reactions=reactions,
        file=file,
        picked=picked,
        user_name={"phone": _("From the phone"), "program": _("By a program")}.get(entry.author, entry.user_name),
        rule=entry.rule,
        explained=entry.turn_id is not None,
        tick=tick(entry, now),
        reason=reason(entry.problem) if failed else "",
        held=held,
        edited=entry.edited_at is not None,
        deleted=entry.deleted_at is not None,
        can_change=bool(ours and entry.kind == "text" and now - entry.at < can.edit * 1000),
        can_take_back=bool(ours and now - entry.at < can.delete * 1000),
    )


def _when(**classes: bool) -> list[str]:
    return [name for name, on in classes.items() if on]


def words(said: Content) -> str:
    """The text of a bubble. Pieces that are drawn by themselves (a place, cards, choices) are left out."""
    match said:
        case contents.Location() | contents.Contacts() | contents.Reaction() | contents.FlowReply():
            return ""
        case _:
            return contents.text(said)


def has_choices(said: Content) -> bool:
    return isinstance(
        said, contents.Buttons | contents.ChoiceList | contents.Poll | contents.Link | contents.Ask | contents.Flow
    )


def quote(entry: Entry) -> Quote | None:
    if entry.quoted_id is None or entry.kind in ("button_reply", "list_reply"):
        return None
    text = _("A deleted message") if entry.quoted_deleted_at else entry.quoted_text or kind_name(entry.quoted_kind)
    return Quote(entry.quoted_id, text[:200])


def tick(entry: Entry, now: int) -> Tick | None:
    """How far an outgoing message came."""
    if entry.direction != "out" or entry.status not in TICKS or entry.outbox == "held":
        return None
    labels: dict[str, Callable[[], str]] = {
        "queued": lambda: (
            _("Will be sent at {time}").format(time=fmt.time(entry.due_at))
            if entry.outbox == "queued" and entry.due_at > now + 60_000
            else _("Queued")
        ),
        "accepted": lambda: _("Sent"),
        "sent": lambda: _("Sent"),
        "delivered": lambda: _("Delivered"),
        "read": lambda: _("Read"),
        "played": lambda: _("Played"),
        "failed": lambda: _("Failed"),
        "unknown": lambda: _("Outcome unknown, waiting for word from the network"),
    }
    symbol, tone = TICKS[entry.status]
    return Tick(symbol, tone, labels[entry.status]())


# ---- what happened in between ----------------------------------------------------------------------------------------


def _events(thread: Thread, head: Head) -> Iterator[Line]:
    """Hand-offs by the bot, who has it now, and closing, where they fall into this stretch."""
    if not thread.entries:
        return
    first, newest = thread.entries[0].at, max(thread.entries[-1].at, head.taken_at or 0, head.closed_at or 0)
    for row in thread.handed:
        yield Line(f"turn-{row.id}", "hand", _("The bot handed over"), _handed_to(row), row.at)
    if head.taken_at is not None and first <= head.taken_at <= newest:
        yield Line(
            f"taken-{head.id}",
            "user",
            _("took this chat"),
            head.taken_name or _("Somebody at the phone"),
            head.taken_at - 1,
        )
    if head.closed_at is not None and first <= head.closed_at <= newest:
        yield Line(f"closed-{head.id}", "check", _("Closed"), "", head.closed_at)


def _handed_to(row: Handed) -> str:
    try:
        effects = _decision.decode(row.output).effects
    except msgspec.DecodeError:
        return ""
    return next((effect.reason for effect in effects if isinstance(effect, HandOff)), "")
