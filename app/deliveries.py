"""One delivery of a webhook: its body and signature, its schedule, and the units that keep what became of it."""

import base64
import hashlib
import hmac
from collections import Counter
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from app import events, settle
from app.db import Tx
from app.events import StoredEvent
from app.store import webhooks as store

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
# When a delivery is tried again, after the first, second … try: the schedule of Standard Webhooks.
SCHEDULE: Final = (
    5_000, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
)  # fmt: skip
TRIES: Final = len(SCHEDULE) + 1
LEASE: Final = 60_000
EACH: Final = 4
LARGEST: Final = 20_000
KEPT: Final = 30 * 24 * HOUR


# ---- the payload and its signature ----------------------------------------------------------------------------------


def payload(type_: str, at: int, data: Any) -> str:
    """The body, which is signed byte by byte: `{"type", "timestamp", "data"}`; of a large thing only the ids."""
    stamp = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = msgspec.json.encode({"type": type_, "timestamp": stamp, "data": data})
    if len(body) > LARGEST:
        plain = msgspec.to_builtins(data)
        thin = {name: value for name, value in plain.items() if name == "id" or name.endswith("_id")}
        body = msgspec.json.encode({"type": type_, "timestamp": stamp, "data": thin, "thin": True})
    return body.decode()


def sign(secret: str, identity: str, stamp: int, body: str) -> str:
    """One signature of `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{identity}.{stamp}.{body}".encode(), hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def headers(row: store.Delivery, keys: tuple[str, ...], now: int) -> dict[str, str]:
    """`now` in ms: each try has its own time, and every try the same id."""
    identity, stamp = f"msg_{row.id}", now // 1000
    return {
        "Content-Type": "application/json",
        "webhook-id": identity,
        "webhook-timestamp": str(stamp),
        "webhook-signature": " ".join(sign(key, identity, stamp, row.body) for key in keys),
    }


def wait_of(text: str, now: int) -> int:
    """`Retry-After` in ms: seconds or a date; nothing sensible is 0, and a day is the most."""
    if text.isdecimal() and len(text) < 10:
        return min(int(text) * 1000, 24 * HOUR)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return 0
    return max(0, min(int(at.timestamp() * 1000) - now, 24 * HOUR))


def store_deliveries(tx: Tx, row: store.Webhook, position: int, made: list[tuple[StoredEvent, str]]) -> None:
    """The deliveries and the position they lead to, in one commit."""
    if not tx.run(store.ADVANCE, **{"id": row.id, "position": position, "from": row.position}):
        return
    for event, body in made:
        tx.run(
            store.INSERT_DELIVERY, id=tx.new_id(), webhook_id=row.id, seq=event.seq, type=event.type, body=body,
            now=tx.now, **_subject(event),
        )  # fmt: skip


def _subject(event: StoredEvent) -> dict[str, int | None]:
    """The conversation, and the message, with which the body goes once they are erased."""
    about = msgspec.json.decode(event.data, type=dict[str, Any])
    message = about.get("id") if event.type in (events.MESSAGE_CREATED, events.MESSAGE_UPDATED) else None
    conversation = about.get("conversation_id")
    return {
        "conversation_id": int(conversation) if conversation else None,
        "message_id": int(message) if conversation and message else None,
    }


Claimed = list[tuple[store.Webhook, store.Delivery]]


def claim(tx: Tx, free: int, busy: Counter[int]) -> tuple[Claimed, int | None]:
    """Due deliveries, each counted as tried before it is, or when the next is due. Those of which the fewest are under
    way (`busy`, by webhook) come first, a few each: a receiver that is slow or far behind holds up nobody else."""
    taken: Claimed = []
    ready = [row for row in tx.all(store.ALL) if row.disabled_at is None and busy[row.id] < EACH]
    for webhook in sorted(ready, key=lambda row: busy[row.id]):
        limit = min(EACH - busy[webhook.id], free - len(taken))
        for row in tx.claim(store.DUE, webhook_id=webhook.id, now=tx.now, limit=limit) if limit else ():
            if tx.run(store.TRYING, id=row.id, attempts=row.attempts, until=tx.now + LEASE, now=tx.now):
                taken.append((webhook, msgspec.structs.replace(row, attempts=row.attempts + 1)))
    if taken:
        return taken, None
    found = [tx.one(store.NEXT_DUE, webhook_id=webhook.id) for webhook in ready]
    return taken, min((due for due in found if due is not None), default=None)


def settle_delivery(tx: Tx, row: store.Delivery, status: int, said: str, again: int, took: int) -> None:
    """Delivered, later, or given up; a receiver that is gone (410) or never answers is switched off."""
    gone = status == 410
    state, due_at = "delivered", tx.now
    if said and (gone or row.attempts >= TRIES):
        state = "failed"
    elif said:
        state, due_at = "waiting", tx.now + max(again, jittered(SCHEDULE[row.attempts - 1], row.id + row.attempts))
    tx.run(
        store.OUTCOME, id=row.id, attempts=row.attempts, state=state, due_at=due_at, status=status,
        problem=said[:500], took_ms=took,
    )  # fmt: skip
    if state == "failed" and tx.run(store.DISABLE, id=row.webhook_id, why=said[:500], now=tx.now):
        tx.run(store.FAIL_WAITING, webhook_id=row.webhook_id, problem=said[:500])
        settle.attention(tx)


def jittered(wait: int, salt: int) -> int:
    """Up to a fifth more or less, so that those who failed together do not come back together."""
    share = int.from_bytes(hashlib.blake2b(str(salt).encode(), digest_size=2).digest()) / 65_535
    return int(wait * (0.8 + 0.4 * share))


def sweep(tx: Tx) -> int:
    """Deliveries are kept for thirty days; how many went."""
    old = tx.all(store.OLD, before=tx.now - KEPT)
    tx.many(store.DROP, [{"id": row} for row in old])
    return len(old)
