"""Buttons under a message, and what a press on one tells. Contract §2.4, §3.

The 64 bytes that a button carries are the choice's id behind a letter that says whether it was a button or a row of a
list. Buttons of other programs, which carry anything, are presses with all of it as the id.
"""

from collections.abc import Iterable
from typing import Any, Final

from app.connectors.wire import member, string
from app.content import Choice, Picked, Pressed

DATA: Final = 64  # bytes
BUTTON, ROW = "b|", "l|"
SHORT: Final = 14  # characters of titles that stand two in a row

Rows = list[list[dict[str, Any]]]


def inline(choices: Iterable[Choice], mark: str) -> dict[str, Any]:
    """One under the other; two in a row where all titles are short."""
    buttons = [{"text": choice.title, "callback_data": mark + choice.id} for choice in choices]
    width = 2 if mark == BUTTON and all(len(button["text"]) <= SHORT for button in buttons) else 1
    return {"inline_keyboard": [buttons[at : at + width] for at in range(0, len(buttons), width)]}


def fits(choice: Choice) -> bool:
    return len((BUTTON + choice.id).encode()) <= DATA


def link(label: str, url: str) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": label, "url": url}]]}


def asking(what: str) -> dict[str, Any]:
    """A keyboard in place of the phone's own, gone after one press. Its signs need no language."""
    button = {"text": "📍", "request_location": True} if what == "location" else {"text": "📱", "request_contact": True}
    return {"keyboard": [[button]], "resize_keyboard": True, "one_time_keyboard": True}


def chosen(data: str) -> tuple[type[Pressed] | type[Picked], str]:
    """What was pressed: its kind and the choice's id."""
    if data.startswith(ROW):
        return Picked, data.removeprefix(ROW)
    return Pressed, data.removeprefix(BUTTON)


def label_of(message: dict[str, Any], data: str) -> str:
    """What the button said that carries this, empty where the message is no longer there."""
    rows = member(message, "reply_markup").get("inline_keyboard")
    for row in rows if isinstance(rows, list) else ():
        for button in row if isinstance(row, list) else ():
            if isinstance(button, dict) and button.get("callback_data") == data:
                return string(button, "text")
    return ""
