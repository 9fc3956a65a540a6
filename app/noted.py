"""What bots note about a contact: tags, fields and consent, written in the unit of the turn that noted them."""

from typing import Any

import msgspec

from app.bot.scene import Consent, Effect, SetField, Tag
from app.db import Tx
from app.store import contacts, tags

# Of one contact. What comes on top is not kept: of tags the oldest stay, and a new field finds no room.
MOST_TAGS = tags.MOST
MOST_FIELDS = tags.MOST

_tags: msgspec.json.Decoder[list[str]] = msgspec.json.Decoder(list[str])
_fields: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])


def note(tx: Tx, contact_id: int, effects: tuple[Effect, ...]) -> None:
    """Carry out every `Tag`, `SetField` and `Consent`, in their order, on what the contact has now."""
    wanted = [effect for effect in effects if isinstance(effect, Tag | SetField | Consent)]
    if not wanted:
        return
    tx.lock("contact", contact_id)
    for effect in wanted:
        if isinstance(effect, Consent):
            consent(tx, contact_id, given=effect.given)
    mark(tx, contact_id, [effect for effect in wanted if isinstance(effect, Tag | SetField)])


def consent(tx: Tx, contact_id: int, *, given: bool) -> None:
    """The person opts in or out; who is out already keeps the time."""
    if given:
        tx.run(contacts.OPT_IN, id=contact_id)
    else:
        tx.run(contacts.OPT_OUT, id=contact_id, now=tx.now)


def mark(tx: Tx, contact_id: int, wanted: list[Tag | SetField]) -> None:
    """Tags and fields."""
    if not wanted:
        return
    row = tx.one(tags.NOTED, id=contact_id)
    if row is None:
        return
    had, fields = _tags.decode(row[0]), _fields.decode(row[1])
    has = had
    for effect in wanted:
        if isinstance(effect, Tag):
            has = tagged(has, effect)
        else:
            fields = filled(fields, effect)
    tags.settle(tx, contact_id, had, has)
    tx.run(tags.NOTE, id=contact_id, tags=_text(has), fields=_text(fields))


def tagged(had: list[str], effect: Tag) -> list[str]:
    kept = [tag for tag in had if tag not in effect.remove]
    return (kept + [tag for tag in effect.add if tag not in kept])[:MOST_TAGS]


def filled(fields: dict[str, Any], effect: SetField) -> dict[str, Any]:
    others = {name: value for name, value in fields.items() if name != effect.name}
    if effect.value is None or (effect.name not in fields and len(fields) >= MOST_FIELDS):
        return others
    return others | {effect.name: effect.value}


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
