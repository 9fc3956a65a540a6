"""Text of a message as HTML: WhatsApp's own marks and web addresses, nothing else (S19).

`*bold*`, `_italic_`, `~struck~`, `` `code` `` and three backquotes for a block become one tag each; `http` and `https`
addresses become links. Everything a person wrote is escaped; the tags below are all that can ever come out. One pass
over the text, whatever is in it.
"""

import re
from typing import Final

from markupsafe import Markup, escape

TAGS: Final = {"*": Markup("<b>%s</b>"), "_": Markup("<i>%s</i>"), "~": Markup("<s>%s</s>")}
CODE: Final = Markup("<code>%s</code>")
BREAK: Final = Markup("<br>")
LINK: Final = Markup('<a href="%s" target="_blank" rel="noopener noreferrer nofollow">%s</a>')
FENCE: Final = "```"

# An address ends before the punctuation of the sentence around it.
_TOKEN: Final = re.compile(
    r"(?P<code>`[^`\n]+`)|(?P<link>https?://[^\s<>]*[^\s<>.,;:!?)\]}'\"*_~`])|(?P<mark>[*_~])|(?P<line>\n)"
)


def render(text: str) -> Markup:
    """The text as safe HTML. Newlines become `<br>`; a mark without its partner stays as it was typed."""
    pieces = text.split(FENCE)
    closed = len(pieces) - 1 if len(pieces) % 2 == 0 else len(pieces)
    out = [_block(piece) if number % 2 else _spans(piece) for number, piece in enumerate(pieces[:closed])]
    out += [Markup(escape(FENCE)) + _spans(piece) for piece in pieces[closed:]]
    return Markup("").join(out)


def plain(text: str) -> str:
    """One line of it, for lists: line breaks become spaces."""
    return " ".join(text.split())


def _block(text: str) -> Markup:
    return CODE % BREAK.join(text.strip("\n").split("\n")) if text.strip() else Markup(escape(FENCE + text + FENCE))


class _Open:
    """A mark that may yet find its partner, and what follows it."""

    __slots__ = ("mark", "parts")

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.parts: list[Markup] = []


def _spans(text: str) -> Markup:
    """At most one mark of each kind is open at a time, so the stack never grows beyond three."""
    stack = [_Open("")]
    end = 0
    for token in _TOKEN.finditer(text):
        stack[-1].parts.append(escape(text[end : token.start()]))
        end = token.end()
        _take(stack, text, token)
    stack[-1].parts.append(escape(text[end:]))
    _fold(stack, 1)
    return Markup("").join(stack[0].parts)


def _take(stack: list[_Open], text: str, token: re.Match[str]) -> None:
    found = token.group()
    if token.lastgroup == "code":
        stack[-1].parts.append(CODE % found[1:-1])
    elif token.lastgroup == "link":
        stack[-1].parts.append(LINK % (found, found))
    elif token.lastgroup == "line":
        _fold(stack, 1)  # a mark never reaches beyond its line
        stack[-1].parts.append(BREAK)
    else:
        _mark(stack, found, text[token.start() - 1 : token.start()], text[token.end() : token.end() + 1])


def _mark(stack: list[_Open], mark: str, before: str, after: str) -> None:
    """`before` and `after` are the neighbours, empty at the ends of the text."""
    depth = next((place for place, item in enumerate(stack) if item.mark == mark), 0)
    if depth and not before.isspace() and not after.isalnum() and _filled(stack[depth:]):
        _fold(stack, depth + 1)
        inner = Markup("").join(stack.pop().parts)
        stack[-1].parts.append(TAGS[mark] % inner)
    elif not depth and after and not after.isspace() and after != mark and not before.isalnum():
        stack.append(_Open(mark))
    else:
        stack[-1].parts.append(Markup(escape(mark)))


def _filled(items: list[_Open]) -> bool:
    return any(part for item in items for part in item.parts) or len(items) > 1


def _fold(stack: list[_Open], depth: int) -> None:
    """Marks above `depth` found no partner: they are text after all."""
    while len(stack) > depth:
        item = stack.pop()
        stack[-1].parts.append(Markup(escape(item.mark)))
        stack[-1].parts.extend(item.parts)
