"""Plays visits through the pipeline: what a customer says goes into the inbox, what is answered is sent and read.

Each line is one unit of work in the past (`Past`), so that a demo lies in the database as a month of real chats would.
"""

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app import calls, handoff, inbox, media, settle, turns
from app import content as c
from app.bot.answers import Services
from app.bot.scene import CallResult, State
from app.case import Here, Intake
from app.connectors.base import Address, Inbound, Problem, Receipt, Status
from app.db import Tx
from app.demo import files
from app.demo.chats import LATE, TEAM
from app.demo.month import MINUTE, Visit
from app.demo.past import Past
from app.demo.people import Person
from app.store import contacts, conversations
from app.store import demo as store
from app.store import jobs as job_rows
from app.store import media as media_rows

if TYPE_CHECKING:
    from app.channels import Live
    from app.runtime import Runtime

# What becomes of a message: most are read, some are not seen yet, one in a hundred never arrives.
FATES: Final = {"read": 88, "delivered": 9, "sent": 2, "failed": 1}
STEPS: Final = {"sent": (Status.SENT,), "delivered": (Status.DELIVERED,), "read": (Status.DELIVERED, Status.READ)}
UNDELIVERABLE: Final = Problem("131026", "Message undeliverable")
CALL_TOOK: Final = 180  # ms
PLACE: Final = (51.4545, -2.5879)


class Stage(msgspec.Struct, frozen=True):
    """Where a demo is played: the pipeline, and the channel with the version of that time."""

    intake: Intake
    here: Here
    account: str
    install: str


class Line(msgspec.Struct, frozen=True):
    """One line of a visit on its way. `name` is unique among all lines of all demos here."""

    at: int
    name: str
    text: str
    fate: str


class Heard(msgspec.Struct, frozen=True):
    """A file that goes along with a line: its kind, mime, hash and size."""

    kind: str
    mime: str
    sha256: str
    size: int


class Player:
    """Plays the visits of one demo, in the order of their time."""

    def __init__(self, rt: "Runtime", live: "Live", team: tuple[int, ...], seed: str) -> None:
        self.rt, self.live, self.team = rt, live, team
        self.draw = random.Random(f"play {seed}")
        self.run = f"demo.{rt.clock.now():x}"
        self.visits = self.lines = 0
        self.chats: dict[str, int] = {}
        quiet: dict[str, Any] = {"send": lambda _: None, "wake": lambda _: None, "due": lambda _lane, _at: None}
        self.intake = msgspec.structs.replace(rt.channels.intake, answer_age=inbox.DAY, raw_age=inbox.DAY, **quiet)

    async def play(self, visit: Visit, version_id: int, until: int) -> None:
        """One visit with this version of the bot."""
        self.visits += 1
        here = msgspec.structs.replace(self.live.here, version_id=version_id)
        stage = Stage(self.intake, here, self.live.row.account, self.rt.install)
        for line in self.timed(visit, until):
            known = self.chats.get(visit.person.phone, 0)
            if line.text.startswith(TEAM):
                await self.rt.db.bulk(answer, stage, known, line, self.draw.choice(self.team))
            else:
                heard = await self.file(line.text)
                self.chats[visit.person.phone] = await self.rt.db.bulk(hear, stage, visit, known, line, heard)
        if visit.end == "over":
            self.lines += 1
            late = Line(min(until, line.at + 5 * MINUTE), f"{self.run}.{self.lines}", LATE, "read")
            await self.rt.db.bulk(finish, stage, self.chats[visit.person.phone], late, self.draw.choice(self.team))

    def timed(self, visit: Visit, until: int) -> Iterator[Line]:
        """The lines that were said so far, with their times: a customer types for seconds, the team comes after
        minutes, and nothing is later than `until`."""
        said = so_far(visit)
        gaps = [self.draw.uniform(2, 14) if line.startswith(TEAM) else self.draw.uniform(0.1, 1.4) for line in said[1:]]
        ahead = sum(gaps) * MINUTE
        pace = min(1.0, 0.9 * (until - visit.at) / ahead) if ahead else 1.0
        at = float(visit.at)
        for text, gap in zip(said, [*gaps, 0.0], strict=True):
            self.lines += 1
            trouble = visit.trouble if text is said[-1] else ""
            fate = trouble or self.draw.choices(list(FATES), list(FATES.values()))[0]
            yield Line(int(at), f"{self.run}.{self.lines}", text, fate)
            at += gap * MINUTE * pace

    async def file(self, text: str) -> Heard | None:
        """The file that this line sends, kept where files are."""
        made = {"[picture]": ("image", "image/png", files.cake), "[voice]": ("audio", "audio/wav", files.hum)}
        found = made.get(text.split(" ", 1)[0])
        if found is None:
            return None
        kind, mime, make = found
        data = make()
        return Heard(kind, mime, await self.rt.media.add(data), len(data))


def so_far(visit: Visit) -> tuple[str, ...]:
    """The lines of a visit as it stands: all of them (up to the team's last one, if that did not arrive), those before
    the team, or up to the first answer of the team."""
    lines = visit.chat.lines
    team = [place for place, line in enumerate(lines) if line.startswith(TEAM)]
    if not team or (visit.end == "over" and not visit.trouble):
        return lines
    return lines[: team[-1] + 1] if visit.end == "over" else lines[: team[0] + (visit.end == "taken")]


# ---- units of work --------------------------------------------------------------------------------------------------


def hear(tx: Tx, stage: Stage, visit: Visit, known: int, line: Line, file: Heard | None) -> int:
    """The customer says a line, the bot's answers are sent. Returns the conversation."""
    past, person = Past(tx, line.at), visit.person
    newest = past.one(store.NEWEST_OUT, conversation_id=known)
    said, reply_to = meant(line.text, newest, file)
    sender = Address(phone=person.phone)
    if not known:
        meet(past, stage, person, sender)
    inbound = Inbound(stage.account, line.name, sender, line.at - 300, said, b"{}", name=person.name, reply_to=reply_to)
    outcome = inbox.receive(past, stage.intake, stage.here, inbound)
    if file is not None:
        keep(past, outcome.message_id, file)
    come_back(tx, stage, outcome.conversation_id, line, visit)
    send(tx, stage, outcome.conversation_id, line)
    return outcome.conversation_id


def meet(tx: Tx, stage: Stage, person: Person, sender: Address) -> None:
    """Their conversation, in which the bot draws by lot what it draws in every demo of this seed."""
    contact_id, _ = contacts.resolve(tx, sender.aliases(), name=person.name, phone=person.phone, username="")
    address = msgspec.json.encode(sender).decode()
    conversation_id = conversations.open_conversation(tx, stage.here.id, contact_id, "", address)
    state = msgspec.json.encode(State(seed=int(person.phone) & 0xFFFFFFFF)).decode()
    tx.run(store.BEGIN, id=conversation_id, state=state)


def meant(text: str, newest: tuple[str, str] | None, file: Heard | None) -> tuple[c.Content, str]:
    """The content of a line, and the message it answers to, if it presses something."""
    sign, _, words = text.partition(" ")
    if file is not None:
        if file.kind == "image":
            return c.Image("demo", mime=file.mime, caption=words), ""
        return c.Audio("demo", mime=file.mime, voice=True), ""
    if sign == "[place]":
        return c.Location(*PLACE, words), ""
    if newest is None:
        return c.Text(text), ""
    provider_id, offered = newest
    if sign == "[heart]":
        return c.Reaction(provider_id, "❤️"), ""
    for choice in choices(c.decode(offered)):
        if choice.title == text:
            pressed = isinstance(c.decode(offered), c.Buttons)
            return (c.Pressed if pressed else c.Picked)(choice.id, choice.title), provider_id
    return c.Text(text), ""


def choices(offered: c.Content) -> tuple[c.Choice, ...]:
    if isinstance(offered, c.Buttons):
        return offered.choices
    if isinstance(offered, c.ChoiceList):
        return tuple(choice for section in offered.sections for choice in section.choices)
    return ()


def keep(tx: Tx, message_id: int, file: Heard) -> None:
    """The file of this message is there; whoever was to fetch it finds that."""
    media_id = tx.one(store.WANTED_FILE, message_id=message_id)
    row = tx.one(media_rows.MEDIA, id=media_id) if media_id else None
    if row is not None:
        media.stored(tx, row, file.sha256, file.size, file.mime)


def come_back(tx: Tx, stage: Stage, conversation_id: int, line: Line, visit: Visit) -> None:
    """Calls get the answers of the chat, and nothing is called. Nothing that is waited for comes in the present
    either: reminders of a month ago stay unsaid."""
    services = Services(visit.chat.calls)
    for payload in tx.all(store.CALLS, conversation_id=conversation_id):
        call = calls.read(payload)
        result = services.answer(call) or CallResult(call.token, error="unreachable")
        result = msgspec.structs.replace(result, request=calls.shown(call), took_ms=CALL_TOOK)
        turns.resume(Past(tx, line.at + CALL_TOOK), stage.intake, conversation_id, result, f"{line.name}.{call.token}")
    tx.run(job_rows.DROP_WAITING, conversation_id=conversation_id)


def answer(tx: Tx, stage: Stage, conversation_id: int, line: Line, user_id: int) -> None:
    """Somebody of the team says a line."""
    handoff.say(Past(tx, line.at), conversation_id, c.Text(line.text.removeprefix(TEAM)), user_id)
    send(tx, stage, conversation_id, line)


def send(tx: Tx, stage: Stage, conversation_id: int, line: Line) -> None:
    """What was queued goes out, a moment later."""
    for place, message_id in enumerate(tx.all(store.QUEUED, conversation_id=conversation_id)):
        past = Past(tx, line.at + 240 + 310 * place)
        if line.fate == "failed":
            settle.failed(past, message_id, conversation_id, UNDELIVERABLE)
        elif line.fate == "held":
            settle.unsure(past, message_id, conversation_id, Problem("send.no_answer"))
            settle.held(past, message_id, conversation_id)
        else:
            name = f"{line.name}.{place}"
            settle.accepted(past, stage.here.id, message_id, conversation_id, name, None)
            for status in STEPS[line.fate]:
                receipt = Receipt(stage.account, name, status, past.now, b"{}")
                settle.receipt(past, stage.here.id, stage.install, receipt)


def finish(tx: Tx, stage: Stage, conversation_id: int, late: Line, user_id: int) -> None:
    """Nobody waits when a visit is over: who still does is answered. If the team was there, the bot has it again."""
    mode = tx.one(store.MODE, id=conversation_id)
    if mode == "waiting":
        answer(tx, stage, conversation_id, late, user_id)
    if mode != "bot":
        tx.run(conversations.CLOSE, id=conversation_id, now=late.at)
