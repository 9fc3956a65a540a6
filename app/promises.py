"""What a bot promises to do later: jobs of the conversation, written in the unit of the turn that asks for them.

A timer or a watch belongs to what the bot waits for: it ends when a person takes or closes the conversation. A message
at a time and a flow begun later stand for themselves. `due` says what becomes of each when its time has come.
"""

from typing import Final

import msgspec

from app.bot.scene import Effect, Later, Send, StartTimer, WatchQuiet
from app.case import Case, Intake
from app.db import Tx
from app.store import jobs as store

LANE: Final = "turn"
MOST: Final = 50  # messages and flows that wait in one conversation
SOONEST: Final = 1_000  # ms until a flow begins later, so that one that begins itself again leaves room for others

Promise = StartTimer | Later | WatchQuiet | Send
KINDS: Final[dict[type, str]] = {StartTimer: "timer", Later: "later", WatchQuiet: "quiet", Send: "send"}


class Promised(msgspec.Struct, frozen=True):
    """The payload of such a job: what is to be done, by which turn it was promised and as which of its effects."""

    what: Promise
    turn_id: int
    step: int


_payload: msgspec.json.Decoder[Promised] = msgspec.json.Decoder(Promised)


def read(payload: str) -> Promised:
    return _payload.decode(payload)


def make(tx: Tx, intake: Intake, case: Case, effects: tuple[Effect, ...]) -> bool:
    """A job for everything that these effects want later. False if some were more than a conversation may keep."""
    wanted = [
        Promised(effect, case.turn_id, step)
        for step, effect in enumerate(effects)
        if isinstance(effect, StartTimer | Later | WatchQuiet) or (isinstance(effect, Send) and effect.at > tx.now)
    ]
    if not wanted:
        return True
    counted = [promised for promised in wanted if isinstance(promised.what, Later | Send)]
    left_out = counted[room(tx, case.conversation_id) :] if counted else []
    for promised in wanted:
        if promised not in left_out:
            keep(tx, intake, case.conversation_id, promised, due_at(promised.what, tx.now))
    return not left_out


def room(tx: Tx, conversation_id: int) -> int:
    """How many more messages and flows may wait here."""
    return max(0, MOST - (tx.one(store.COUNT_PROMISED, conversation_id=conversation_id) or 0))


def due_at(promise: Promise, now: int) -> int:
    match promise:
        case WatchQuiet(seconds=seconds):
            return now + seconds * 1000
        case Later(due=due):
            return max(due, now + SOONEST)
        case StartTimer(due=due):
            return max(due, now)
        case Send(at=at):
            return at


def keep(tx: Tx, intake: Intake, conversation_id: int, promised: Promised, due: int) -> None:
    """The job. A conversation is watched once: a new watch takes the place of the old one."""
    watch = isinstance(promised.what, WatchQuiet)
    tx.run(
        store.REPLACE if watch else store.INSERT, id=tx.new_id(), kind=KINDS[type(promised.what)],
        subject=str(conversation_id) if watch else f"{promised.turn_id}.{promised.step}",
        payload=msgspec.json.encode(promised).decode(), due_at=due, now=tx.now, conversation_id=conversation_id,
        lane=LANE,
    )  # fmt: skip
    tx.after_commit(intake.due, LANE, due)
