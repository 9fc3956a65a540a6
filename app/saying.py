"""What a bot leaves in a thread: messages on their way, messages that are not sent and why, remarks for the team."""

from typing import Final

import msgspec

from app import content, events
from app.bot.scene import Send
from app.connectors.base import Problem
from app.content import Note, Reaction, System
from app.db import Tx
from app.said import mark
from app.store import conversations, messages, outbox

# What a remark says, by its `what`; `name`, and for what people do `by`, are in its data.
REMARKS: Final[dict[str, str]] = {
    "assigned": mark("{by} assigned this to {name}."),
    "assigned.nobody": mark("{by} assigned this to nobody."),
    "bot.nobody": mark("The bot was to assign this to {name}, but there is no such person or team."),
    "bot.no_team": mark("The bot handed this to the team {name}, but there is no such team."),
    "bot.too_many": mark("The bot planned more for later than a conversation may keep; the last of it was left out."),
    "bot.taken.flow": mark("The flow {name} was to begin. It did not, because a person had the conversation."),
    "bot.missed.flow": mark("The flow {name} was to begin. It did not, because Parley did not run at that time."),
    "bot.gave_up": mark("Something that the bot had planned here failed too often and was given up."),
}


def insert(
    tx: Tx, conversation_id: int, channel_id: int, turn_id: int, step: int, send: Send, reply_to: str = ""
) -> int:
    """The message; it is not in the outbox yet. `step` is its effect's place in the turn. Returns its id."""
    message_id = tx.new_id()
    tx.later(
        messages.INSERT_OUT, id=message_id, conversation_id=conversation_id, channel_id=channel_id, author="bot",
        user_id=None, kind=content.kind(send.content), text=content.text(send.content),
        content=content.encode(send.content), reply_to=reply_to, status="queued", rule=send.rule, turn_id=turn_id,
        step=step, at=tx.now,
    )  # fmt: skip
    tell(tx, conversation_id, events.MESSAGE_CREATED, message_id)
    return message_id


def aimed(send: Send, reply_to: str) -> Send:
    """A bot's reaction names no message: it is on the one that came."""
    if isinstance(send.content, Reaction):
        return msgspec.structs.replace(send, content=Reaction(reply_to, send.content.emoji))
    return send


def queue(tx: Tx, conversation_id: int, channel_id: int, message_id: int, place: int, *, at_once: bool = False) -> None:
    """Its place in the outbox, already `sending` if it starts at once."""
    tx.later(
        outbox.INSERT, message_id=message_id, channel_id=channel_id, conversation_id=conversation_id, place=place,
        state="sending" if at_once else "queued", due_at=tx.now, attempts=1 if at_once else 0, now=tx.now,
    )  # fmt: skip


def withhold(
    tx: Tx, conversation_id: int, channel_id: int, turn_id: int, step: int, send: Send, problem: Problem
) -> None:
    """A message that is not sent: it stands in the thread with the reason."""
    message_id = insert(tx, conversation_id, channel_id, turn_id, step, send)
    tx.run(messages.SET_STATUS, id=message_id, status="failed", problem=msgspec.json.encode(problem).decode())
    tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention",)))


def remark(
    tx: Tx, conversation_id: int, channel_id: int, said: Note | System, turn_id: int | None = None, rule: str = ""
) -> None:
    """For the team alone: never in the outbox, and never the conversation's last message."""
    message_id = tx.new_id()
    tx.run(
        messages.INSERT_OUT, id=message_id, conversation_id=conversation_id, channel_id=channel_id, author="bot",
        user_id=None, kind=content.kind(said), text=said.text, content=content.encode(said), reply_to="",
        status="remark", rule=rule, turn_id=turn_id, step=None, at=tx.now,
    )  # fmt: skip
    tell(tx, conversation_id, events.MESSAGE_CREATED, message_id)


def spoke(tx: Tx, conversation_id: int, message_id: int, snippet: str) -> None:
    """The newest message, where no message came in."""
    tx.run(conversations.SPOKE, id=conversation_id, at=tx.now, last_id=message_id, snippet=snippet[:160])


def tell(tx: Tx, conversation_id: int, type_: str, message_id: int = 0) -> None:
    """Pages and programs hear that a message of this conversation was made or changed, or the conversation itself
    (0)."""
    tx.publish(events.in_conversation(type_, conversation_id, message_id, "conversations"))
