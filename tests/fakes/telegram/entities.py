"""Marked text → plain text and entities, as strictly as the contract: what is not escaped or not closed is refused."""

import re
from html import unescape
from typing import Any

from .errors import ApiError, bad

TAGS = {"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
        "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "code": "code", "pre": "pre",
        "a": "text_link", "tg-spoiler": "spoiler", "blockquote": "blockquote", "span": "spoiler"}  # fmt: skip
_HTML = re.compile(r"<(/?)([a-zA-Z-]+)([^<>]*)>|(&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);)|([<>&])")
MARKS = {"*": "bold", "_": "italic", "__": "underline", "~": "strikethrough", "||": "spoiler", "`": "code"}
RESERVED = "_*[]()~`>#+-=|{}.!"
_COMMAND = re.compile(r"(?<!\S)/[a-zA-Z0-9_]{1,32}(?:@\w+)?")
_MENTION = re.compile(r"(?<!\w)@\w{4,32}")

Entity = dict[str, Any]


def units(text: str) -> int:
    """Length in UTF-16 code units, as entities count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parsed(text: str, mode: str) -> tuple[str, list[Entity]]:
    """Raises `ApiError` 400 `can't parse entities`."""
    match mode.lower():
        case "":
            return text, []
        case "html":
            return _html(text)
        case "markdownv2":
            return _markdown(text)
    raise bad("unsupported parse_mode")


def wrong(what: str) -> ApiError:
    return bad(f"can't parse entities: {what}")


def _html(text: str) -> tuple[str, list[Entity]]:
    plain, end = "", 0
    open_: list[tuple[str, int]] = []
    found: list[Entity] = []
    for token in _HTML.finditer(text):
        plain += text[end : token.start()]
        end = token.end()
        closing, tag, _, reference, stray = token.groups()
        if reference:
            plain += unescape(reference)
        elif stray == "&":
            plain += stray  # an ampersand that begins no reference is taken as it is
        elif stray:
            raise wrong(f'unexpected character "{stray}" at byte offset {len(text[: token.start()].encode())}')
        elif tag.lower() not in TAGS:
            raise wrong(f'unsupported start tag "{tag}" at byte offset {len(text[: token.start()].encode())}')
        elif not closing:
            open_.append((tag.lower(), units(plain)))
        elif not open_ or open_[-1][0] != tag.lower():
            raise wrong(f"unmatched end tag at byte offset {len(text[: token.start()].encode())}")
        else:
            name, start = open_.pop()
            found.append({"type": TAGS[name], "offset": start, "length": units(plain) - start})
    if open_:
        raise wrong(f'can\'t find end tag corresponding to start tag "{open_[-1][0]}"')
    return plain + text[end:], sorted(found, key=lambda entity: int(entity["offset"]))


def _markdown(text: str) -> tuple[str, list[Entity]]:
    """MarkdownV2, without links and code blocks: none of the callers here sends them."""
    plain, at = "", 0
    open_: list[tuple[str, int]] = []
    found: list[Entity] = []
    while at < len(text):
        sign = text[at]
        if sign == "\\" and at + 1 < len(text):
            plain, at = plain + text[at + 1], at + 2
            continue
        mark = next((mark for mark in ("__", "||", "*", "_", "~", "`") if text.startswith(mark, at)), "")
        if not mark:
            if sign in RESERVED:
                raise wrong(f"character '{sign}' is reserved and must be escaped with the preceding '\\'")
            plain, at = plain + sign, at + 1
            continue
        at += len(mark)
        if open_ and open_[-1][0] == mark:
            start = open_.pop()[1]
            found.append({"type": MARKS[mark], "offset": start, "length": units(plain) - start})
        else:
            open_.append((mark, units(plain)))
    if open_:
        raise wrong(f"can't find end of {MARKS[open_[-1][0]]} entity at byte offset {open_[-1][1]}")
    return plain, found


def noticed(text: str) -> list[Entity]:
    """What Telegram itself marks in a person's text: commands and mentions."""
    kinds = (("bot_command", _COMMAND), ("mention", _MENTION))
    return [
        {"type": kind, "offset": units(text[: token.start()]), "length": units(token.group())}
        for kind, pattern in kinds
        for token in pattern.finditer(text)
    ]
