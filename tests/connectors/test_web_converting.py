"""Recordings and videos in a form that phones play. In the place of ffmpeg, which is no part of the project, stands a
program that writes down what it was asked."""

from pathlib import Path

import pytest

from app.connectors.whatsapp_web.converting import playable
from app.content import Audio, Document, Image, Media, Video

pytestmark = pytest.mark.anyio
SPEECH, FILM = Audio(url="x", voice=True), Video(url="x", caption="Look")


@pytest.fixture
def ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its words; it fails on a file that holds "broken"."""
    words, program = tmp_path / "words", tmp_path / "ffmpeg"
    program.write_text(
        '#!/bin/sh\necho "$@" >> ' + str(words) + "\nfor last; do :; done\n"
        'while [ "$1" != -i ]; do shift; done\nread -r said < "$2"\n'
        '[ "$said" = broken ] && { echo no such codec >&2; exit 1; }\nprintf made > "$last"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return words


async def test_recording_becomes_a_voice_note_and_film_a_video(ffmpeg: Path) -> None:
    media, data = await playable(SPEECH, b"mp3\n", "audio/mpeg")
    assert (media, data) == (Audio(url="x", voice=True, mime="audio/ogg"), b"made")
    media, data = await playable(FILM, b"film\n", "video/quicktime")
    assert (media, data) == (Video(url="x", caption="Look", mime="video/mp4"), b"made")
    speech, film = ffmpeg.read_text().splitlines()
    assert "-protocol_whitelist file -i /" in speech and "libopus" in speech and "libx264" in film


@pytest.mark.parametrize("data", [b"broken\n", b"whole\n"])
async def test_what_cannot_be_converted_goes_in_another_form(
    ffmpeg: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    if data == b"whole\n":
        monkeypatch.setenv("PATH", "/nowhere")
    assert await playable(SPEECH, data, "audio/mpeg") == (Audio(url="x", mime="audio/mpeg"), data)
    document = Document(mime="video/quicktime", caption="Look", filename="video.quicktime")
    assert await playable(FILM, data, "video/quicktime") == (document, data)


@pytest.mark.parametrize(
    ("media", "mime"),
    [(SPEECH, "audio/ogg"), (Audio(url="x"), "audio/mpeg"), (FILM, "video/mp4"), (Image(url="x"), "image/png")],
)
async def test_what_phones_play_goes_as_it_is(ffmpeg: Path, media: Media, mime: str) -> None:
    assert await playable(media, b"bytes", mime) == (media, b"bytes")
    assert not ffmpeg.exists()
