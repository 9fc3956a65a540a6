"""How the account of a channel stands: what the network told or was asked, and what people should look at."""

from typing import TYPE_CHECKING

from app import events
from app.connectors.account import Fact, TellsFacts
from app.connectors.base import SendFailed
from app.connectors.states import advice_for
from app.db import Tx
from app.errors import Conflict
from app.said import N_
from app.store import account_facts as store

if TYPE_CHECKING:
    from app.runtime import Runtime


async def ask(rt: "Runtime", channel_id: int) -> None:
    """Ask the network. Raises `NotFound`, `Conflict` where nothing can be told."""
    live = rt.channels.get(channel_id)
    if not isinstance(live.session, TellsFacts):
        raise Conflict(N_("This network tells nothing about the account."))
    try:
        found = await live.session.facts()
    except SendFailed as failure:
        advice = advice_for(failure.problem.code)
        raise Conflict(N_(advice.sentence) if advice else failure.problem.title, code="network") from failure
    await rt.db.write(note_all, channel_id, found)


def note_all(tx: Tx, channel_id: int, facts: list[Fact]) -> None:
    for fact in facts:
        note(tx, channel_id, fact, tx.now)


def note(tx: Tx, channel_id: int, fact: Fact, at: int) -> None:
    """Keep one fact. What is older than what is known changes nothing: notifications come in no order. A value that
    stayed keeps whether somebody looked at it; one that fell concerns people."""
    known = tx.one(store.FACT, channel_id=channel_id, name=fact.name)
    if known is not None and known.at > at:
        return
    if not fact.value:
        tx.run(store.DROP, channel_id=channel_id, name=fact.name)
    else:
        same = known is not None and known.value == fact.value
        fell = known is not None and 0 < fact.rank < known.rank
        concern = known.concern if known is not None and same else fact.concern or fell
        tx.run(
            store.PUT, channel_id=channel_id, name=fact.name, value=fact.value, detail=fact.detail[:1000],
            rank=fact.rank, concern=int(concern), at=at, seen_at=known.seen_at if known is not None and same else None,
        )  # fmt: skip
    _tell(tx, channel_id)


def owner(tx: Tx, channel_id: int, connector: str, fact: Fact) -> int:
    """The channel that a fact is about: that of its number, where it names one that is known; else the one called."""
    found = tx.one(store.BY_NUMBER, connector=connector, digits=fact.number) if fact.number else None
    return found or channel_id


def seen(tx: Tx, channel_id: int) -> None:
    """Somebody looked at what concerns people."""
    if tx.run(store.SEEN, channel_id=channel_id, now=tx.now):
        _tell(tx, channel_id)


def _tell(tx: Tx, channel_id: int) -> None:
    topics = ("channels", f"channel-{channel_id}")
    tx.publish(events.Event(events.CHANNEL_UPDATED, topics, b'{"id":"%d"}' % channel_id))
    tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention",)))
