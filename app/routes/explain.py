"""Why a reply was given, from a stored turn: one explanation for inbox and simulator (`explain/_why.html`)."""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from markupsafe import Markup, escape

from app import content
from app.bot.scene import Arrived, Call, CallResult, Decision, Effect, HandOff, NearMiss, State, TurnInput
from app.db import Reader
from app.i18n import _, tell
from app.routes import happened
from app.routes.happened import Called, Line, Standing, milliseconds, short
from app.store import explained
from app.store.explained import Times, Turn

CALLED: Final = '"effect":"call"'  # how a stored decision names a call
ANSWERED: Final = '"event":"call"'  # and a stored input its answer
WITHIN: Final = 86_400_000  # ms in which a call is answered

_input: msgspec.json.Decoder[TurnInput] = msgspec.json.Decoder(TurnInput)
_decision: msgspec.json.Decoder[Decision] = msgspec.json.Decoder(Decision)


class Variable(msgspec.Struct, frozen=True):
    """A remembered value before and after; '' where there was none."""

    name: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        return self.before != self.after


class Part(msgspec.Struct, frozen=True):
    """A stretch of the time bar. `tone` is its colour's class."""

    name: str
    ms: float
    tone: str

    @property
    def shown(self) -> str:
        return milliseconds(self.ms)


class Why(msgspec.Struct, frozen=True):
    """`event` is what the turn is about, `heard` what the person wrote, the deciding words marked; `before` tells of
    rules that answered first and let others go on; `did` what the bot
    asked for, `calls` its HTTP calls and how they went; `total` ms until the network took it."""

    id: int
    event: Line | None
    verdict: str
    before: tuple[str, ...]
    heard: Markup
    rule: str
    line: int
    version: str
    number: int | None
    live: bool
    bot_id: int | None
    conversation_id: int
    turns: int
    near: tuple[NearMiss, ...]
    variables: tuple[Variable, ...]
    degraded: tuple[str, ...]
    problems: tuple[str, ...]
    handoff: str
    did: tuple[Line, ...]
    calls: tuple[Called, ...]
    standing: Standing
    error: str
    parts: tuple[Part, ...]
    total: float
    at: int

    @property
    def took(self) -> str:
        return milliseconds(self.total)


async def read(db: Reader, turn: Turn) -> Why:
    """The explanation with what stands elsewhere: when the network took the reply, and how calls went."""
    times = await db.one(explained.TIMES, id=turn.id)
    around: list[explained.Step] = []
    if is_about_calls(turn):
        around = await db.all(
            explained.CALLS, id=turn.conversation_id, since=turn.at - WITHIN, until=turn.at + WITHIN,
            called=f"%{CALLED}%", answered=f"%{ANSWERED}%",
        )  # fmt: skip
    return view(turn, times, around)


def is_about_calls(turn: Turn) -> bool:
    return CALLED in turn.output or ANSWERED in turn.input


def view(turn: Turn, times: Times | None = None, around: Sequence[explained.Step] = ()) -> Why:
    """Everything the explanation shows. A turn that failed has its traceback instead of a verdict. `around`: turns of
    the conversation in which calls were made or answered."""
    given = _decoded(_input, turn.input)
    decision = _decoded(_decision, turn.output) if turn.output else None
    trace = decision.trace if decision else None
    effects = decision.effects if decision else ()
    parts = _parts(turn, times)
    return Why(
        id=turn.id,
        event=happened.happened(given.event) if given else None,
        verdict=_verdict(turn, decision),
        before=tuple(map(tell, trace.before)) if trace else (),
        heard=_heard(given, trace.matched if trace else ()),
        rule=trace.rule if trace else "",
        line=trace.line if trace else 0,
        version=_version(turn),
        number=turn.number,
        live=bool(turn.live),
        bot_id=turn.bot_id,
        conversation_id=turn.conversation_id,
        turns=given.scene.state.turns + 1 if given else 0,
        near=tuple(map(_near, trace.near)) if trace else (),
        variables=_variables(given, decision),
        degraded=tuple(map(tell, trace.degraded)) if trace else (),
        problems=tuple(map(tell, trace.problems)) if trace else (),
        handoff=next((effect.reason or effect.rule for effect in effects if isinstance(effect, HandOff)), ""),
        did=happened.did(effects),
        calls=_calls(turn.at, given, effects, around) if is_about_calls(turn) else (),
        standing=happened.standing(decision.state) if decision else Standing(),
        error=turn.error,
        parts=parts,
        total=sum(part.ms for part in parts),
        at=turn.at,
    )


def _decoded(decoder: msgspec.json.Decoder[Any], text: str) -> Any:
    """None for what another version of the program stored."""
    try:
        return decoder.decode(text)
    except msgspec.DecodeError:
        return None


def _verdict(turn: Turn, decision: Decision | None) -> str:
    if turn.error:
        if turn.message_id is None:
            return _("The bot could not decide: its program failed. Nothing was done.")
        return _("The bot could not decide: its program failed. The message is stored and was not answered.")
    if decision is None:
        return _("This was decided by another version of Parley, which explained itself differently.")
    return tell(decision.trace.verdict)


def _near(miss: NearMiss) -> NearMiss:
    return msgspec.structs.replace(miss, why=tell(miss.why))


def _version(turn: Turn) -> str:
    if turn.number is None:
        return _("{bot}, draft").format(bot=turn.bot) if turn.bot else _("Draft")
    live = _("{bot}, version {n}, live") if turn.live else _("{bot}, version {n}")
    return live.format(bot=turn.bot, n=turn.number)


def _heard(given: TurnInput | None, matched: tuple[str, ...]) -> Markup:
    """The person's words; those that decided are marked."""
    if given is None or not isinstance(given.event, Arrived):
        return Markup("")
    text = (given.event.text or content.text(given.event.content))[:300]
    wanted = [re.escape(word) for word in matched if word]
    if not text or not wanted:
        return Markup(escape(text))
    pieces = re.split(f"({'|'.join(sorted(wanted, key=len, reverse=True))})", text, flags=re.IGNORECASE)
    marked = (Markup("<mark>%s</mark>") % piece if place % 2 else escape(piece) for place, piece in enumerate(pieces))
    return Markup("").join(marked)


def _variables(given: TurnInput | None, decision: Decision | None) -> tuple[Variable, ...]:
    before = _remembered(given.scene.state) if given else {}
    after = _remembered(decision.state) if decision else before
    return tuple(Variable(name, before.get(name, ""), after.get(name, "")) for name in {**before, **after})


def _remembered(state: State) -> dict[str, str]:
    """What the bot knows, as short JSON; counters only where they count something."""
    found = {name: short(value) for name, value in state.variables.items()}
    if state.missed:
        found["missed"] = str(state.missed)
    return found


def _calls(
    at: int, given: TurnInput | None, effects: Sequence[Effect], around: Sequence[explained.Step]
) -> tuple[Called, ...]:
    """The calls this turn made, each with its answer once there is one; and the call whose answer it is about."""
    turns = [(step.at, _decoded(_input, step.input), _decoded(_decision, step.output)) for step in around]
    answers = {
        heard.event.token: (when, heard.event)
        for when, heard, _out in turns
        if heard is not None and isinstance(heard.event, CallResult) and when >= at
    }
    found = []
    if given is not None and isinstance(given.event, CallResult):
        asked = [
            (when, effect)
            for when, _in, decided in turns
            for effect in (decided.effects if decided is not None else ())
            if isinstance(effect, Call) and effect.token == given.event.token and when <= at
        ]
        found += [happened.called(call, given.event, at - when) for when, call in asked[-1:]]
    for call in effects:
        if isinstance(call, Call):
            when, answer = answers.get(call.token, (at, None))
            found.append(happened.called(call, answer, when - at))
    return tuple(found)


def _parts(turn: Turn, times: Times | None) -> tuple[Part, ...]:
    """Deciding is measured; writing and sending follow from the times that were kept."""
    parts = [Part(_("decide"), turn.took_us / 1000, "d")]
    if times and times.written_at is not None and times.accepted_at is not None:
        parts.append(Part(_("write and send"), float(times.accepted_at - times.written_at), "a"))
    return tuple(parts)
