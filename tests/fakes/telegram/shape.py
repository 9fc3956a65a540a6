"""What the contract allows in a call: texts, captions, keyboards, files (§3)."""

import re
from typing import Any

import msgspec

from .entities import Entity, parsed
from .errors import bad

TEXT, CAPTION, DATA, BUTTONS = 4096, 1024, 64, 100
MB = 1024 * 1024
KINDS = ("url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat",
         "copy_text", "callback_game", "pay")  # fmt: skip


def number(values: dict[str, Any], name: str, default: int | None = None) -> int:
    found = values.get(name, default)
    try:
        if found is None or isinstance(found, bool):
            raise ValueError
        return int(found)
    except (TypeError, ValueError):
        raise bad(f"parameter {name} must be an integer") from None


def decimal(values: dict[str, Any], name: str) -> float:
    try:
        return float(values[name])
    except (KeyError, TypeError, ValueError):
        raise bad(f"{name} is empty or no number") from None


def nested(values: dict[str, Any], name: str) -> Any:
    """A value that is JSON: as it is in a JSON body, as text in a form."""
    found = values.get(name)
    if isinstance(found, str):
        try:
            return msgspec.json.decode(found)
        except msgspec.DecodeError:
            raise bad(f"can't parse {name} JSON object") from None
    return found


def text_of(values: dict[str, Any]) -> tuple[str, list[Entity]]:
    text, entities = parsed(str(values.get("text", "")), str(values.get("parse_mode", "")))
    if not text.strip():
        raise bad("message text is empty")
    if len(text) > TEXT:
        raise bad("message is too long")
    return text, entities


def caption_of(values: dict[str, Any]) -> dict[str, Any]:
    text, entities = parsed(str(values.get("caption", "")), str(values.get("parse_mode", "")))
    if len(text) > CAPTION:
        raise bad("message caption is too long")
    return ({"caption": text} if text else {}) | ({"caption_entities": entities} if entities else {})


def markup_of(values: dict[str, Any]) -> dict[str, Any] | None:
    """The keyboard that people see. Raises 400 as Telegram does."""
    markup = nested(values, "reply_markup")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    if "inline_keyboard" in markup:
        _inline(markup["inline_keyboard"])
        return markup
    if "keyboard" in markup:
        for button in _buttons(markup["keyboard"]):
            if not (isinstance(button, str) or str(button.get("text", "")).strip()):
                raise bad("keyboard button text must be non-empty")
        if not 0 <= len(str(markup.get("input_field_placeholder", ""))) <= 64:
            raise bad("input field placeholder is too long")
        return markup
    if markup.get("remove_keyboard") is True or markup.get("force_reply") is True:
        return markup
    raise bad("reply markup of an unknown kind")


def _buttons(rows: Any) -> list[Any]:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad("field of type Array of Array expected")
    found = [button for row in rows for button in row]
    if not all(isinstance(button, dict | str) for button in found):
        raise bad("button must be an Object")
    return found


def _inline(rows: Any) -> None:
    found = _buttons(rows)
    if len(found) > BUTTONS:
        raise bad("reply markup is too long")
    for button in found:
        if isinstance(button, str) or not str(button.get("text", "")).strip():
            raise bad("can't parse inline keyboard button: text must be non-empty")
        kinds = [kind for kind in KINDS if kind in button]
        if len(kinds) != 1:
            raise bad("can't parse inline keyboard button: exactly one optional field must be used")
        data = button.get("callback_data")
        if data is not None and not 1 <= len(str(data).encode()) <= DATA:
            raise bad("BUTTON_DATA_INVALID")
        if "url" in button and not re.match(r"(https?|tg)://\S+", str(button["url"])):
            raise bad("BUTTON_URL_INVALID")
