"""Files of contacts that are brought in, each with how far it is. `columns` and `mapping` are JSON lists of texts."""

from typing import Literal

import msgspec

from app.db import Query, Statement

State = Literal["ready", "running", "done", "failed"]


class Import(msgspec.Struct, frozen=True):
    """`at_byte` of `size` bytes and `lines` lines are worked off; of
    `wrong_bytes` is the file of those that did not fit."""

    id: int
    user_id: int | None
    name: str
    size: int
    delimiter: str
    columns: str
    mapping: str
    state: State
    at_byte: int
    lines: int
    made: int
    changed: int
    wrong: int
    wrong_bytes: int
    created_at: int
    ended_at: int | None


_COLUMNS = ", ".join(Import.__struct_fields__)
INSERT = Statement(
    """
    insert into contact_import
      (id, user_id, name, size, delimiter, columns, mapping, state, at_byte, lines, created_at)
    values (:id, :user_id, :name, :size, :delimiter, :columns, :mapping, 'ready', :at_byte, :lines, :now)
    """
)
BY_ID = Query(f"select {_COLUMNS} from contact_import where id = :id", Import)
NEWEST = Query(f"select {_COLUMNS} from contact_import where id < :before order by id desc limit :limit", Import)
BEGIN = Statement(
    "update contact_import set state = 'running', mapping = :mapping where id = :id and state in ('ready', 'failed')"
)
# Only from where this run began to read: one that was taken over writes nothing.
WORKED_OFF = Statement(
    """
    update contact_import
    set at_byte = :at_byte, lines = :lines, wrong = wrong + :wrong, wrong_bytes = :wrong_bytes
    where id = :id and state = 'running' and at_byte = :from_byte
    """
)
COUNT = Statement("update contact_import set made = made + :made, changed = changed + :changed where id = :id")
ENDED = Statement("update contact_import set state = :state, ended_at = :now where id = :id and state = 'running'")
OLD = Query("select id from contact_import where created_at < :before order by created_at, id limit 100", int)
DROP = Statement("delete from contact_import where id = :id")
