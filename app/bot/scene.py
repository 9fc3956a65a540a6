"""What the bot is given and what it answers: the whole input and output of `decide`, as data.

Everything here is stored with a turn, so a turn can be decided again at any time and gives the identical decision.
"""

from typing import Any

import msgspec

from app.capabilities import Capabilities
from app.content import Content
from app.said import Sentence


class ContactView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a bot may know of the person. `fields` are free (text, number, list); `name` may be empty."""

    id: str
    name: str = ""
    first_name: str = ""
    phone: str = ""
    username: str = ""
    language: str = ""
    tags: tuple[str, ...] = ()
    fields: dict[str, Any] = {}
    first_seen: int = 0


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """The bot's memory of one conversation. `missed`: fallbacks in a row; `choices`: what was offered last, so that a
    number typed for a numbered list is understood; `seed` drives every random choice."""

    missed: int = 0
    choices: tuple[tuple[str, str], ...] = ()
    variables: dict[str, Any] = {}
    seed: int = 0
    turns: int = 0


class Scene(msgspec.Struct, frozen=True):
    """`channel` is the channel's name, `network` its connector kind."""

    state: State
    contact: ContactView
    capabilities: Capabilities
    channel: str = ""
    network: str = ""


class Arrived(msgspec.Struct, frozen=True, tag="message", tag_field="event", omit_defaults=True):
    """A message of the customer. `text` is what rules read (a pressed button's title, a caption…); empty where it is
    the content's own."""

    content: Content
    text: str = ""
    reply_to: str = ""
    referral: dict[str, Any] | None = None


class GivenBack(msgspec.Struct, frozen=True, tag="given_back", tag_field="event"):
    """A person gave the conversation back to the bot."""


Event = Arrived | GivenBack


class Send(msgspec.Struct, frozen=True, tag="send", tag_field="effect", omit_defaults=True):
    """Say this, already in the form the channel can show. `rule` names who speaks (shown on the bubble)."""

    content: Content
    rule: str = ""
    quote: bool = False


class HandOff(msgspec.Struct, frozen=True, tag="handoff", tag_field="effect", omit_defaults=True):
    """A person shall take over; the bot falls silent. `reason` is shown to the team."""

    reason: str = ""
    rule: str = ""


Effect = Send | HandOff


class NearMiss(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule that nearly matched: `score` 0 to 1, `why` it lost in one sentence."""

    rule: str
    score: float
    why: Sentence


class Trace(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why the bot did what it did. `verdict` is one sentence; `matched` the words of the rule that decided it, `line`
    where the rule stands in the document; `degraded` lists what the channel could not show and what was done instead.
    `code` names the kind of verdict."""

    verdict: Sentence
    rule: str = ""
    line: int = 0
    matched: tuple[str, ...] = ()
    near: tuple[NearMiss, ...] = ()
    degraded: tuple[Sentence, ...] = ()
    problems: tuple[Sentence, ...] = ()
    code: str = ""


class Decision(msgspec.Struct, frozen=True):
    effects: tuple[Effect, ...]
    state: State
    trace: Trace


class TurnInput(msgspec.Struct, frozen=True):
    """Everything `decide` was given, as stored with the turn (the version is named by the turn's row)."""

    scene: Scene
    event: Event
    now: int
