"""WhatsApp's binary XML: `Node` ↔ bytes. The tables of words are those of Baileys (MIT)."""

import json
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path

_TOKENS = json.loads(Path(__file__).with_name("tokens.json").read_text())
SINGLE: list[str] = _TOKENS["single"]
DOUBLE: list[list[str]] = _TOKENS["double"]
_SINGLE = {word: place for place, word in enumerate(SINGLE) if word}
_DOUBLE = {word: (table, place) for table, words in enumerate(DOUBLE) for place, word in enumerate(words)}

EMPTY, DICTIONARY, FB_JID, DEVICE_JID = 0, 236, 246, 247
LIST_8, LIST_16, JID_PAIR, HEX_8, BINARY_8, BINARY_20, BINARY_32, NIBBLE_8 = range(248, 256)
DOMAINS = {0: "s.whatsapp.net", 1: "lid", 128: "hosted", 129: "hosted.lid"}
_DOMAINS = {name: number for number, name in DOMAINS.items()}
_JID = re.compile(r"(?:([^@:]*)(?::(\d+))?@)?(.+)")


class Jid(str):
    """An attribute that goes over the wire as an address, not as a plain string."""

    __slots__ = ()

    @property
    def parts(self) -> tuple[str, int, str]:
        found = _JID.fullmatch(self)
        assert found is not None, self
        return found[1] or "", int(found[2] or 0), found[3]

    @property
    def user(self) -> str:
        return self.parts[0]

    @property
    def device(self) -> int:
        return self.parts[1]

    @property
    def server(self) -> str:
        return self.parts[2]

    def bare(self) -> "Jid":
        return Jid(f"{self.user}@{self.server}")


SERVER = Jid("s.whatsapp.net")
Attributes = dict[str, str | Jid | None]


@dataclass
class Node:
    """One stanza or a part of it. Attributes that are None are left out."""

    tag: str
    attributes: Attributes = field(default_factory=dict)
    content: "list[Node] | bytes | None" = None

    @property
    def children(self) -> list["Node"]:
        return self.content if isinstance(self.content, list) else []

    def child(self, *way: str) -> "Node | None":
        found: Node | None = self
        for tag in way:
            found = next((child for child in found.children if child.tag == tag), None) if found else None
        return found

    def data(self, *way: str) -> bytes:
        """The bytes of a child, b'' if it is not there."""
        found = self.child(*way)
        return found.content if found and isinstance(found.content, bytes) else b""

    def get(self, name: str) -> str:
        return self.attributes.get(name) or ""

    def jid(self, name: str) -> Jid:
        return Jid(self.get(name))


# ---- encode ---------------------------------------------------------------------------------------------------------


def _put_bytes(out: bytearray, data: bytes) -> None:
    if len(data) < 256:
        out += bytes([BINARY_8, len(data)])
    elif len(data) < 1 << 20:
        out += bytes([BINARY_20]) + len(data).to_bytes(3, "big")
    else:
        out += bytes([BINARY_32]) + len(data).to_bytes(4, "big")
    out += data


def _put_text(out: bytearray, text: str) -> None:
    if text in _SINGLE:
        out.append(_SINGLE[text])
    elif text in _DOUBLE and text:
        table, place = _DOUBLE[text]
        out += bytes([DICTIONARY + table, place])
    else:
        _put_bytes(out, text.encode())


def _put_jid(out: bytearray, jid: Jid) -> None:
    user, device, server = jid.parts
    if device and server in _DOMAINS:
        out += bytes([DEVICE_JID, _DOMAINS[server], device])
        _put_text(out, user)
        return
    out.append(JID_PAIR)
    if user:
        _put_text(out, user)
    else:
        out.append(EMPTY)
    _put_text(out, server)


def _put_length(out: bytearray, count: int) -> None:
    if count == 0:
        out.append(EMPTY)
    elif count < 256:
        out += bytes([LIST_8, count])
    else:
        out += bytes([LIST_16]) + count.to_bytes(2, "big")


def _put_node(out: bytearray, node: Node) -> None:
    given = {name: value for name, value in node.attributes.items() if value is not None}
    _put_length(out, 1 + 2 * len(given) + (node.content is not None))
    _put_text(out, node.tag)
    for name, value in given.items():
        _put_text(out, name)
        if isinstance(value, Jid):
            _put_jid(out, value)
        else:
            _put_text(out, value)
    if isinstance(node.content, bytes):
        _put_bytes(out, node.content)
    elif node.content is not None:
        _put_length(out, len(node.content))
        for child in node.content:
            _put_node(out, child)


def encode(node: Node) -> bytes:
    out = bytearray([0])
    _put_node(out, node)
    return bytes(out)


# ---- decode ---------------------------------------------------------------------------------------------------------


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def take(self, count: int) -> bytes:
        self._place += count
        return self._data[self._place - count : self._place]

    def number(self, count: int = 1) -> int:
        return int.from_bytes(self.take(count), "big")

    def size(self, tag: int) -> int:
        return 0 if tag == EMPTY else self.number() if tag == LIST_8 else self.number(2)

    def packed(self, tag: int) -> str:
        start = self.number()
        letters = "0123456789-.\0\0\0\0" if tag == NIBBLE_8 else "0123456789ABCDEF"
        text = "".join(letters[byte >> 4] + letters[byte & 15] for byte in self.take(start & 127))
        return text[:-1] if start >> 7 else text

    def text(self, tag: int) -> str:
        if tag == EMPTY:
            return ""
        if tag < len(SINGLE):
            return SINGLE[tag]
        if DICTIONARY <= tag < DICTIONARY + len(DOUBLE):
            return DOUBLE[tag - DICTIONARY][self.number()]
        if tag in (BINARY_8, BINARY_20, BINARY_32):
            return self.binary(tag).decode("utf-8", "replace")
        if tag in (NIBBLE_8, HEX_8):
            return self.packed(tag)
        return self.jid(tag)

    def jid(self, tag: int) -> Jid:
        if tag == JID_PAIR:
            user, server = self.text(self.number()), self.text(self.number())
            return Jid(f"{user}@{server}" if user else server)
        if tag == DEVICE_JID:
            domain, device, user = self.number(), self.number(), self.text(self.number())
            server = DOMAINS.get(domain, "s.whatsapp.net")
            return Jid(f"{user}:{device}@{server}" if device else f"{user}@{server}")
        if tag == FB_JID:
            user, device, server = self.text(self.number()), self.number(2), self.text(self.number())
            return Jid(f"{user}:{device}@{server}")
        raise ValueError(f"tag {tag} begins no text")

    def binary(self, tag: int) -> bytes:
        sizes = {BINARY_8: 1, BINARY_20: 3, BINARY_32: 4}
        return self.take(self.number(sizes[tag]))

    def node(self) -> Node:
        size = self.size(self.number())
        node = Node(self.text(self.number()))
        for _ in range((size - 1) >> 1):
            name = self.text(self.number())
            node.attributes[name] = self.text(self.number())
        if size % 2 == 0:
            tag = self.number()
            if tag in (EMPTY, LIST_8, LIST_16):
                node.content = [self.node() for _ in range(self.size(tag))]
            elif tag in (BINARY_8, BINARY_20, BINARY_32):
                node.content = self.binary(tag)
            else:
                node.content = self.text(tag).encode()
        return node


def decode(frame: bytes) -> Node:
    flags, data = frame[0], frame[1:]
    return _Reader(zlib.decompress(data) if flags & 2 else data).node()
