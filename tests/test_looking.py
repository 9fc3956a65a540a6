"""What customers' files look like is found out by a process of its own, which can be lost (S27)."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from app.looking import SIDE, Seen, look


def picture(kind: str, size: tuple[int, int], **more: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (186, 38, 52)).save(buffer, kind, **more)
    return buffer.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, rows: bytes) -> bytes:
    """A PNG that says it is so large, whatever it holds."""
    size = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def voice(seconds: float) -> bytes:
    """An Ogg stream of Opus as phones make them: a head, tags, and a last page that says where the sound ends."""

    def page(number: int, granule: int, flags: int, body: bytes) -> bytes:
        laces = bytes([255] * (len(body) // 255) + [len(body) % 255])
        return struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, 1, number, 0, len(laces)) + laces + body

    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 0) + struct.pack("<I", 0)
    return page(0, 0, 2, head) + page(1, 0, 0, tags) + page(2, int(seconds * 48000) + 312, 4, b"\xf8\xff\xfe")


async def seen(folder: Path, data: bytes) -> tuple[Seen, Path]:
    source, small = folder / "source", folder / "small"
    source.write_bytes(data)
    return await look(source, folder / "part", small), small


async def test_a_picture_gets_a_thumbnail_that_does_not_tell_where_it_was_taken(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "at home"  # turned by a quarter; a description
    found, small = await seen(tmp_path, picture("JPEG", (2000, 1000), exif=exif))
    assert found == Seen(1000, 2000)
    with Image.open(small) as image:
        assert (image.format, image.size) == ("WEBP", (SIDE // 2, SIDE)) and not image.getexif()
    assert not (tmp_path / "part").exists()


async def test_a_voice_note_tells_its_duration(tmp_path: Path) -> None:
    found, small = await seen(tmp_path, voice(7.0))
    assert 6900 < found.duration < 7100 and not small.exists()


@pytest.mark.parametrize(
    "make",  # when it is its turn: every process of the suite imports this
    [
        lambda: png(60_000, 60_000, b""),
        lambda: png(4_900, 4_900, zlib.compress(bytes(4_900 * (4 * 4_900 + 1)), 9)),
        lambda: picture("JPEG", (800, 600))[:900],
        lambda: b"\xff\xd8\xff" + bytes(1000),
        lambda: b"%PDF-1.7",
        bytes,
    ],
    ids=["60,000 pixels wide", "96 MB in 94 kB", "cut short", "no picture", "document", "empty"],
)
async def test_S27_what_is_made_to_burst_or_broken_stays_without(tmp_path: Path, make: Callable[[], bytes]) -> None:
    _found, small = await seen(tmp_path, make())
    assert not (tmp_path / "part").exists()
    assert not small.exists() or small.stat().st_size < 2_000_000
