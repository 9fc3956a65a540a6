"""The truth file: what was really accepted and posted, one JSON object a line, each its own write.

Append-only and unbuffered, so it survives the death of this process at any instant. Kinds of lines: `accepted` (every
accepted send), `refused`, `inbound` and `webhook` (every attempt with the answer; status 0 = no answer).
"""

import os
from pathlib import Path

import msgspec


class Accepted(msgspec.Struct, kw_only=True, tag_field="kind", tag="accepted", gc=False):
    """One accepted send. `n` counts from 1 over all numbers; `at` is in ms; `sha256` is of the body as received."""

    n: int
    at: int
    phone_number_id: str
    wamid: str
    type: str
    to: str | None
    recipient: str | None
    opaque: str | None
    sha256: str
    mode: str


class Refused(msgspec.Struct, kw_only=True, tag_field="kind", tag="refused", gc=False):
    at: int
    phone_number_id: str
    code: int
    details: str
    to: str | None
    opaque: str | None


class Inbound(msgspec.Struct, kw_only=True, tag_field="kind", tag="inbound", gc=False):
    at: int
    phone_number_id: str
    wamid: str
    sender: str
    type: str


class Posted(msgspec.Struct, kw_only=True, tag_field="kind", tag="webhook", gc=False):
    """One attempt. `ids` are `wamid` or `wamid status`; `n` names the body, the same for all its attempts."""

    n: int
    at: int
    url: str
    attempt: int
    status: int
    error: str
    sha256: str
    ids: list[str]


Line = Accepted | Refused | Inbound | Posted


class Truth:
    def __init__(self, path: str | Path | None = None) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if path else None
        self.encode = msgspec.json.Encoder().encode

    def write(self, line: msgspec.Struct) -> None:
        if self.file is not None:
            os.write(self.file, self.encode(line) + b"\n")

    def close(self) -> None:
        if self.file is not None:
            os.close(self.file)
            self.file = None


def read(path: str | Path) -> list[Line]:
    """The lines of a truth file. A last line cut off by the end of the machine is left out."""
    decode = msgspec.json.Decoder(Line).decode
    return [decode(line) for line in Path(path).read_bytes().split(b"\n")[:-1]]
