"""What a person or a network is called and drawn as, where there is no picture."""

import unicodedata
from typing import Final
from zlib import crc32

from app.connectors import CONNECTORS
from app.i18n import _

HUES: Final = 8
ICONS: Final = {
    "whatsapp_cloud": "wa",
    "whatsapp_web": "phone",
    "telegram": "tg",
    "webchat": "web",
    "simulator": "flask",
    "demo": "eye",
}
TINTS: Final = {"whatsapp_cloud": 4, "whatsapp_web": 4, "telegram": 6, "simulator": 7, "demo": 2}
VIRAMAS: Final = frozenset("\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d")


def title(name: str, phone: str = "", username: str = "") -> str:
    """The name, else the number, else the user name."""
    if name.strip():
        return name
    return number(phone) if phone else f"@{username}" if username else _("No name")


def isolated(text: str) -> str:
    """A name inside a sentence: its direction does not turn the words around it."""
    return f"\u2068{text}\u2069"


def number(phone: str) -> str:
    """Digits as a number is written: +5511987654321."""
    return f"+{phone}" if phone.isdigit() else phone


def initials(text: str) -> str:
    """One or two letters: of the first and the last word, whole clusters of scripts that join them."""
    words = [word for word in text.split() if any(character.isalnum() for character in word)]
    if not words or text == _("No name"):
        return "#"
    if words[0].startswith("+"):
        return words[0][1:3]
    first = _cluster(words[0])
    return (first if len(words) == 1 or len(first) > 1 else first + _cluster(words[-1])).upper()


def _cluster(word: str) -> str:
    """The first letter with the signs that belong to it."""
    start = next(place for place, character in enumerate(word) if character.isalnum())
    end = start + 1
    while end < len(word) and (unicodedata.category(word[end]).startswith("M") or word[end - 1] in VIRAMAS):
        end += 1
    return word[start:end]


def hue(id: int) -> int:
    """A number from 1 to 8 that stays with this thing: the colour of its avatar."""
    return crc32(str(id).encode()) % HUES + 1


def network(connector: str) -> str:
    """The icon of a network."""
    return ICONS.get(connector, "plug")


def tint(connector: str) -> int:
    """The avatar colour of a network."""
    return TINTS.get(connector, 3)


def network_name(connector: str) -> str:
    known = CONNECTORS.get(connector)
    words = {"simulator": _("Built in"), "demo": _("Made-up chats")}
    return words.get(connector) or (known.label if known else connector)


def alias_kind(kind: str) -> str:
    """What an identity is called."""
    names = {
        "phone": _("Phone"),
        "wa_id": _("WhatsApp number"),
        "bsuid": _("WhatsApp user id"),
        "parent_bsuid": _("WhatsApp parent id"),
        "lid": _("WhatsApp LID"),
        "telegram": _("Telegram id"),
        "simulated": _("Simulator"),
        "group": _("Group"),
    }
    return names.get(kind, kind)
