"""A program that answers instead of the rules: a document names it as `handler`. Pure.

While no flow runs it is given what the customer writes, as a call that is waited for. What it answers is said; if it
answers nothing in time, fails, or leaves the message to the bot, the rules are asked about the message as it came.
Whatever arrives meanwhile is held, and given to it next, as one message.
"""

from typing import Annotated, Any, Final

import msgspec

from app.bot.calling import fails, failure
from app.bot.document import Version
from app.bot.keep import LONGEST_TAG
from app.bot.request import HANDLER, Relay
from app.bot.resume import HOLDS, MOST_HELD, merged
from app.bot.run import Machine, machine
from app.bot.scene import Arrived, Asked, Call, CallResult, Close, Decision, Note, Scene, Trace
from app.bot.steps import FILES, slug
from app.bot.turn import after, said_in
from app.bot.verdict import trace
from app.content import Buttons, Choice, Content, Text
from app.said import N_, Sentence

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=16_384)]
Short = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Web = Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s]+$", max_length=4_096)]
Tags = Annotated[
    tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TAG)], ...], msgspec.Meta(max_length=20)
]
KINDS: Final = tuple(FILES)


class Button(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: Short
    id: Annotated[str, msgspec.Meta(max_length=60)] = ""


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message: a text, maybe with buttons; or one file by its address, with the text as its caption."""

    text: Annotated[str, msgspec.Meta(max_length=16_384)] = ""
    buttons: Annotated[tuple[Short | Button, ...], msgspec.Meta(max_length=30)] = ()
    image: Web = ""
    video: Web = ""
    audio: Web = ""
    document: Web = ""
    filename: Annotated[str, msgspec.Meta(max_length=200)] = ""

    def content(self) -> Content:
        """Raises `ValueError` for what is no message."""
        files = [(kind, url) for kind in KINDS if (url := getattr(self, kind))]
        if len(files) > 1 or (files and self.buttons) or not (files or self.text.strip()):
            raise ValueError(N_("A message is a text, a text with buttons, or one file"))
        if files:
            [(kind, url)] = files
            more = {"filename": self.filename} if kind == "document" and self.filename else {}
            made: Content = FILES[kind](url=url, caption=self.text, **more)
            return made
        if not self.buttons:
            return Text(self.text)
        given = [Button(each) if isinstance(each, str) else each for each in self.buttons]
        return Buttons(self.text, tuple(Choice(each.id or slug(each.title), each.title) for each in given))


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"leave": "pass"}):
    """What a program answers. `leave`: the bot's rules answer; `start`: a flow of the bot begins."""

    say: Words | Piece | tuple[Words | Piece, ...] = ()
    tag: Tags = ()
    untag: Tags = ()
    fields: dict[Short, Any] = {}
    note: Annotated[str, msgspec.Meta(max_length=4_096)] = ""
    start: Annotated[str, msgspec.Meta(max_length=60)] = ""
    handoff: Annotated[str, msgspec.Meta(max_length=4_096)] | None = None
    team: Annotated[str, msgspec.Meta(max_length=100)] = ""
    close: bool = False
    leave: bool = False

    def contents(self) -> list[Content]:
        pieces = self.say if isinstance(self.say, tuple) else (self.say,)
        return [Text(each) if isinstance(each, str) else each.content() for each in pieces]


def waits(asked: Asked | None, now: int) -> bool:
    """Whether messages are kept until the program has answered; nobody waits for it longer than for a call."""
    return asked is not None and now - asked.since <= HOLDS


def relay(bot: Version, handler: Relay, scene: Scene, event: Arrived, now: int) -> Decision:
    """The program is asked. One that never answered is given that message again, together with this one."""
    state = scene.state
    event = merged((state.asked.message, event)) if state.asked is not None else event
    token = f"h{state.turns}"
    call = Call(
        token, HANDLER, handler.name, json=told(scene, event), timeout=handler.timeout, rule=named(handler.name)
    )
    state = msgspec.structs.replace(
        after(state, state.missed, state.choices), asked=Asked(token, now, handler.name, event)
    )
    return Decision((call,), state, trace("relayed", handler=handler.name))


def told(scene: Scene, event: Arrived) -> dict[str, Any]:
    """What the program is given."""
    told: dict[str, Any] = {
        "message": {"text": said_in(event), "content": msgspec.to_builtins(event.content)},
        "contact": msgspec.to_builtins(scene.contact),
        "channel": scene.channel,
        "network": scene.network,
        "variables": scene.state.variables,
    }
    if event.burst:
        told["message"]["before"] = [msgspec.to_builtins(content) for content in event.burst]
    return told


def keep(scene: Scene, event: Arrived) -> Decision:
    """The message waits; of too many the newest are kept."""
    state = scene.state
    assert state.asked is not None
    held = (*state.held, event)[-MOST_HELD:]
    return Decision((), msgspec.structs.replace(state, held=held), trace("relay_held", handler=state.asked.handler))


def answered(bot: Version, scene: Scene, result: CallResult, now: int) -> Decision | Sentence:
    """What the program's answer does, or why the rules have to answer."""
    asked = scene.state.asked
    assert asked is not None
    if fails(result):
        return N_("{handler} did not answer, so the bot did. {what}", handler=asked.handler, what=failure(result))
    try:
        reply, contents = read(result)
    except ValueError as error:
        return N_("{handler} answered what cannot be sent, so the bot did: {what}", handler=asked.handler, what=error)
    if reply.leave:
        return N_("{handler} left the message to the bot.", handler=asked.handler)
    running = machine(bot, without(scene), asked.message, now)
    running.turn.rule = named(asked.handler)
    running.turn.choices = ()
    for content in contents:
        running.turn.show(content)
    carry_out(running, reply)
    return said(running, trace("relay_answered", handler=asked.handler))


def carry_out(running: Machine, reply: Reply) -> None:
    """All but what it says."""
    turn = running.turn
    for name, value in reply.fields.items():
        running.note(name, value)
    running.tag(reply.tag, reply.untag)
    if reply.note:
        turn.add(Note(reply.note, turn.rule))
    if reply.handoff is not None:
        turn.hand(reply.handoff, reply.team)
    elif reply.close:
        turn.add(Close(turn.rule))
        turn.over = True
    elif reply.start:
        program = running.bot.programs.get(f"flow {reply.start}")
        if program is None:
            turn.room.problem(N_("There is no flow “{name}”", name=reply.start))
        else:
            running.begin(program)
            running.run()


def said(running: Machine, seen: Trace) -> Decision:
    """A question that was open before stays open."""
    if running.turn.over:
        running.places.clear()
    elif running.places and running.waiting is None:
        running.waiting = running.state.waiting
    return running.decision(seen, 0)


def read(result: CallResult) -> tuple[Reply, list[Content]]:
    """Raises `ValueError` with what is wrong."""
    body = result.body
    given = {"say": body} if isinstance(body, str | list) and body else {} if body is None else body
    try:
        reply = msgspec.convert(given, Reply)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    return reply, reply.contents()


def without(scene: Scene) -> Scene:
    """As if nobody had been asked."""
    return msgspec.structs.replace(scene, state=msgspec.structs.replace(scene.state, asked=None))


def named(handler: str) -> str:
    """Who speaks, as people read it."""
    return f"handler {handler}"
