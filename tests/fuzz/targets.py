"""What reads what strangers wrote, each as a function that takes any bytes. One that raises anything but what it says
it raises has a defect."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from app import sheets
from app.bot.document import DocumentError, compile_version
from app.bot.phones import written
from app.bot.text import TextError, compile_text
from app.bot.values import Room
from app.connectors.telegram.update import parse_update
from app.connectors.whatsapp_cloud.notification import parse_notification
from app.errors import Invalid
from app.markup import plain, render
from app.template import filled, read, sending, slots
from tests.connectors.bot_api import ME
from tests.samples import bodies

BOUNDARY: Final = "bo"


def cloud(data: bytes) -> None:
    try:
        parse_notification(data)
    except ValueError:
        pass  # not a JSON object


def telegram(data: bytes) -> None:
    try:
        parse_update(data, ME)
    except ValueError:
        pass


def markup(data: bytes) -> None:
    text = data.decode(errors="surrogateescape")
    assert "<script" not in str(render(text))
    plain(text)


def document(data: bytes) -> None:
    try:
        compile_version(data.decode(errors="replace"))
    except DocumentError:
        pass


def language(data: bytes) -> None:
    text = data.decode(errors="replace")
    try:
        made = compile_text(text)
    except TextError:
        return
    made.render(Room({"name": "Ana", "n": 3, "list": [1, "b"]}))


def phone(data: bytes) -> None:
    text = data.decode(errors="replace")
    written(text)
    written(text, "DE")
    sheets.column(text)


def sheet(data: bytes) -> None:
    try:
        sheets.read(sheets.decode(b"phone,name,tags\n" + data))
    except Invalid:
        pass


def multipart(data: bytes) -> None:
    async def pieces() -> Any:
        yield data
        yield b""

    async def parsed() -> None:
        headers = Headers({"content-type": f"multipart/form-data; boundary={BOUNDARY}"})
        form = await MultiPartParser(headers, pieces(), max_files=10, max_fields=100).parse()
        await form.close()

    try:
        asyncio.run(parsed())
    except MultiPartException:
        pass


def template(data: bytes) -> None:
    try:
        given = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return
    parts = read(given if isinstance(given, list) else [given])
    values = {slot.key: "1" for slot in slots(parts)}
    filled(parts, values)
    sending(parts, values)


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    each.__name__: each for each in (cloud, telegram, markup, document, language, phone, sheet, multipart, template)
}


def seeds(name: str) -> list[Path]:
    """Samples of the networks to begin with."""
    kind = {"cloud": "cloud", "telegram": "telegram", "template": "send"}.get(name)
    return bodies(kind) if kind else []
