"""Files: upload with its limits, ids, short-lived addresses, download, deletion (contract 10)."""

import itertools
import re
import secrets
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

import msgspec

from .config import Number
from .errors import GraphError, not_found

DAY = 86_400_000
MEGA, KILO = 1024 * 1024, 1024
INBOUND_MOST = 100 * MEGA

OFFICE = "application/vnd.openxmlformats-officedocument."
# kind: (MIME types, most bytes)
KINDS: dict[str, tuple[set[str], int]] = {
    "audio": ({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}, 16 * MEGA),
    "document": (
        {
            "text/plain",
            "application/pdf",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            OFFICE + "wordprocessingml.document",
            OFFICE + "spreadsheetml.sheet",
            OFFICE + "presentationml.presentation",
        },
        100 * MEGA,
    ),
    "image": ({"image/jpeg", "image/png"}, 5 * MEGA),
    "sticker": ({"image/webp"}, 100 * KILO),
    "video": ({"video/mp4", "video/3gpp"}, 16 * MEGA),
}
ANIMATED_STICKER = 500 * KILO
DISPOSITION = re.compile(rb'([\w*]+)="((?:[^"\\]|\\.)*)"')


class Media(msgspec.Struct):
    """A stored file. `until` in ms: 30 days after an upload, 7 days after a webhook."""

    id: str
    number: str
    mime: str
    data: bytes
    until: int
    sha256: str = ""
    urls: dict[str, int] = {}


class Shelf:
    def __init__(self) -> None:
        self.files: dict[str, Media] = {}
        self.ids = itertools.count(1_479_537_139_650_973)

    def put(self, number: Number, mime: str, data: bytes, now: int, days: int) -> Media:
        digest = sha256(data).hexdigest()
        media = Media(str(next(self.ids)), number.phone_number_id, mime, data, now + days * DAY, digest, {})
        self.files[media.id] = media
        return media

    def find(self, media_id: str, now: int) -> Media | None:
        media = self.files.get(media_id)
        return media if media and now < media.until else None

    def address(self, media: Media, base: str, now: int, seconds: float) -> str:
        """A new address, good for so long."""
        key = secrets.token_urlsafe(12)
        media.urls = {**media.urls, key: now + int(seconds * 1000)}
        return f"{base}/whatsapp_business/attachments/?mid={media.id}&ext={media.urls[key] // 1000}&hash={key}"

    def at(self, query: dict[str, str], now: int) -> Media | None:
        media = self.find(query.get("mid", ""), now)
        return media if media and now < media.urls.get(query.get("hash", ""), 0) else None


def kind_of(mime: str) -> str | None:
    plain = mime.split(";")[0].strip().lower()
    return next((kind for kind, (mimes, _) in KINDS.items() if plain in mimes), None)


def check_upload(mime: str, data: bytes) -> None:
    """Raises 131053 for a kind or a size that is not taken."""
    kind = kind_of(mime)
    if kind is None:
        raise GraphError(131053, f"unsupported media type {mime}")
    most = ANIMATED_STICKER if kind == "sticker" and b"ANIM" in data[:64] else KINDS[kind][1]
    if not data or len(data) > most:
        raise GraphError(131053, f"{kind} must have 1 to {most} bytes, got {len(data)}")


def upload(shelf: Shelf, number: Number, content_type: bytes, body: bytes, now: int) -> dict[str, str]:
    fields, file = form(content_type, body)
    if fields.get("messaging_product") != "whatsapp":
        raise GraphError(100, message="(#100) The parameter messaging_product is required.")
    if file is None:
        raise GraphError(100, message="(#100) The parameter file is required.")
    mime = file[0] or fields.get("type", "")
    check_upload(mime, file[1])
    return {"id": shelf.put(number, mime, file[1], now, 30).id}


def form(content_type: bytes, body: bytes) -> tuple[dict[str, str], tuple[str, bytes] | None]:
    """Fields and the part named `file` (type, bytes) of a multipart body. Raises 100 if it is none."""
    boundary = re.search(rb'boundary="?([^";]+)', content_type)
    if boundary is None:
        plain = parse_qs(body.decode("latin-1")) if len(body) < 65_536 else {}
        return {name: values[0] for name, values in plain.items()}, None
    fields: dict[str, str] = {}
    file = None
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary[1])[1:]:
        head, _, data = part.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        named = next((line for line in lines if line.lower().startswith(b"content-disposition:")), b"")
        found = dict(DISPOSITION.findall(named))
        if found.get(b"name") == b"file":
            kind = next((line for line in lines if line.lower().startswith(b"content-type:")), b":")
            file = (kind.partition(b":")[2].strip().decode("latin-1"), data)
        elif b"name" in found:
            fields[found[b"name"].decode()] = data.decode(errors="replace")
    return fields, file


def described(shelf: Shelf, media: Media, base: str, now: int, seconds: float) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "url": shelf.address(media, base, now, seconds),
        "mime_type": media.mime,
        "sha256": media.sha256,
        "file_size": len(media.data),
        "id": media.id,
    }


def owned(shelf: Shelf, media_id: str, phone_number_id: str | None, now: int, method: str) -> Media:
    """The file, if it lives and, where a number is named, belongs to it. Raises 100/33."""
    media = shelf.find(media_id, now)
    if media is None or (phone_number_id is not None and media.number != phone_number_id):
        raise not_found(media_id, method)
    return media
