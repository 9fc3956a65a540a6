"""The invariants I1 to I8, checked from outside: the database file, the provider's truth file and the load's log. Not
by the product.

I1 what was answered 200 is there · I2 each provider id once · I3 at most one set of replies a message · I4 the
provider took each outbox key at most once · I5 a conversation's messages reached the provider in their order · I6
nothing is neither done, queued, failed, held nor waiting · I7 the file is whole · I8 the keys open the canary
(proved by the server that starts).
"""

import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

# What still moves: queued or sending, and not behind an outcome that is unknown for up to two minutes.
RESTLESS = """
select count(*) from outbox o where o.state in ('queued', 'sending') and not exists (
  select 1 from outbox u where u.conversation_id = o.conversation_id and u.place < o.place and u.state = 'unknown')
"""


def truth(path: Path) -> list[dict[str, Any]]:
    """The accepted sends as the provider wrote them down; a last line torn by a kill is left out."""
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    records = []
    for line in lines:
        if '"accepted"' not in line:
            continue  # three of four: what it told of them later
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return [record for record in records if record.get("kind") == "accepted"]


def faults_of(
    database: Path, answered: set[str], accepted: list[dict[str, Any]], *, settled: bool = False
) -> list[str]:
    """Every broken invariant as a sentence. `settled`: the system has come to rest, so replies must be there."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10) as db:
        return faults_in(db, answered, accepted, settled=settled)


def faults_in(
    db: sqlite3.Connection, answered: set[str], accepted: list[dict[str, Any]], *, settled: bool = False
) -> list[str]:
    found = [*_whole(db), *_inbound(db, answered), *_replies(db), *_provider(db, accepted)]
    return [*found, *_rest(db)] if settled else found


def _whole(db: sqlite3.Connection) -> list[str]:
    result = db.execute("pragma integrity_check").fetchall()
    return [] if result == [("ok",)] else [f"I7 the file is damaged: {result[:3]}"]


def _inbound(db: sqlite3.Connection, answered: set[str]) -> list[str]:
    stored = Counter(wamid for (wamid,) in db.execute("select provider_id from message where direction = 'in'"))
    lost = answered - set(stored)
    twice = [wamid for wamid, count in stored.items() if count > 1]
    return [
        *([f"I1 {len(lost)} answered messages are not there, e.g. {sorted(lost)[:3]}"] if lost else []),
        *([f"I2 {len(twice)} messages are there twice"] if twice else []),
    ]


def _replies(db: sqlite3.Connection) -> list[str]:
    rows = db.execute(
        """
        select i.text, count(o.id) from message i left join message o on o.turn_id = i.id
        where i.direction = 'in' group by i.id
        """
    )
    most = {"twice": 2}
    wrong = [(text, count) for text, count in rows if count > most.get(text, 1)]
    half = db.execute(
        "select count(*) from turn where message_id is not null and message_id not in (select id from message)"
    ).fetchone()[0]
    return [
        *([f"I3 {len(wrong)} messages have more replies than one turn makes: {wrong[:3]}"] if wrong else []),
        *([f"I3 {half} turns are there without their message"] if half else []),
    ]


def _provider(db: sqlite3.Connection, accepted: list[dict[str, Any]]) -> list[str]:
    keys = Counter(record["opaque"] for record in accepted)
    twice = [key for key, count in keys.items() if count > 1]
    found = [f"I4 the provider took {len(twice)} messages twice, e.g. {twice[:3]}"] if twice else []
    place = dict(
        (str(number), (conversation, turn, step))
        for number, conversation, turn, step in db.execute(
            "select id, conversation_id, turn_id, step from message where direction = 'out' and turn_id is not null"
        )
    )
    last: dict[int, tuple[int, int]] = {}
    for record in accepted:
        number = str(record["opaque"]).partition(".")[2]
        if number not in place:
            found.append(f"I4 the provider took {record['opaque']}, which is not in the database")
            continue
        conversation, turn, step = place[number]
        if (turn, step) < last.get(conversation, (0, 0)):
            found.append(f"I5 conversation {conversation}: {number} was sent after a later one")
        last[conversation] = max(last.get(conversation, (0, 0)), (turn, step))
    return found


def _rest(db: sqlite3.Connection) -> list[str]:
    """At rest nothing may hang between the states."""
    lost = db.execute(
        """
        select count(*) from message m left join outbox o on o.message_id = m.id
        where m.direction = 'out' and m.status in ('queued', 'unknown') and o.message_id is null
        """
    ).fetchone()[0]
    waiting = db.execute(RESTLESS).fetchone()[0]
    return [
        *([f"I6 {lost} messages are neither sent nor waiting"] if lost else []),
        *([f"I6 {waiting} messages still wait though everything is quiet"] if waiting else []),
    ]
