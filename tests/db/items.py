"""The small schema's statements and units, for the tests of the core."""

from app.db import Query, Statement, Tx
from app.events import Event

INSERT = Statement("insert into item (id, name) values (:id, :name)")
INSERT_ONCE = Statement("insert into item (id, name) values (:id, :name) on conflict (name) do nothing")
GROW = Statement("update item set size = size + 1 where name = :name")
NAMES = Query("select name from item order by name", str)
COUNT = Query("select count(*) from item", int)
SIZE = Query("select size from item where name = :name", int)
ID = Query("select id from item where name = :name", int)
SOME = Query("select name from item where size = 0 order by name limit :limit", str)


class Refused(Exception):
    """A unit's own exception."""


def add(tx: Tx, name: str) -> int:
    id = tx.new_id()
    tx.run(INSERT, id=id, name=name)
    return id


def add_once(tx: Tx, name: str) -> int:
    return tx.run(INSERT_ONCE, id=tx.new_id(), name=name)


def tell(tx: Tx, name: str) -> None:
    add(tx, name)
    tx.publish(Event("message.created", ("conversations", f"conversation-{name}"), b'{"id": "1"}'))


def add_and_fail(tx: Tx, name: str) -> None:
    tell(tx, name)
    raise Refused(name)
