"""Events as rows, the read by which every resume goes on, and the marks that never go back."""

from collections.abc import Sequence
from typing import Final

from app.db.contract import Query, Statement
from app.events import Event, StoredEvent


def stored_event(seq: int, at: int, type: str, topics: str, data: str) -> StoredEvent:
    """One row of table `event`."""
    return StoredEvent(seq, at, type, tuple(topics.split()), data.encode())


EVENTS_AFTER: Final = Query(
    "select seq, at, type, topics, data from event where seq > :after order by seq limit :limit", stored_event
)
INSERT_EVENT: Final = Statement(
    "insert into event (seq, at, type, topics, data) values (:seq, :at, :type, :topics, :data)"
)
# A mark never goes back.
SET_MARK: Final = """
insert into mark (name, value) values (:name, :value)
on conflict (name) do update set value = excluded.value where mark.value < excluded.value
"""

Row = dict[str, int | str]


def event_row(event: Event | StoredEvent, at: int) -> Row:
    """All columns but the place. Topics hold no spaces."""
    return {"at": at, "type": event.type, "topics": " ".join(event.topics), "data": event.data.decode()}


def place(events: Sequence[Event], at: int, after: int) -> tuple[list[StoredEvent], list[Row]]:
    """Give events the places after `after`: as listeners hear them and as rows."""
    stored = [StoredEvent(seq, at, e.type, e.topics, e.data) for seq, e in enumerate(events, after + 1)]
    return stored, [{"seq": event.seq, **event_row(event, at)} for event in stored]
