"""What is known of a contact after a bot has noted something about it. Pure."""

from collections.abc import Iterable

import msgspec

from app.bot.scene import ContactView, Effect, SetField, Tag


def noted_on(contact: ContactView, effects: Iterable[Effect]) -> ContactView:
    """The contact with the tags and fields that these effects add or remove."""
    tags, fields = contact.tags, contact.fields
    for effect in effects:
        if isinstance(effect, Tag):
            kept = tuple(tag for tag in tags if tag not in effect.remove)
            tags = kept + tuple(tag for tag in effect.add if tag not in kept)
        elif isinstance(effect, SetField):
            others = {name: value for name, value in fields.items() if name != effect.name}
            fields = others if effect.value is None else others | {effect.name: effect.value}
    return msgspec.structs.replace(contact, tags=tags, fields=fields)
