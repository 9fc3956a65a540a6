"""Messages that are stored and wait for those after them, to be answered together."""

from app.db import Statement

DROP = Statement("delete from gathered where conversation_id = :conversation_id")
