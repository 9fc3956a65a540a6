"""Whether a message in a group is meant for us: it mentions us, answers what we said, or begins with the prefix.

Nothing else of a group is taken in: its members did not write to a business.
"""

import re
from typing import Any, Final

import msgspec

from app.connectors.base import Address
from app.content import Content, Text

OFF: Final = "no"
MENTIONS: Final = "yes"


def contexts(message: Any) -> list[Any]:
    """What the parts of a message say of its surroundings: quotes, mentions, expiry."""
    return [
        part.contextInfo
        for field, part in message.ListFields()
        if field.message_type and "contextInfo" in field.message_type.fields_by_name
    ]


def is_addressed(message: Any, content: Content, me: Address, prefix: str) -> bool:
    names = {name for name in (me.wa_id, me.lid) if name}
    mentioned = {jid.partition("@")[0] for context in contexts(message) for jid in context.mentionedJID}
    quoted = {context.participant.partition("@")[0].partition(":")[0] for context in contexts(message)}
    return bool(names & (mentioned | quoted)) or (bool(prefix) and _begins(content, prefix))


def _begins(content: Content, prefix: str) -> bool:
    return isinstance(content, Text) and content.text.lower().startswith(prefix.lower())


def bare(content: Content, me: Address, prefix: str) -> Content:
    """Without the mention of us and the prefix, so that rules read what was meant."""
    if not isinstance(content, Text):
        return content
    text = content.text[len(prefix) :] if prefix and _begins(content, prefix) else content.text
    for name in filter(None, (me.wa_id, me.lid)):
        text = re.sub(rf"@{name}\b[,:]?", "", text)
    return msgspec.structs.replace(content, text=" ".join(text.split(" ")).strip())
