"""Files out and in. They are read by Parley, never by the library, which would open any path and fetch any address."""

from typing import Any, Final

from app.connectors.base import Problem, SendFailed
from app.connectors.whatsapp_web.carriers import Stuck
from app.connectors.whatsapp_web.contents import file_message
from app.connectors.whatsapp_web.converting import playable
from app.connectors.whatsapp_web.native import Client
from app.content import Audio, Document, Image, Media, Sticker, Video

# The library's number of a kind of file, and the field and type of its message.
KINDS: Final[dict[type, tuple[int, str, str, str]]] = {
    Image: (0, "imageMessage", "ImageMessage", "image/jpeg"),
    Sticker: (0, "stickerMessage", "StickerMessage", "image/webp"),
    Video: (1, "videoMessage", "VideoMessage", "video/mp4"),
    Audio: (2, "audioMessage", "AudioMessage", "audio/ogg"),
    Document: (3, "documentMessage", "DocumentMessage", "application/octet-stream"),
}
OPUS: Final = "audio/ogg; codecs=opus"
STARTS: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG", "image/png"),
    (b"%PDF", "application/pdf"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
)
BIGGEST: Final = 100 * 1024 * 1024


async def message_of(e2e: Any, client: Client, media: Media, data: bytes) -> Any:
    """Upload a file, as phones can play it, and return its message. Raises `SendFailed` and `Stuck`; nothing was sent
    then."""
    media, data = await playable(media, data, media.mime or kind_of(data) or KINDS[type(media)][3])
    number, field, kind, mime = KINDS[type(media)]
    answer = await client.upload(data, number)
    if answer.Error:
        raise SendFailed(Problem("web.upload", detail=answer.Error), certain=True, temporary=True)
    put = answer.UploadResponse
    part = getattr(e2e, kind)(
        URL=put.url, directPath=put.DirectPath, mediaKey=put.MediaKey, fileEncSHA256=put.FileEncSHA256,
        fileSHA256=put.FileSHA256, fileLength=put.FileLength, mimetype=media.mime or kind_of(data) or mime,
    )  # fmt: skip
    if isinstance(media, Image | Video | Document) and media.caption:
        part.caption = media.caption
    if isinstance(media, Document):
        part.fileName = part.title = media.filename or "file"
    if isinstance(media, Audio) and media.voice:
        part.PTT, part.mimetype = True, OPUS if part.mimetype == "audio/ogg" else part.mimetype
    return e2e.Message(**{field: part})


def kind_of(data: bytes) -> str:
    """The MIME type by the first bytes, of what phones show; '' if it is something else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        return "audio/mp4" if data[8:11] == b"M4A" else "video/mp4"
    return next((kind for start, kind in STARTS if data.startswith(start)), "")


async def fetch(client: Client, e2e: Any, provider_id: str) -> bytes:
    """The bytes of a file that somebody sent. Raises `SendFailed`."""
    try:
        message = e2e.Message.FromString(file_message(provider_id))
        size = max(part.fileLength for _, part in message.ListFields())
    except Exception as error:
        # What the decoder raises on foreign bytes is a class of its own without a common base.
        raise SendFailed(Problem("web.file_gone"), certain=True, temporary=False) from error
    if size > BIGGEST:
        raise SendFailed(Problem("web.file_big"), certain=True, temporary=False)
    try:
        answer = await client.download(message.SerializeToString())
    except Stuck as stuck:
        raise SendFailed(Problem("send.no_answer"), certain=True, temporary=True) from stuck
    if answer.Error:
        gone = any(code in answer.Error for code in ("403", "404", "410"))
        raise SendFailed(
            Problem("web.file_gone" if gone else "web.download", detail=answer.Error), certain=True, temporary=not gone
        )
    return bytes(answer.Binary)
