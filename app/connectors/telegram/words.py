"""Words both ways: the marks that bots and people write as Telegram's HTML, and whether a text in a group is meant for
the bot. Contract §2.4, §3.

Entities count UTF-16 code units. HTML is used only where there is something to mark: a text without marks goes as it
is, and nothing in it can break.
"""

import re
from collections.abc import Iterator
from html import escape
from typing import Any, Final

from app.connectors.telegram.place import Me
from app.connectors.wire import member, objects, string

TAGS: Final = {"*": "b", "_": "i", "~": "s"}
FENCE: Final = "```"
# An address and code are left as they are; a mark stands at the edge of words and ends on its line.
_TOKEN: Final = re.compile(
    r"```(?P<block>.+?)```|`(?P<code>[^`\n]+)`|(?P<link>https?://[^\s<>]*[^\s<>.,;:!?)\]}'\"*_~`])"
    r"|(?<!\w)(?P<mark>[*_~])(?=\S)(?P<inner>[^\n]*?\S)(?P=mark)(?!\w)",
    re.DOTALL,
)


def html(text: str) -> str:
    """Telegram's HTML of a text with marks. All else is escaped: `&`, `<` and `>`."""
    out, end = [], 0
    for token in _TOKEN.finditer(text):
        out += [safe(text[end : token.start()]), _marked(token)]
        end = token.end()
    return "".join([*out, safe(text[end:])])


def safe(text: str) -> str:
    return escape(text, quote=False)


def has_marks(text: str) -> bool:
    return any(token.lastgroup != "link" for token in _TOKEN.finditer(text))


def _marked(token: re.Match[str]) -> str:
    if block := token["block"]:
        return f"<pre>{safe(block.strip(chr(10)))}</pre>"
    if code := token["code"]:
        return f"<code>{safe(code)}</code>"
    if link := token["link"]:
        return safe(link)
    tag = TAGS[token["mark"]]
    return f"<{tag}>{html(token['inner'])}</{tag}>"


# ---- groups ----------------------------------------------------------------------------------------------------------


def is_addressed(message: dict[str, Any], me: Me) -> bool:
    """Whether a message in a group is for the bot: it is mentioned, given a command of its own or of nobody's, or
    answered."""
    if me.id and string(member(member(message, "reply_to_message"), "from"), "id") == me.id:
        return True
    own = f"@{me.username}".casefold() if me.username else ""
    for entity, text in entities(message):
        kind, folded = string(entity, "type"), text.casefold()
        if kind == "bot_command" and ("@" not in folded or (own and folded.endswith(own))):
            return True
        if kind == "mention" and folded == own:
            return True
        if kind == "text_mention" and me.id and string(member(entity, "user"), "id") == me.id:
            return True
    return False


def entities(message: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Every entity of a text or caption, with the piece of text that it covers."""
    for words, marks in (("text", "entities"), ("caption", "caption_entities")):
        units = string(message, words).encode("utf-16-le", "replace")
        for entity in objects(message, marks):
            start, length = entity.get("offset"), entity.get("length")
            if isinstance(start, int) and isinstance(length, int) and start >= 0 and length >= 0:
                yield entity, units[2 * start : 2 * (start + length)].decode("utf-16-le", "replace")


def addressed_text(text: str, me: Me) -> str:
    """The text without the bot's name, where it stands at its beginning or behind a command: `/menu@bot` → `/menu`."""
    if not me.username:
        return text
    name = re.escape(me.username)
    bare = re.sub(rf"^\s*@{name}\b[\s,:]*", "", text, count=1, flags=re.IGNORECASE)
    bare = re.sub(rf"^(/\w+)@{name}\b", r"\1", bare, count=1, flags=re.IGNORECASE)
    return bare.strip() or text
