"""Why a reply was given, from a stored turn: one explanation for inbox and simulator (`explain/_why.html`)."""

import re
from typing import Any

import msgspec
from markupsafe import Markup, escape

from app import content
from app.bot.scene import Arrived, Decision, HandOff, NearMiss, State, TurnInput
from app.i18n import _, fmt, tell
from app.store.threads import Times, Turn

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
    """`heard` is what the person wrote, the deciding words marked; `total` ms until the network took it."""

    verdict: str
    heard: Markup
    rule: str
    line: int
    version: str
    live: bool
    bot_id: int | None
    conversation_id: int
    turns: int
    near: tuple[NearMiss, ...]
    variables: tuple[Variable, ...]
    degraded: tuple[str, ...]
    problems: tuple[str, ...]
    handoff: str
    error: str
    parts: tuple[Part, ...]
    total: float
    at: int

    @property
    def took(self) -> str:
        return milliseconds(self.total)


def milliseconds(ms: float) -> str:
    """0.4 ms, 214 ms, 1.2 s."""
    if ms < 0.1:
        return _("under 0.1 ms")
    if ms >= 1000:
        return fmt.duration(round(ms))
    return _("{n} ms").format(n=fmt.number(round(ms, 1) if ms < 10 else round(ms)))


def view(turn: Turn, times: Times | None = None) -> Why:
    """Everything the explanation shows. A turn that failed has its traceback instead of a verdict."""
    given = _decoded(_input, turn.input)
    decision = _decoded(_decision, turn.output) if turn.output else None
    trace = decision.trace if decision else None
    effects = decision.effects if decision else ()
    parts = _parts(turn, times)
    return Why(
        verdict=_verdict(turn, decision),
        heard=_heard(given, trace.matched if trace else ()),
        rule=trace.rule if trace else "",
        line=trace.line if trace else 0,
        version=_version(turn),
        live=bool(turn.live),
        bot_id=turn.bot_id,
        conversation_id=turn.conversation_id,
        turns=given.scene.state.turns + 1 if given else 0,
        near=tuple(map(_near, trace.near)) if trace else (),
        variables=_variables(given, decision),
        degraded=tuple(map(tell, trace.degraded)) if trace else (),
        problems=tuple(map(tell, trace.problems)) if trace else (),
        handoff=next((effect.reason or effect.rule for effect in effects if isinstance(effect, HandOff)), ""),
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
    found = {name: _short(value) for name, value in state.variables.items()}
    if state.missed:
        found["missed"] = str(state.missed)
    return found


def _short(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 120 else f"{text[:119]}…"


def _parts(turn: Turn, times: Times | None) -> tuple[Part, ...]:
    """Deciding is measured; writing and sending follow from the times that were kept."""
    parts = [Part(_("decide"), turn.took_us / 1000, "d")]
    if times and times.written_at is not None and times.accepted_at is not None:
        parts.append(Part(_("write and send"), float(times.accepted_at - times.written_at), "a"))
    return tuple(parts)
