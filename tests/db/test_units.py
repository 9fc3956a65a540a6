from app.db import Database, Query, Statement, Tx

INSERT = Statement("insert into item (id, name) values (:id, :name)")
NAMES = Query("select name from item order by name", str)


def add(tx: Tx, name: str) -> int:
    id = tx.new_id()
    tx.run(INSERT, id=id, name=name)
    return id


async def test_what_a_unit_wrote_is_read(database: Database) -> None:
    await database.write(add, "a")
    assert await database.reader.all(NAMES) == ["a"]
