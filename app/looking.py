"""Looks at files that customers sent: a thumbnail of a picture or video, how large it is, how long a recording.

What decodes them is a process of its own (this program, called with `look`) that has little memory and a few seconds,
so that a file made to burst takes nothing with it (S27). A video needs `ffmpeg` for that, which starts in the same
limits; where it is not installed, the video has no thumbnail.
"""

import asyncio
import io
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from app.storage import settle
from app.system import outside_environment

WORD: Final = "look"  # by which `__main__` knows what it is called for
MEMORY: Final = 256 * 1024 * 1024
MEMORY_VIDEO: Final = 768 * 1024 * 1024  # what ffmpeg's libraries take by themselves is 300 MB of it
SECONDS: Final = 5
WRITTEN: Final = 2 * 1024 * 1024
PIXELS: Final = 25_000_000
SIDE: Final = 560  # of a thumbnail, at most; as wide as a bubble on a fine screen
PICTURES: Final = ("JPEG", "PNG", "WEBP", "GIF")
CODECS: Final = "h264,hevc,mpeg4,h263"  # of videos that phones send; ffmpeg opens nothing else
FRAMES: Final = 25  # of which the most telling one is taken: the first is often black
FALLBACK: Final = "application/octet-stream"


class Seen(msgspec.Struct, frozen=True):
    """What a look told: pixels, and ms of a recording; 0 for what cannot be told."""

    width: int = 0
    height: int = 0
    duration: int = 0


async def look(path: Path, part: Path, small: Path) -> Seen:
    """Look at a file and leave its thumbnail at `small`, if it is a picture or video that can be shown so. `part` is
    where it is written until it is whole."""
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "app"]
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    child = await asyncio.create_subprocess_exec(
        *program, WORD, str(path), str(part), env=bare, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(2 * SECONDS):
            told, _ = await child.communicate()
        if part.is_file():
            await asyncio.to_thread(settle, part, small)
        return msgspec.json.decode(told, type=Seen)
    except (TimeoutError, msgspec.DecodeError):
        return Seen()
    finally:
        part.unlink(missing_ok=True)
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def sniff(head: bytes) -> str:
    """What the first 16 bytes say; anything not known for sure is a stream of bytes."""
    for start, kind in (
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"OggS", "audio/ogg"),
        (b"ID3", "audio/mpeg"),
        (b"#!AMR", "audio/amr"),
        (b"%PDF-", "application/pdf"),
    ):
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav"
    if head[4:8] == b"ftyp":
        return {b"3gp": "video/3gpp", b"M4A": "audio/mp4"}.get(head[8:11], "video/mp4")
    return _mpeg_audio(head)


def _mpeg_audio(head: bytes) -> str:
    """Audio without a container: a frame begins with eleven or twelve set bits. Of MPEG, layer III alone is meant."""
    if len(head) < 3 or head[0] != 0xFF:
        return FALLBACK
    if head[1] & 0xF6 == 0xF0:
        return "audio/aac"
    is_frame = head[1] & 0xE0 == 0xE0 and head[1] & 0x06 == 0x02 and head[2] & 0xF0 != 0xF0 and head[2] & 0x0C != 0x0C
    return "audio/mpeg" if is_frame else FALLBACK


# ---- the process of its own -----------------------------------------------------------------------------------------


def main(source: Path, part: Path) -> int:
    """Print what is seen as JSON. Whatever goes wrong here goes wrong here only."""
    with source.open("rb") as file:
        kind = sniff(file.read(16))
    confine(MEMORY_VIDEO if kind.startswith("video/") else MEMORY)
    if kind.startswith("image/"):
        seen = picture(source, part)
    else:
        seen = recording(source)
        if kind.startswith("video/") and (still := frame(source)):
            seen = msgspec.structs.replace(picture(io.BytesIO(still), part), duration=seen.duration)
    sys.stdout.write(msgspec.json.encode(seen).decode())
    return 0


def confine(memory: int) -> None:
    if sys.platform != "win32":
        import resource

        limits = (
            (resource.RLIMIT_AS, memory),
            (resource.RLIMIT_CPU, SECONDS),
            (resource.RLIMIT_FSIZE, WRITTEN),
            (resource.RLIMIT_CORE, 0),
        )
        for what, most in limits:
            with suppress(ValueError, OSError):  # not every system has each
                resource.setrlimit(what, (most, most))


def picture(source: Path | io.BytesIO, part: Path) -> Seen:
    """The size is read before anything is decoded. What was taken with the picture, such as the place, stays out."""
    from PIL import Image, ImageOps

    with Image.open(source, formats=PICTURES) as image:
        width, height = image.size
        if image.getexif().get(0x0112, 1) in (5, 6, 7, 8):  # turned by a quarter
            width, height = height, width
        if width * height <= PIXELS:
            image.draft("RGB", (2 * SIDE, 2 * SIDE))
            turned = ImageOps.exif_transpose(image)
            turned.thumbnail((SIDE, SIDE))
            turned.save(part, "WEBP", quality=78, exif=b"", icc_profile=None)
    return Seen(width, height)


def frame(source: Path) -> bytes:
    """A still of a video as JPEG; empty where there is no ffmpeg, or it cannot. It reads this one file, and only as
    MP4 or 3GP."""
    program = shutil.which("ffmpeg")
    if program is None:
        return b""
    made = subprocess.run(
        [
            program, "-nostdin", "-v", "error",
            "-protocol_whitelist", "file", "-codec_whitelist", CODECS, "-threads", "1", "-f", "mov", "-i", str(source),
            "-an", "-sn", "-dn", "-frames:v", "1", "-vf", f"thumbnail={FRAMES}",
            "-threads", "1", "-c:v", "mjpeg", "-q:v", "3", "-f", "image2pipe", "-",
        ],
        env=outside_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        timeout=SECONDS, check=False,
    )  # fmt: skip
    return made.stdout


def recording(source: Path) -> Seen:
    from tinytag import TinyTag

    found = TinyTag.get(source, tags=False).duration or 0
    return Seen(duration=int(found * 1000) if 0 < found < 86_400 else 0)
