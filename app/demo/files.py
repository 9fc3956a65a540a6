"""The files in a demo's chats, made here: a picture of a cake, and a hum."""

import math
import struct
import zlib
from functools import cache


@cache
def cake() -> bytes:
    """A picture of a cake, PNG."""
    width, height = 480, 330
    rows = b"".join(b"\0" + row(y / height, width) for y in range(height))
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", size), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def row(y: float, width: int) -> bytes:
    """The pixels at this height, painted from the table to the berries in spans: one by one they take a second, in
    which nobody else is served."""
    painted = bytearray(bytes((214, 160, 112) if y > 0.66 else (242, 216, 184)) * width)

    def span(cx: float, half: float, colour: tuple[int, int, int]) -> None:
        first, end = math.floor((cx - half) * width) + 1, math.ceil((cx + half) * width)
        painted[3 * first : 3 * end] = bytes(colour) * (end - first)

    def ellipse(cx: float, cy: float, rx: float, ry: float, colour: tuple[int, int, int]) -> None:
        if abs(y - cy) < ry:
            span(cx, rx * math.sqrt(1 - ((y - cy) / ry) ** 2), colour)

    dough = (112, 66, 40) if int(y * 14) % 3 else (140, 88, 56)
    cream, berry = (250, 240, 226), (186, 38, 52)
    ellipse(0.5, 0.78, 0.4, 0.1, (232, 228, 222))
    if 0.36 < y < 0.72:
        span(0.5, 0.3, dough)
    ellipse(0.5, 0.72, 0.3, 0.08, dough)
    ellipse(0.5, 0.36, 0.3, 0.1, cream)
    for n in range(6):
        ellipse(0.24 + 0.104 * n, 0.44, 0.05, 0.06, cream)
    for n in range(5):
        ellipse(0.28 + 0.11 * n, 0.33 - 0.03 * (n % 2), 0.035, 0.05, berry)
    return bytes(painted)


@cache
def hum(seconds: float = 3.0, rate: int = 8000) -> bytes:
    """A recording, WAV: a voice without words."""
    count = int(seconds * rate)
    samples = b"".join(struct.pack("<h", wave(place / rate, seconds)) for place in range(count))
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2,
                       16, b"data", len(samples))  # fmt: skip
    return head + samples


def wave(at: float, seconds: float) -> int:
    """One sample of a low voice that rises, falls and ends."""
    loud = math.sin(math.pi * at / seconds) * (0.6 + 0.4 * math.sin(2 * math.pi * 3.1 * at))
    return int(6000 * loud * math.sin(2 * math.pi * (150 * at + 6 * math.sin(2 * math.pi * 0.9 * at))))
