"""What people do: write, send files, press buttons, edit, react, block. Each makes the update that Telegram makes."""

import base64
from typing import Any

from .entities import noticed
from .methods import put
from .world import Chat, Message, World

FILES = ("photo", "video", "audio", "voice", "document", "sticker", "video_note", "animation")
_MIMES = {"video": "video/mp4", "audio": "audio/mpeg", "voice": "audio/ogg", "document": "application/pdf",
          "animation": "video/mp4"}  # fmt: skip


def user(world: World, id: int, names: dict[str, str] | None = None) -> dict[str, Any]:
    chat = world.chat(id, **(names or {}))
    return {"id": id, "is_bot": False, "language_code": "en", **chat.names}


def receive(world: World, given: dict[str, Any]) -> dict[str, int]:
    """A person (`from`: id, `names`) sends to the bot, or to a group (`chat`). One of `text`, a kind of file with
    {data (base64), mime, name, size}, or any other field of a message in `fields`; `caption`, `reply_to` (message id).
    """
    who = int(given.get("from", 7001))
    sender = user(world, who, given.get("names"))
    chat = world.chat(int(given.get("chat", who)))
    chat.started = True
    if chat.id > 0:
        chat.blocked = False
    message = world.message(chat, sender, _content(world, given) | _reply(world, chat, given))
    private = world.settings.strict_groups and not world.settings.reads_groups
    if chat.id < 0 and private and not _meant(world, message):
        return {"message_id": message["message_id"], "update_id": 0}
    return {"message_id": message["message_id"], "update_id": world.tell("message", message)}


def _content(world: World, given: dict[str, Any]) -> dict[str, Any]:
    if "text" in given:
        text = str(given["text"])
        entities = noticed(text)
        return {"text": text} | ({"entities": entities} if entities else {})
    content: dict[str, Any] = dict(given.get("fields", {}))
    for kind in FILES:
        if kind in given:
            content |= _file(world, kind, given[kind] or {})
    if caption := str(given.get("caption", "")):
        content |= {"caption": caption} | ({"caption_entities": found} if (found := noticed(caption)) else {})
    return content or {"text": "Hello"}


def _file(world: World, kind: str, given: dict[str, Any]) -> dict[str, Any]:
    data = base64.b64decode(given.get("data", "")) or f"a {kind}".encode()
    mime = str(given.get("mime") or _MIMES.get(kind, ""))
    file_id = put(world, data, mime, int(given.get("size", 0)))
    file: dict[str, Any] = {"file_id": file_id, "file_unique_id": file_id[-12:], "file_size": world.files[file_id].size}
    if kind == "photo":
        small = put(world, b"small", "")
        thumbnail = {"file_id": small, "file_unique_id": small[-12:], "file_size": 5, "width": 90, "height": 90}
        return {"photo": [thumbnail, file | {"width": 800, "height": 600}]}
    file |= {"mime_type": mime} if mime else {}
    file |= {"file_name": given["name"]} if "name" in given else {}
    more: dict[str, Any] = {"duration": 3} if kind in ("audio", "voice", "video", "video_note", "animation") else {}
    more |= {"is_animated": False, "is_video": False, "type": "regular"} if kind == "sticker" else {}
    found = {kind: file | more}
    return found | ({"document": file} if kind == "animation" else {})


def _reply(world: World, chat: Chat, given: dict[str, Any]) -> dict[str, Any]:
    found = world.messages.get((chat.id, int(given.get("reply_to", 0))))
    return {"reply_to_message": {k: v for k, v in found.items() if k != "reply_to_message"}} if found else {}


def _meant(world: World, message: Message) -> bool:
    """With privacy mode a bot in a group is shown commands, mentions of it, and answers to it."""
    own = f"@{world.settings.username}".lower()
    text = str(message.get("text") or message.get("caption") or "")
    command = text.startswith("/") and ("@" not in text.split()[0] or text.split()[0].lower().endswith(own))
    answers = (message.get("reply_to_message") or {}).get("from", {}).get("id") == world.id
    return command or answers or own in text.lower()


def press(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """A person presses the button that reads `title` under their newest message with buttons, or under `message_id`.

    Raises `ValueError` if there is none.
    """
    who, title = int(given.get("from", 7001)), str(given["title"])
    chat = world.chat(int(given.get("chat", who)))
    wanted = int(given.get("message_id", 0))
    for (chat_id, number), message in sorted(world.messages.items(), reverse=True):
        if chat_id != chat.id or (wanted and number != wanted):
            continue
        for row in (message.get("reply_markup") or {}).get("inline_keyboard", []):
            for button in row:
                if button["text"] == title and "callback_data" in button:
                    return _press(world, who, message, button["callback_data"])
    raise ValueError(f"no button {title} in chat {chat.id}")


def _press(world: World, who: int, message: Message, data: str) -> dict[str, Any]:
    query = str(10**17 + len(world.callbacks))
    world.callbacks[query] = world.now() + world.settings.callback_lives
    payload = {"id": query, "from": user(world, who), "message": message, "chat_instance": "1", "data": data}
    return {"callback_query_id": query, "update_id": world.tell("callback_query", payload)}


def edit(world: World, given: dict[str, Any]) -> dict[str, int]:
    """A person changes what they wrote: `message_id`, and the new `text` or `fields`."""
    chat = world.chat(int(given.get("chat", given.get("from", 7001))))
    message = world.messages[chat.id, int(given["message_id"])]
    message |= _content(world, given) | {"edit_date": int(world.now())}
    return {"update_id": world.tell("edited_message", message)}


def react(world: World, given: dict[str, Any]) -> dict[str, int]:
    """A person puts `emoji` on a message, or takes it back with an empty one."""
    who = int(given.get("from", 7001))
    new = [{"type": "emoji", "emoji": given["emoji"]}] if given.get("emoji") else []
    payload = {"chat": world.chat(who).shown(), "message_id": int(given["message_id"]), "user": user(world, who),
               "date": int(world.now()), "old_reaction": [], "new_reaction": new}  # fmt: skip
    return {"update_id": world.tell("message_reaction", payload)}


def block(world: World, given: dict[str, Any]) -> dict[str, int]:
    """A person blocks the bot (`blocked`: true) or unblocks it."""
    chat, blocked = world.chat(int(given.get("from", 7001))), bool(given.get("blocked", True))
    chat.blocked = blocked
    before, after = ("member", "kicked") if blocked else ("kicked", "member")
    payload = {"chat": chat.shown(), "from": user(world, chat.id), "date": int(world.now()),
               "old_chat_member": {"status": before, "user": world.me()},
               "new_chat_member": {"status": after, "user": world.me()}}  # fmt: skip
    return {"update_id": world.tell("my_chat_member", payload)}


def upgrade(world: World, given: dict[str, Any]) -> dict[str, int]:
    """A group becomes a supergroup with another id."""
    old = world.chat(int(given["chat"]))
    old.type, new = "group", int(f"-100{-old.id}")
    fresh = world.chat(new, **old.names)
    fresh.started, old.moved_to = True, new
    return {"chat": new}
