"""Keys and webhooks of the bakery's programs: one webhook that works, one that failed until it was switched off."""

from app import deliveries, tokens
from app.db import Tx
from app.store import webhooks as store
from tests.browser.house import House


def add(house: House) -> int:
    """Once for a house; the id of the webhook that failed."""
    rows = house.run(house.rt.db.reader.all(store.ALL))
    if rows:
        return rows[0].id
    rt = house.rt
    house.run(tokens.create(rt, name="Website orders", scopes=["send"]))
    house.run(tokens.create(rt, name="Reports", scopes=["read"], days=30, rate=5))
    types = ["message.created", "message.updated"]
    failed, _secret = house.run(rt.webhooks.create("https://crm.luna.example/parley/in", types, None, None))
    house.run(rt.webhooks.create("https://stock.luna.example/hook", ["channel.updated"], None, None))
    house.run(rt.db.write(delivered, failed))
    return failed


def delivered(tx: Tx, webhook_id: int) -> None:
    """Two that arrived, one that did not, and one that can wait no longer."""
    data = {"id": "41", "conversation_id": "7", "content": {"kind": "text", "text": "É possível hoje? " * 12}}
    for status, said in ((200, ""), (200, ""), (500, "It answered 500."), (0, "The name crm.luna.example is unknown.")):
        one = tx.new_id()
        body = deliveries.payload("message.created", tx.now, data)
        tx.run(store.INSERT_DELIVERY, id=one, webhook_id=webhook_id, seq=1, type="message.created", body=body,
               conversation_id=None, message_id=None, now=tx.now)  # fmt: skip
        for attempts in range(1 if not said else deliveries.TRIES if not status else 3):
            tx.run(store.TRYING, id=one, attempts=attempts, until=tx.now, now=tx.now)
        row = tx.one(store.ONE, id=one)
        assert row is not None
        deliveries.settle_delivery(tx, row, status, said, 0, 38)
