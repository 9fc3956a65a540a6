"""What a person would see of a decision."""

from collections.abc import Iterable

from app.bot.scene import Effect, HandOff, Send
from app.content import Buttons, ChoiceList, Content, Picked, Pressed, kind
from app.content import text as text_of


def heard(effects: Iterable[Effect]) -> list[tuple[str, str]]:
    """(who, text) of what a person would see at once; a file without a caption by its kind, as `[image]`. What the bot
    only notes for the team, and what it says at another time, is not heard."""
    found: list[tuple[str, str]] = []
    for effect in effects:
        if isinstance(effect, Send) and not effect.at:
            found.append(("bot", words_of(effect.content)))
        elif isinstance(effect, HandOff):
            found.append(("handoff", effect.reason))
    return found


def words_of(content: Content) -> str:
    """Its text, or what it is."""
    return text_of(content).strip() or f"[{kind(content)}]"


def choices_of(effects: Iterable[Effect]) -> tuple[Pressed | Picked, ...]:
    """What can be pressed or picked after them."""
    found: list[Pressed | Picked] = []
    for effect in effects:
        content = effect.content if isinstance(effect, Send) else None
        if isinstance(content, Buttons):
            found += [Pressed(choice.id, choice.title) for choice in content.choices]
        elif isinstance(content, ChoiceList):
            found += [Picked(row.id, row.title) for section in content.sections for row in section.choices]
    return tuple(found)
