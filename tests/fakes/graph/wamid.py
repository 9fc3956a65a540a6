"""Message ids as observed: `wamid.` and base64 of a small binary frame around an inner hexadecimal id."""

import random
from base64 import b64decode
from binascii import b2a_base64

OUTBOUND, INBOUND = b"\x11", b"\x12"
_dice = random.Random()  # seeded by the system, so that two runs never share an id


def _frame(phone: bytes, direction: bytes, inner: bytes) -> str:
    head = b"\x1c\x18" + bytes((len(phone),)) + phone + b"\x15\x02\x00" + direction + b"\x18"
    return "wamid." + b2a_base64(head + bytes((len(inner),)) + inner + b"\x00", newline=False).decode()


def outbound(user: str) -> str:
    """A new id for a message to `user`: phone digits, or a BSUID or group id where there is no phone."""
    return _frame(user.encode()[:100], OUTBOUND, b"%018X" % _dice.getrandbits(72))


def inbound(user: str) -> str:
    return _frame(user.encode()[:100], INBOUND, b"3A" + b"%018X" % _dice.getrandbits(72))


def parts(wamid: str) -> tuple[str, str, str]:
    """(user, "in" or "out", inner id). Raises `ValueError` for anything else."""
    prefix, _, rest = wamid.partition(".")
    raw = b64decode(rest, validate=True)
    if prefix != "wamid" or raw[:2] != b"\x1c\x18" or len(raw) < 12:
        raise ValueError("not a wamid")
    user, tail = raw[3 : 3 + raw[2]], raw[3 + raw[2] :]
    inner = tail[6 : 6 + tail[5]]
    if tail[:3] != b"\x15\x02\x00" or tail[3:4] not in (OUTBOUND, INBOUND) or tail[6 + len(inner) :] != b"\x00":
        raise ValueError("not a wamid")
    return user.decode(), "out" if tail[3:4] == OUTBOUND else "in", inner.decode()
