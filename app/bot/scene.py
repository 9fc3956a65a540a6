"""What the bot is given and what it answers: the whole input and output of `decide`, as data.

Everything here is stored with a turn, so a turn can be decided again at any time and gives the identical decision.
"""

from typing import Any, Literal

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


class Arrived(msgspec.Struct, frozen=True, tag="message", tag_field="event", omit_defaults=True):
    """A message of the customer. `text` is what rules read (a pressed button's title, a caption…); empty where it is
    the content's own. Of quick messages that were gathered, `content` is the last, `burst` the ones before it and
    `text` what all of them say."""

    content: Content
    text: str = ""
    reply_to: str = ""
    referral: dict[str, Any] | None = None
    burst: tuple[Content, ...] = ()


class Frame(msgspec.Struct, frozen=True):
    """A running flow and where in its tree of steps it goes on."""

    flow: str
    at: tuple[int | str, ...] = ()


class Waiting(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the conversation waits for. `token` names it to the timer or the call; `since` and `due` are ms UTC, `due` 0
    without an end; `tries` are the answers that did not fit; `save` is the variable that takes the answer."""

    kind: Literal["answer", "timer", "call"]
    token: str
    since: int
    due: int = 0
    tries: int = 0
    save: str = ""


class Asked(msgspec.Struct, frozen=True):
    """What the bot's handler was given at `since` (ms UTC) and has not answered; its answer has the `token`."""

    token: str
    since: int
    handler: str
    message: Arrived


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """The bot's memory of one conversation. `missed`: fallbacks in a row; `choices`: what was offered last, so that a
    number typed for a numbered list is understood; `seed` drives every random choice. `frames` are the running flows,
    outermost first; `held` are messages answered once the wait or call is over, at most 10; `asked`: whom the
    bot's handler is to answer."""

    missed: int = 0
    choices: tuple[tuple[str, str], ...] = ()
    variables: dict[str, Any] = {}
    seed: int = 0
    turns: int = 0
    frames: tuple[Frame, ...] = ()
    waiting: Waiting | None = None
    held: tuple[Arrived, ...] = ()
    asked: Asked | None = None


class Scene(msgspec.Struct, frozen=True):
    """`channel` is the channel's name, `network` its connector kind; `last_heard` is when the person wrote before this
    (ms UTC, 0: never)."""

    state: State
    contact: ContactView
    capabilities: Capabilities
    channel: str = ""
    network: str = ""
    last_heard: int = 0
    opted_out: bool = False


CallError = Literal[
    "", "timeout", "refused", "unreachable", "too_large", "not_allowed", "bad_json", "bad_request", "unknown",
    "no_secret",
]  # fmt: skip


class GivenBack(msgspec.Struct, frozen=True, tag="given_back", tag_field="event"):
    """A person gave the conversation back to the bot."""


class TimerFired(msgspec.Struct, frozen=True, tag="timer", tag_field="event"):
    """The time of a `StartTimer` has come. A token that is not waited for does nothing."""

    token: str


class CallResult(msgspec.Struct, frozen=True, tag="call", tag_field="event", omit_defaults=True):
    """What a `Call` came back with: the HTTP `status` and as `body` the decoded JSON or the text; `error`: why it
    failed. `unknown`: it may have arrived or not, and was not made again; `no_secret`: it names a secret that is not
    there, and was not made. `request` (method, host and path, without secrets and query) and `took_ms` are for people
    who look."""

    token: str
    status: int = 0
    body: Any = None
    error: CallError = ""
    request: str = ""
    took_ms: int = 0


class Triggered(msgspec.Struct, frozen=True, tag="trigger", tag_field="event", omit_defaults=True):
    """The API, a webhook or a `Later` asks for something by name; a flow is `flow:NAME`."""

    name: str
    data: dict[str, Any] = {}


class Quiet(msgspec.Struct, frozen=True, tag="quiet", tag_field="event"):
    """Nobody wrote for the `seconds` a `WatchQuiet` asked for."""

    seconds: int


Event = Arrived | GivenBack | TimerFired | CallResult | Triggered | Quiet


class Send(msgspec.Struct, frozen=True, tag="send", tag_field="effect", omit_defaults=True):
    """Say this, already in the form the channel can show. `rule` names who speaks (shown on the bubble); `at` is when
    (ms UTC, 0: now); `reply_to` is the provider's id of the message that is quoted."""

    content: Content
    rule: str = ""
    quote: bool = False
    at: int = 0
    reply_to: str = ""


class HandOff(msgspec.Struct, frozen=True, tag="handoff", tag_field="effect", omit_defaults=True):
    """A person shall take over; the bot falls silent. `reason` is shown to the team;
    `team` names which one, empty: whoever is there."""

    reason: str = ""
    rule: str = ""
    team: str = ""


class Tag(msgspec.Struct, frozen=True, tag="tag", tag_field="effect", omit_defaults=True):
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    rule: str = ""


class SetField(msgspec.Struct, frozen=True, tag="field", tag_field="effect", omit_defaults=True):
    """A field of the contact; the value None removes it."""

    name: str
    value: Any = None
    rule: str = ""


class Note(msgspec.Struct, frozen=True, tag="note", tag_field="effect", omit_defaults=True):
    """A remark for the team, never sent."""

    text: str
    rule: str = ""


class Assign(msgspec.Struct, frozen=True, tag="assign", tag_field="effect", omit_defaults=True):
    """The conversation belongs to somebody: the e-mail address of a user, or the name of a team."""

    to: str
    rule: str = ""


class Close(msgspec.Struct, frozen=True, tag="close", tag_field="effect", omit_defaults=True):
    rule: str = ""


class Consent(msgspec.Struct, frozen=True, tag="consent", tag_field="effect", omit_defaults=True):
    """The person opts in (`given`) or out."""

    given: bool
    rule: str = ""


class StartTimer(msgspec.Struct, frozen=True, tag="timer", tag_field="effect", omit_defaults=True):
    """Comes back as `TimerFired` with this token at `due` (ms UTC)."""

    token: str
    due: int
    rule: str = ""


class Call(msgspec.Struct, frozen=True, tag="call", tag_field="effect", omit_defaults=True):
    """An HTTP request, which comes back as `CallResult` with this token; `timeout` in seconds. Where a secret goes,
    `url`, `headers`, `json` and `form` hold the marker `\\0secret:NAME\\0`; only who sends the request knows its value.
    `secrets` are the names."""

    token: str
    method: str
    url: str
    headers: dict[str, str] = {}
    json: Any = None
    form: dict[str, str] | None = None
    timeout: float = 10
    secrets: tuple[str, ...] = ()
    rule: str = ""


class Later(msgspec.Struct, frozen=True, tag="later", tag_field="effect", omit_defaults=True):
    """Starts a flow at `due` (ms UTC): comes back as `Triggered("flow:FLOW", data)`."""

    flow: str
    due: int
    data: dict[str, Any] = {}
    rule: str = ""


class WatchQuiet(msgspec.Struct, frozen=True, tag="quiet", tag_field="effect", omit_defaults=True):
    """Comes back as `Quiet` if nobody writes for so long from this turn on; a new one replaces it."""

    seconds: int
    rule: str = ""


Effect = Send | HandOff | Tag | SetField | Note | Assign | Close | Consent | StartTimer | Call | Later | WatchQuiet


class NearMiss(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule that nearly matched: `score` 0 to 1, `why` it lost in one sentence."""

    rule: str
    score: float
    why: Sentence


class Trace(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why the bot did what it did. `verdict` is one sentence; `matched` the words of the rule that decided it, `line`
    where the rule stands in the document; `degraded` lists what the channel could not show and what was done instead.
    `code` names the kind of verdict. `before`: the verdicts of rules that answered first and let others go on."""

    verdict: Sentence
    rule: str = ""
    line: int = 0
    matched: tuple[str, ...] = ()
    near: tuple[NearMiss, ...] = ()
    degraded: tuple[Sentence, ...] = ()
    problems: tuple[Sentence, ...] = ()
    code: str = ""
    before: tuple[Sentence, ...] = ()


class Decision(msgspec.Struct, frozen=True):
    effects: tuple[Effect, ...]
    state: State
    trace: Trace


class TurnInput(msgspec.Struct, frozen=True):
    """Everything `decide` was given, as stored with the turn (the version is named by the turn's row)."""

    scene: Scene
    event: Event
    now: int
