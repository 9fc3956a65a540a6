"""Quick messages of one person, answered together: stored and acknowledged one by one, decided once nobody wrote for as
long as the bot's document says.

A pressed button or a chosen row is never held back: what was gathered before it is answered first, then it is.
"""

from typing import Final

import msgspec

from app import content, turns
from app.bot.scene import Arrived
from app.case import Heard, Here, Intake
from app.connectors.base import Inbound
from app.content import Text
from app.db import Tx
from app.models import Found, Job
from app.promises import LANE
from app.store import conversations
from app.store import gathered as store
from app.store import jobs as job_rows

KIND: Final = "gather"
LONGEST: Final = 10  # times the quiet that is waited for: whoever never stops is answered all the same


class Begun(msgspec.Struct, frozen=True):
    """The payload of the job. `last_heard`: when the person wrote before the first of these messages; `here`: where a
    simulated customer writes, which only whoever plays it knows."""

    last_heard: int
    here: Here | None = None


_begun: msgspec.json.Decoder[Begun] = msgspec.json.Decoder(Begun)
_referral: msgspec.json.Decoder[dict[str, object] | None] = msgspec.json.Decoder(dict[str, object] | None)


def quiet_of(intake: Intake, version_id: int) -> int:
    """For how long a bot waits for more (ms, 0: it does not). A version that is not there fails its turn, not this."""
    try:
        return intake.bots.get(version_id).gather
    except KeyError:
        return 0


def hold(tx: Tx, intake: Intake, here: Here, found: Found, inbound: Inbound, message_id: int, quiet: int) -> None:
    """One more of them: the time begins anew. `quiet` in ms."""
    begun = Begun(found.heard_at, here if here.version_id is None else None)
    referral = msgspec.json.encode(inbound.referral).decode() if inbound.referral else ""
    tx.run(store.INSERT, message_id=message_id, conversation_id=found.conversation_id, referral=referral)
    tx.run(
        job_rows.POSTPONE, id=tx.new_id(), kind=KIND, subject=str(found.conversation_id), now=tx.now, lane=LANE,
        payload=msgspec.json.encode(begun).decode(), due_at=tx.now + quiet, longest=LONGEST * quiet,
        conversation_id=found.conversation_id,
    )  # fmt: skip
    tx.after_commit(intake.due, LANE, tx.now + quiet)


def end(tx: Tx, intake: Intake, conversation_id: int) -> bool:
    """Answer now what was gathered. False if there was nothing."""
    payload = tx.one(job_rows.END_GATHERING, subject=str(conversation_id))
    if payload is None:
        return False
    answer(tx, intake, conversation_id, payload)
    return True


def come(intake: Intake, job: Job, tx: Tx) -> None:
    """Nobody wrote for long enough."""
    if job.conversation_id is not None:
        answer(tx, intake, job.conversation_id, job.payload)


def answer(tx: Tx, intake: Intake, conversation_id: int, payload: str) -> None:
    """One turn for all of them; it has the last one's id. Without a turn they count as unread. What was deleted
    meanwhile is not answered, and what was changed is as it is now."""
    rows = tx.all(store.GATHERED, conversation_id=conversation_id)
    tx.run(store.DROP, conversation_id=conversation_id)
    if not rows:
        return
    begun, last = _begun.decode(payload), rows[-1]
    said = [content.decode(row.content) for row in rows]
    text = "\n".join(filter(None, map(content.text, said)))
    referral = next((_referral.decode(row.referral) for row in rows if row.referral), None)
    alone = len(said) == 1 and isinstance(said[0], Text)
    event = Arrived(said[-1], "" if alone else text, last.reply_to, referral, tuple(said[:-1]))
    heard = Heard(last.id, last.provider_id, content.text(said[-1]), last.sent_at, len(rows))
    turn = turns.resume(
        tx, intake, conversation_id, event, last.provider_id, heard=heard, last_heard=begun.last_heard, seen=begun.here
    )
    if turn is None:
        tx.run(conversations.UNREAD, id=conversation_id, count=len(rows))
