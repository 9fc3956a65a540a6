"""The files in a demo's chats, made here: a picture of a cake, and a hum."""

import math
import struct
import zlib
from functools import cache


@cache
def cake() -> bytes:
    """A picture of a cake, PNG."""
    width, height = 480, 330
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            rows += bytes(colour(x / width, y / height))
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", size), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def colour(x: float, y: float) -> tuple[int, int, int]:
    def inside(cx: float, cy: float, rx: float, ry: float) -> bool:
        return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1

    if any(inside(0.28 + 0.11 * n, 0.33 - 0.03 * (n % 2), 0.035, 0.05) for n in range(5)):
        return 186, 38, 52
    if inside(0.5, 0.36, 0.3, 0.1) or any(inside(0.24 + 0.104 * n, 0.44, 0.05, 0.06) for n in range(6)):
        return 250, 240, 226
    if (0.2 < x < 0.8 and 0.36 < y < 0.72) or inside(0.5, 0.72, 0.3, 0.08):
        return (112, 66, 40) if int(y * 14) % 3 else (140, 88, 56)
    if inside(0.5, 0.78, 0.4, 0.1):
        return 232, 228, 222
    return (214, 160, 112) if y > 0.66 else (242, 216, 184)


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
