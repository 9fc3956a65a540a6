"""The truth file: what really happened, one JSON object a line, each its own write, append-only.

`sent` (every call that changed something for a person), `refused`, `told` (every update, when it came to be) and
`handed` (every attempt to hand updates to the bot, with the answer of its webhook; 0 = no answer, 200 for a poll).
"""

from pathlib import Path
from typing import Any

import msgspec

from ..graph.truth import Truth

__all__ = ["Handed", "Line", "Refused", "Sent", "Told", "Truth", "read"]


class Sent(msgspec.Struct, kw_only=True, tag_field="kind", tag="sent"):
    """`n` counts from 1; `at` is in ms; `message_id` 0 for what makes no message, such as a reaction."""

    n: int
    at: int
    method: str
    chat_id: int
    message_id: int
    text: str
    values: dict[str, Any]
    mode: str


class Refused(msgspec.Struct, kw_only=True, tag_field="kind", tag="refused"):
    at: int
    method: str
    code: int
    description: str


class Told(msgspec.Struct, kw_only=True, tag_field="kind", tag="told"):
    at: int
    update_id: int
    what: str
    message_id: int


class Handed(msgspec.Struct, kw_only=True, tag_field="kind", tag="handed"):
    at: int
    ids: list[int]
    status: int
    attempt: int = 0


Line = Sent | Refused | Told | Handed


def read(path: str | Path) -> list[Line]:
    """The lines of a truth file. A last line cut off by the end of the machine is left out."""
    decode = msgspec.json.Decoder(Line).decode
    return [decode(line) for line in Path(path).read_bytes().split(b"\n")[:-1]]
