"""What a bot may ask. Every function gets the world and the call's values; what it returns is the result (contract §3,
§4)."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.request import Request as Asked
from urllib.request import urlopen

import msgspec

from .errors import ApiError, bad
from .shape import MB, caption_of, decimal, markup_of, nested, number, text_of
from .world import Chat, File, World

Values = dict[str, Any]
# Method → parameter, most bytes by address, most bytes sent along.
MEDIA = {
    "sendphoto": ("photo", 5 * MB, 10 * MB),
    "sendvideo": ("video", 20 * MB, 50 * MB),
    "sendanimation": ("animation", 20 * MB, 50 * MB),
    "sendaudio": ("audio", 20 * MB, 50 * MB),
    "sendvoice": ("voice", 20 * MB, 50 * MB),
    "senddocument": ("document", 20 * MB, 50 * MB),
    "sendsticker": ("sticker", 20 * MB, 50 * MB),
    "sendvideonote": ("video_note", 20 * MB, 50 * MB),
}


class Upload(msgspec.Struct):
    """A part of a multipart body that is a file."""

    name: str
    mime: str
    data: bytes


class Done(msgspec.Struct):
    """A call that people see something of: it is written down as the truth."""

    chat: int
    message: int
    text: str
    result: Any


async def answered(world: World, method: str, values: Values) -> Any:
    """The result, or a `Done`. Raises `ApiError`."""
    if method in QUIET:
        return QUIET[method](world, values)
    if method in MEDIA:
        return await _media(world, method, values)
    if method in SENDS:
        return SENDS[method](world, values)
    raise ApiError(404, "method not found")


# ---- what nobody sees ------------------------------------------------------------------------------------------------


def _me(world: World, values: Values) -> Any:
    more = {"can_join_groups": True, "can_read_all_group_messages": world.settings.reads_groups}
    return world.me() | more | {"supports_inline_queries": False}


def _file(world: World, values: Values) -> Any:
    file_id = str(values.get("file_id", ""))
    file = world.files.get(file_id)
    if file is None:
        raise bad("wrong file_id or the file is temporarily unavailable")
    if file.size > 20 * MB:
        raise bad("file is too big")
    file.path = file.path or f"files/file_{len(world.files)}_{file_id[-6:]}"
    file.expires = world.now() + world.settings.file_lives
    unique = hashlib.sha256(file.data).hexdigest()[:16]
    return {"file_id": file_id, "file_unique_id": unique, "file_size": file.size, "file_path": file.path}


def _callback(world: World, values: Values) -> Any:
    query = str(values.get("callback_query_id", ""))
    if len(str(values.get("text", ""))) > 200:
        raise bad("MESSAGE_TOO_LONG")
    if world.now() > world.callbacks.get(query, 0):
        raise bad("query is too old and response timeout expired or query ID is invalid")
    world.answered[query] = values
    return True


def _action(world: World, values: Values) -> Any:
    chat = world.may_write(number(values, "chat_id"))
    world.actions.append((chat.id, str(values.get("action", ""))))
    return True


QUIET: dict[str, Callable[[World, Values], Any]] = {
    "getme": _me,
    "getfile": _file,
    "answercallbackquery": _callback,
    "sendchataction": _action,
    "setwebhook": lambda world, values: world.hook.set(values),
    "deletewebhook": lambda world, values: world.hook.delete(values),
    "getwebhookinfo": lambda world, values: world.hook.info(),
}


# ---- sends -----------------------------------------------------------------------------------------------------------


def _made(world: World, values: Values, content: Values, text: str = "") -> Done:
    chat = world.may_write(number(values, "chat_id"))
    markup, answers = markup_of(values), _quoted(world, chat, values)
    world.pace(chat)
    inline = {"reply_markup": markup} if markup and "inline_keyboard" in markup else {}
    message = world.message(chat, world.me(), answers | content | inline)
    return Done(chat.id, message["message_id"], text, message)


def _quoted(world: World, chat: Chat, values: Values) -> Values:
    asked = nested(values, "reply_parameters")
    if asked is None:
        return {}
    found = world.messages.get((chat.id, number(asked, "message_id")))
    if found is None and not asked.get("allow_sending_without_reply"):
        raise bad("message to be replied not found")
    return {"reply_to_message": {k: v for k, v in found.items() if k != "reply_to_message"}} if found else {}


def _text(world: World, values: Values) -> Done:
    text, entities = text_of(values)
    return _made(world, values, {"text": text} | ({"entities": entities} if entities else {}), text)


async def _media(world: World, method: str, values: Values) -> Done:
    field, by_address, along = MEDIA[method]
    given, mime = values.get(field), ""
    if isinstance(given, Upload):
        if len(given.data) > along:
            raise ApiError(413)
        file_id, mime = put(world, given.data, given.mime), given.mime
    elif str(given or "").startswith(("http://", "https://")):
        file_id, mime = await _fetched(world, str(given), by_address)
    elif given in world.files:
        file_id, mime = str(given), world.files[str(given)].mime
    else:
        raise bad("wrong file identifier/HTTP URL specified" if given else f"there is no {field} in the request")
    size = world.files[file_id].size
    shown: Values = {"file_id": file_id, "file_unique_id": file_id[-12:], "file_size": size}
    content: Values = {field: shown | ({"mime_type": mime} if mime else {})}
    if field == "photo":
        content = {"photo": [shown | {"width": 90, "height": 90}, shown | {"width": 800, "height": 800}]}
    words = caption_of(values)
    return _made(world, values, content | words, str(words.get("caption", "")))


async def _fetched(world: World, url: str, most: int) -> tuple[str, str]:
    if not world.settings.strict_urls:
        return put(world, url.encode(), ""), ""
    try:
        data, mime = await asyncio.to_thread(_get, url, most)
    except OSError:
        raise bad("failed to get HTTP URL content") from None
    if len(data) > most:
        raise bad("wrong type of the web page content")
    return put(world, data, mime), mime


def _get(url: str, most: int) -> tuple[bytes, str]:
    with urlopen(Asked(url, headers={"User-Agent": "TelegramBot (like TwitterBot)"}), timeout=5) as reply:
        return reply.read(most + 1), reply.headers.get_content_type()


def put(world: World, data: bytes, mime: str, size: int = 0) -> str:
    """A file that Telegram keeps. `size` may be told larger than it is, to meet limits without the bytes."""
    file_id = f"AgACAgQAAx{len(world.files):06d}{hashlib.sha256(data).hexdigest()[:12]}"
    world.files[file_id] = File(data, mime, size or len(data))
    return file_id


def _location(world: World, values: Values) -> Done:
    return _made(world, values, {"location": _point(values)})


def _point(values: Values) -> Values:
    latitude, longitude = decimal(values, "latitude"), decimal(values, "longitude")
    if not -90 <= latitude <= 90 or not -180 <= longitude <= 180:
        raise bad("invalid geolocation")
    return {"latitude": latitude, "longitude": longitude}


def _venue(world: World, values: Values) -> Done:
    point, title, address = _point(values), str(values.get("title", "")), str(values.get("address", ""))
    if not title or not address:
        raise bad("title and address must be non-empty")
    return _made(world, values, {"location": point, "venue": {"location": point, "title": title, "address": address}})


def _contact(world: World, values: Values) -> Done:
    phone, name = str(values.get("phone_number", "")), str(values.get("first_name", ""))
    if not phone or not name:
        raise bad("phone_number and first_name must be non-empty")
    if len(str(values.get("vcard", "")).encode()) > 2048:
        raise bad("vcard is too long")
    kept = {key: values[key] for key in ("phone_number", "first_name", "last_name", "vcard") if key in values}
    return _made(world, values, {"contact": kept}, name)


def _reaction(world: World, values: Values) -> Done:
    chat, wanted = world.may_write(number(values, "chat_id")), nested(values, "reaction") or []
    if (chat.id, number(values, "message_id")) not in world.messages:
        raise bad("message to react not found")
    if len(wanted) > 1:
        raise bad("REACTIONS_TOO_MANY")
    if any(item.get("type") != "emoji" or not item.get("emoji") for item in wanted):
        raise bad("REACTION_INVALID")
    return Done(chat.id, 0, "".join(str(item["emoji"]) for item in wanted), True)


def _edited(world: World, values: Values) -> Done:
    chat = world.may_write(number(values, "chat_id"))
    message = world.messages.get((chat.id, number(values, "message_id")))
    text, entities = text_of(values)
    if message is None or message["from"]["id"] != world.id:
        raise bad("message to edit not found")
    if message.get("text") == text and message.get("reply_markup") == markup_of(values):
        raise bad("message is not modified: specified new message content and reply markup are exactly the same")
    message |= {"text": text, "entities": entities, "edit_date": int(world.now())}
    return Done(chat.id, message["message_id"], text, message)


def _deleted(world: World, values: Values) -> Done:
    chat, id = world.may_write(number(values, "chat_id")), number(values, "message_id")
    message = world.messages.get((chat.id, id))
    if message is None:
        raise bad("message to delete not found")
    if world.now() - message["date"] > 48 * 3600:
        raise bad("message can't be deleted")
    del world.messages[chat.id, id]
    return Done(chat.id, id, "", True)


SENDS: dict[str, Callable[[World, Values], Done]] = {
    "sendmessage": _text,
    "sendlocation": _location,
    "sendvenue": _venue,
    "sendcontact": _contact,
    "setmessagereaction": _reaction,
    "editmessagetext": _edited,
    "deletemessage": _deleted,
}
