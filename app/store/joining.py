"""Two conversations of one person become one, when two contacts turn out to be the same.

The rule. A person's take-over is never lost: of two modes the one with more of a person in it stays (person, waiting,
bot), with who has it and since when. Both with a person: whoever took it last. Both waiting: the wait that began first.
Whose it is (a user's, a team's) stays with that, or comes from the other.
The bot goes on from where the customer last wrote: its memory, its version, its reply budget and the address come from
the conversation heard last. Unread counts add up, the newest message is the last one, and it is closed only if both
were. Replies on their way all stay: those of the kept conversation first, each side in its own order. What is to be
said or begun later stays from both; what the bot waits for goes with its memory, so the other's ends.
"""

import msgspec

from app.db import Query, Statement, Tx
from app.store import search


class Thread(msgspec.Struct, frozen=True):
    """What one conversation knows of itself, apart from its messages."""

    address: str
    state: str
    version_id: int | None
    budget: str
    mode: str
    taken_by: int | None
    taken_at: int | None
    waiting_since: int | None
    waiting_for: str
    closed_at: int | None
    places: int
    unread: int
    heard_at: int
    last_at: int
    last_id: int | None
    snippet: str
    assigned_to: int | None = None
    team_id: int | None = None


COLUMNS = Thread.__struct_fields__
THREAD = Query(f"select {', '.join(COLUMNS)} from conversation where id = :id", Thread)
JOINED = Statement(f"update conversation set {', '.join(f'{name} = :{name}' for name in COLUMNS)} where id = :id")
MOVE_MESSAGES = Statement("update message set conversation_id = :keep where conversation_id = :gone")
MOVE_TURNS = Statement("update turn set conversation_id = :keep where conversation_id = :gone")
MOVE_RAW = Statement("update raw_update set conversation_id = :keep where conversation_id = :gone")
MOVE_OUTBOX = Statement(
    "update outbox set conversation_id = :keep, place = place + :shift where conversation_id = :gone"
)
MOVE_GATHERED = Statement("update gathered set conversation_id = :keep where conversation_id = :gone")
MOVE_AWAY = Statement("update away set conversation_id = :keep where conversation_id = :gone")
# A job of these kinds is known by its conversation, which has one at most.
DROP_SECOND = Statement(
    """
    delete from job where conversation_id = :gone and kind in ('quiet', 'gather')
      and exists (select 1 from job k where k.kind = job.kind and k.subject = :subject)
    """
)
DROP_WAITS = Statement("delete from job where conversation_id = :id and kind in ('timer', 'call', 'quiet')")
MOVE_JOBS = Statement(
    """
    update job
    set conversation_id = :keep, subject = case when kind in ('quiet', 'gather') then :subject else subject end
    where conversation_id = :gone
    """
)
DROP_THREAD = Statement("delete from conversation where id = :id")
RANK = {"bot": 0, "waiting": 1, "person": 2}


def join(tx: Tx, keep: int, gone: int) -> None:
    """Everything of `gone` moves to `keep`, and `gone` is deleted. Both are locked: a take-over that happens meanwhile
    is seen, or finds the conversation gone and says so."""
    for id in sorted((keep, gone)):
        tx.lock("conversation", id)
    kept, other = tx.one(THREAD, id=keep), tx.one(THREAD, id=gone)
    if kept is None or other is None:
        return
    tx.run(search.AGAIN, conversation_id=gone)
    for move in (MOVE_MESSAGES, MOVE_TURNS, MOVE_RAW, MOVE_GATHERED, MOVE_AWAY):
        tx.run(move, keep=keep, gone=gone)
    tx.run(DROP_WAITS, id=gone if kept.heard_at >= other.heard_at else keep)
    tx.run(DROP_SECOND, gone=gone, subject=str(keep))
    tx.run(MOVE_JOBS, keep=keep, gone=gone, subject=str(keep))
    tx.run(MOVE_OUTBOX, keep=keep, gone=gone, shift=kept.places)
    tx.run(JOINED, id=keep, **msgspec.structs.asdict(joined(kept, other)))
    tx.run(DROP_THREAD, id=gone)


def joined(kept: Thread, other: Thread) -> Thread:
    """What the one conversation knows; the rule is above."""
    heard = max(kept, other, key=lambda thread: thread.heard_at)
    newest = max(kept, other, key=lambda thread: thread.last_at)
    holder = max(kept, other, key=_hold)
    owned = [thread for thread in (holder, kept, other) if thread.assigned_to or thread.team_id]
    owner = owned[0] if owned else kept
    closed = None if kept.closed_at is None or other.closed_at is None else max(kept.closed_at, other.closed_at)
    return Thread(
        heard.address, heard.state, heard.version_id, heard.budget,
        holder.mode, holder.taken_by, holder.taken_at, holder.waiting_since, holder.waiting_for, closed,
        kept.places + other.places, kept.unread + other.unread, max(kept.heard_at, other.heard_at),
        newest.last_at, newest.last_id, newest.snippet, owner.assigned_to, owner.team_id,
    )  # fmt: skip


def _hold(thread: Thread) -> tuple[int, int]:
    """More of a person first; then the later take-over, or the longer wait."""
    since = (thread.taken_at or 0) if thread.mode == "person" else -(thread.waiting_since or 0)
    return RANK[thread.mode], since
