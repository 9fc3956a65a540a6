"""With the machine's own ffmpeg, as the browser is the machine's own. Other tests put a program in its place."""

import asyncio
import shutil
import subprocess
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PIL import Image

from app.connectors.whatsapp_web.converting import playable
from app.content import Audio, Video
from app.looking import SIDE, look, sniff

T = TypeVar("T")
PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=960x540:d=2:r=15")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:duration=3")


def run(work: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: the browser's loop has this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def made(path: Path, *options: str) -> bytes:
    program = shutil.which("ffmpeg")
    assert program is not None, "apt-get install ffmpeg"
    subprocess.run([program, "-nostdin", "-v", "error", "-y", *options, str(path)], check=True, timeout=60)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "codec"),
    [("h264.mp4", "libx264"), ("hevc.mp4", "libx265"), ("mpeg4.3gp", "mpeg4"), ("h264.mov", "libx264")],
)
def test_a_video_gets_a_still(tmp_path: Path, name: str, codec: str) -> None:
    made(tmp_path / name, *PICTURE, "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-c:v", codec)
    seen = run(look(tmp_path / name, tmp_path / "part", tmp_path / "small"))
    assert (seen.width, seen.height) == (960, 540) and 1900 < seen.duration < 2100
    with Image.open(tmp_path / "small") as image:
        assert (image.format, image.size) == ("WEBP", (SIDE, 315))


def test_a_playlist_that_names_other_files_is_not_followed(tmp_path: Path) -> None:
    """S27: it is read as MP4 only, whatever it says inside."""
    (tmp_path / "video").write_bytes(b"\0\0\0\x18ftypmp42\n#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")
    assert run(look(tmp_path / "video", tmp_path / "part", tmp_path / "small")).width == 0
    assert not (tmp_path / "small").exists()


def test_recording_and_film_become_what_phones_play(tmp_path: Path) -> None:
    speech = made(tmp_path / "a.mp3", *SOUND)
    media, data = run(playable(Audio(url="x", voice=True), speech, "audio/mpeg"))
    assert media == Audio(url="x", voice=True, mime="audio/ogg") and sniff(data[:16]) == "audio/ogg"
    assert b"OpusHead" in data
    film = made(tmp_path / "a.avi", *PICTURE, *SOUND, "-t", "1")
    media, data = run(playable(Video(url="x"), film, "video/avi"))
    assert media == Video(url="x", mime="video/mp4") and sniff(data[:16]) == "video/mp4" and b"avc1" in data
