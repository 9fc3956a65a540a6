"""What rules are asked about: one event in its scene, and what of it conditions can look for.

Whatever costs time is found when a condition first asks for it, and once.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final

from app.bot.hours import Hours
from app.bot.opening import is_open
from app.bot.scene import Arrived, ContactView, Event, Quiet, Scene, State, Triggered
from app.bot.values import ITEMS, Room, number_text
from app.bot.words import fold, words
from app.capabilities import Capabilities
from app.content import Audio, Content, Location, Media, Order, Picked, Pressed, Reaction, Text, kind

# Characters that one condition may make on the way to its answer.
CONDITION_ROOM: Final = 4_096
LONGEST_VALUE: Final = 200


class Asked:
    """`text`, its `words` and the words of a pressed button's id (`button`) are what was read of a message; `names`
    makes what expressions can read. `bare`: only the words are known, so no other condition holds. `inactive`: seconds
    of the inactivity that is over now."""

    def __init__(
        self,
        scene: Scene,
        event: Event,
        now: int,
        text: str = "",
        found: list[str] | None = None,
        button: list[str] | None = None,
        hours: Hours | None = None,
        names: Callable[[], Mapping[str, Any]] = dict,
        bare: bool = False,
        inactive: int = 0,
    ) -> None:
        self.scene, self.event, self.now, self.text = scene, event, now, text
        self.words = found or []
        self.button = button
        self._hours, self._names, self.bare = hours, names, bare
        self.inactive = inactive

    @cached_property
    def prompt(self) -> str:
        """What happened without a message, as rules are found by it; '' if a message came."""
        match self.event:
            case Triggered(name=name):
                return f"trigger {fold(name)}"
            case Quiet():
                return f"inactive {self.inactive}"
            case _:
                return ""

    @cached_property
    def contents(self) -> tuple[Content, ...]:
        """What came; of quick messages that were gathered, each."""
        event = self.event
        return (*event.burst, event.content) if isinstance(event, Arrived) else ()

    @property
    def reaction(self) -> str | None:
        """The emoji as it is compared; None if this is no reaction."""
        # Asked of every message, and nearly always no reaction: to keep the answer takes longer than to find it.
        content = self.event.content if isinstance(self.event, Arrived) else None
        return fold(content.emoji) if isinstance(content, Reaction) else None

    @cached_property
    def kinds(self) -> frozenset[str]:
        """Kinds of files, `location` and `order`."""
        return frozenset(
            "voice" if isinstance(content, Audio) and content.voice else kind(content)
            for content in self.contents
            if isinstance(content, Media | Location | Order)
        )

    @cached_property
    def pressed(self) -> frozenset[str]:
        """Ids of buttons and rows, as they are compared."""
        ids = {press(content.id) for content in self.contents if isinstance(content, Pressed | Picked)}
        return frozenset(ids | {" ".join(self.button)} if self.button else ids)

    @cached_property
    def referral(self) -> Mapping[str, tuple[str, ...]]:
        """What the link or ad told."""
        return texts((self.event.referral if isinstance(self.event, Arrived) else None) or {})

    @cached_property
    def tags(self) -> frozenset[str]:
        return frozenset(map(fold, self.scene.contact.tags))

    @cached_property
    def fields(self) -> Mapping[str, tuple[str, ...]]:
        """Fields that have a value."""
        return texts(self.scene.contact.fields)

    @cached_property
    def first(self) -> bool:
        return self.scene.last_heard == 0

    @cached_property
    def pause(self) -> int:
        """Seconds since the person wrote before; as good as for ever if never."""
        return 1 << 40 if self.first else (self.now - self.scene.last_heard) // 1_000

    @cached_property
    def open(self) -> bool:
        return self._hours is None or is_open(self._hours, self.now)

    def holds(self, condition: Callable[[Room], Any]) -> bool:
        """Whether an expression does, in a room of its own."""
        room = Room(self.names)
        room.left = CONDITION_ROOM
        return bool(condition(room))

    @cached_property
    def names(self) -> Mapping[str, Any]:
        return self._names()


def bare(text: str, pairs: str = "") -> Asked:
    """A text of which nobody knows who wrote it, where and when. `pairs` as in `words.fold`."""
    nobody = Scene(State(), ContactView(""), Capabilities())
    return Asked(nobody, Arrived(Text(text)), 0, text, words(text, pairs), bare=True)


def press(identity: str) -> str:
    """An id as it is compared: by its words, or as it is where it has none."""
    return " ".join(words(identity)) or identity


def texts(values: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    found = {name: plain(value) for name, value in values.items()}
    return {name: value for name, value in found.items() if value}


def plain(value: Any) -> tuple[str, ...]:
    """A value as rules compare it, of a list each; none where there is none, and for groups."""
    if isinstance(value, list | tuple):
        return tuple(text for item in value[:ITEMS] if not isinstance(item, list | tuple) for text in plain(item))
    if isinstance(value, bool):
        return ("true",) if value else ("false",)
    if isinstance(value, int | float):
        return (number_text(value),)
    text = fold(value[:LONGEST_VALUE]).strip() if isinstance(value, str) else ""
    return (text,) if text else ()
