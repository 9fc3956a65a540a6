"""Contact cards as WhatsApp sends them: vCard 3.0, of which a name, numbers and mail addresses are read and written."""

import re
from typing import Final

from app.content import Card

_LINE: Final = re.compile(r"(?:item\d+\.)?([A-Za-z-]+)((?:;[^:]*)?):(.*)")
_TYPE: Final = re.compile(r"type=([^;:,]+)", re.IGNORECASE)


def read_card(name: str, text: str) -> Card:
    """The card; the name as WhatsApp shows it, if it does."""
    phones: list[tuple[str, str]] = []
    emails: list[tuple[str, str]] = []
    full = firm = ""
    for line in re.sub(r"\r?\n[ \t]", "", text).splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            continue
        field, parameters, value = found[1].upper(), found[2], _unescape(found[3].strip())
        kind = match[1].upper() if (match := _TYPE.search(parameters)) else ""
        if field == "TEL":
            phones.append((value, kind))
        elif field == "EMAIL":
            emails.append((value, kind))
        elif field == "FN":
            full = value
        elif field == "ORG":
            firm = value.rstrip(";")
    more = {"org": {"company": firm}} if firm else {}
    return Card(name or full or (phones[0][0] if phones else ""), tuple(phones), tuple(emails), more)


def write_card(card: Card) -> str:
    """With `waid`, by which the phone offers to write to a number that is on WhatsApp."""
    name = _escape(card.name)
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"N:;{name};;;", f"FN:{name}"]
    firm = card.more.get("org", {}).get("company", "") if isinstance(card.more.get("org"), dict) else ""
    if firm:
        lines.append(f"ORG:{_escape(str(firm))}")
    for phone, kind in card.phones:
        digits = "".join(filter(str.isdigit, phone))
        lines.append(f"TEL;type={_word(kind) or 'CELL'};waid={digits}:{_escape(phone)}")
    lines += [f"EMAIL;type={_word(kind) or 'INTERNET'}:{_escape(mail)}" for mail, kind in card.emails]
    return "\n".join([*lines, "END:VCARD"])


def _word(text: str) -> str:
    """What may stand in a parameter."""
    return re.sub(r"[^A-Za-z-]", "", text)


def _escape(text: str) -> str:
    for mark in ("\\", ",", ";"):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("\r", "").replace("\n", "\\n")


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], text)
