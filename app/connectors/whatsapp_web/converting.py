"""Files in a form that phones play: voice notes are Opus in Ogg, videos are H.264 in MP4.

`ffmpeg` does it where it is installed. Without it a recording goes as a file to play and a video as a document: nothing
is refused. It reads and writes files of ours only, and never an address.
"""

import asyncio
import contextlib
import logging
import shutil
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from app.content import Audio, Document, Media, Video
from app.system import outside_environment

LIMIT: Final = 60.0  # seconds
VOICE: Final = ("-vn", "-ac", "1", "-ar", "48000", "-c:a", "libopus", "-b:a", "32k", "-f", "ogg")
MOVIE: Final = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "veryfast", "-c:a", "aac", "-movflags",
                "+faststart", "-f", "mp4")  # fmt: skip

log = logging.getLogger(__name__)


async def playable(media: Media, data: bytes, mime: str) -> tuple[Media, bytes]:
    """The content and bytes that go out. `mime`: what the bytes are."""
    if isinstance(media, Audio) and media.voice and mime != "audio/ogg":
        made = await _convert(data, VOICE)
        changed = msgspec.structs.replace(media, mime="audio/ogg" if made else mime, voice=bool(made))
        return changed, made or data
    if isinstance(media, Video) and mime not in ("video/mp4", "video/3gpp"):
        made = await _convert(data, MOVIE)
        if made:
            return msgspec.structs.replace(media, mime="video/mp4"), made
        return Document(mime=mime, caption=media.caption, filename=f"video.{mime.rpartition('/')[2] or 'bin'}"), data
    return media, data


async def _convert(data: bytes, options: tuple[str, ...]) -> bytes:
    """Empty where there is no ffmpeg, or it cannot."""
    program = shutil.which("ffmpeg")
    if program is None:
        return b""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in"), Path(folder, "out")
        await asyncio.to_thread(source.write_bytes, data)
        process = await asyncio.create_subprocess_exec(
            program, "-nostdin", "-v", "error", "-protocol_whitelist", "file", "-i", str(source), *options,
            str(target), env=outside_environment(), stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            _, said = await asyncio.wait_for(process.communicate(), LIMIT)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            return b""
        if process.returncode or not target.exists():
            log.info("a file could not be converted: %s", said.decode(errors="replace")[:300])
            return b""
        return await asyncio.to_thread(target.read_bytes)
