"""No accepted document makes a turn raise, exceed its limits or come out differently the second time."""

import time
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.bot.decide import decide
from app.bot.document import DocumentError, Version, compile_version, parse, prepare
from app.bot.lint import lint
from app.bot.run import DEEPEST, MOST_VARIABLES
from app.bot.scene import Arrived, CallResult, ContactView, Decision, Event, Quiet, Scene, State, TimerFired, Triggered
from app.bot.turn import MOST_EFFECTS
from app.bot.typos import Typos, distance, slips
from app.bot.values import OUTPUT
from app.bot.words import words
from app.capabilities import Capabilities
from app.content import Audio, Content, Image, Location, Order, Picked, Pressed, Reaction, Text
from app.content import text as text_of
from tests.bot.turns import FILES, NOW
from tests.effort import examples

word = st.sampled_from(["hi", "menu", "a", "b", "ç", "菜", "👍", "سلام", "42", "no!", "naïve"])
phrase = st.lists(word, min_size=1, max_size=4).map(" ".join)
NAMES = "contact.name contact.fields.x message.text x y.z y[0] now contact 1 'a'"
FILTERS = "upper title length join number(2) round int date first replace('a',x) truncate(3) default(x)"
FILTERS += " time money('EUR') phone date('full')"
name = st.sampled_from(NAMES.split())
filters = st.sampled_from(FILTERS.split())
operator = st.sampled_from(["+", "-", "*", "/", "%", "~", "==", "<", "in", "and", "or"])


def expressions(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.builds("({} {} {})".format, inner, operator, inner)
        | st.builds("({} | {})".format, inner, filters)
        | st.builds("({} if {} else {})".format, inner, inner, inner)
        | st.builds("(not {})".format, inner)
        | st.builds("({} is defined)".format, inner)
    )


expression = st.recursive(name, expressions, max_leaves=8)
part = (
    st.text("abé 菜}\n", max_size=20)
    | st.builds("{{{{ {} }}}}".format, expression)
    | st.builds("{{% if {} %}}{{{{ {} }}}}{{% endif %}}".format, expression, expression)
)
filled = expression.map("{{{{ {} }}}}".format)
template = st.lists(part, min_size=1, max_size=4).map(lambda parts: "t" + "".join(parts)) | filled
LONG = "long " * 2_000
both = st.dictionaries(st.sampled_from(["en", "pt"]), template, min_size=1)
texts = template | both | st.lists(template, min_size=1, max_size=3) | st.builds(lambda: LONG)
patterns = st.sampled_from(["a+b", "(x|y)*", "^.{3,}$", "[a-f]{1,20}z", ".*"])
regexes = patterns | st.text("ab.*+?|()", min_size=1, max_size=9)
listening = {"any": phrase, "all": st.lists(phrase, min_size=1, max_size=3), "starts": phrase, "exact": phrase}
listening |= {"fuzzy": st.lists(phrase | st.sampled_from(["delivery", "place an order"]), min_size=1, max_size=3)}
says = st.one_of(
    phrase,
    st.lists(phrase, min_size=1, max_size=4),
    st.fixed_dictionaries({}, optional=listening | {"regex": regexes}),
)
degrees = st.integers(-90, 90) | st.floats(-90, 90).map(lambda value: round(value, 3)) | filled
titles = st.lists(st.text("abcdefg", min_size=1, max_size=30), min_size=1, max_size=12, unique=True)
step = st.one_of(
    st.fixed_dictionaries({"say": texts}),
    st.fixed_dictionaries({"say": texts, "buttons": titles}, optional={"header": template | both, "footer": template}),
    st.fixed_dictionaries({"say": texts, "list": st.fixed_dictionaries({"label": st.just("l"), "choices": titles})}),
    st.fixed_dictionaries({"image": st.just("https://x.example/{{ x }}")}, optional={"caption": template}),
    st.fixed_dictionaries({"handoff": template | st.fixed_dictionaries({"reason": template, "team": template})}),
    st.fixed_dictionaries(
        {"location": st.fixed_dictionaries({"latitude": degrees, "longitude": degrees}, optional={"name": template})},
        optional={"quote": st.just(True)},
    ),
    st.fixed_dictionaries({"contact": st.fixed_dictionaries({"name": template, "phone": texts})}),
    st.fixed_dictionaries({"reaction": st.sampled_from("👍❤") | filled}),
    st.fixed_dictionaries(
        {"template": st.just("t"), "language": st.just("en")},
        optional={
            "parameters": st.lists(template, min_size=1, max_size=3)
            | st.dictionaries(st.sampled_from("xyz"), template, min_size=1),
            "text": template,
            "urls": st.lists(template, min_size=1, max_size=2) | st.just({"2": "{{ x }}"}),
            "header": template | st.just({"image": "https://x.example/{{ x }}"}),
        },
    ),
)
plain_steps = st.lists(step, min_size=1, max_size=4) | step.map(lambda one: [one] * 20)
FLOWS = ["one", "two", "three"]
kinds = st.sampled_from(
    ["text", "integer", "decimal", "email", "phone", "yes_no", "location", "media", "date", "time", "datetime"]
)
question = st.fixed_dictionaries(
    {"text": template, "save": st.sampled_from("xyz")},
    optional={
        "retries": st.integers(0, 2),
        "again": template,
        "cancel": phrase,
        "expect": kinds,
        "reminder": st.fixed_dictionaries({"after": st.just("10m"), "text": template}),
        "timeout": st.fixed_dictionaries({"after": st.just("1h")}, optional={"do": plain_steps}),
    },
)
choosing = st.fixed_dictionaries({"text": template | both, "save": st.sampled_from("xyz"), "choices": titles})


lengths = st.sampled_from(["1s", "30s", "2h", "1d 1h"]) | filled
times = st.sampled_from(["open", "18:00", "2030-01-01 09:00", "2020-01-01"]) | filled


bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | template | st.just("{{ secret.key }}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\0", max_size=3), inner, max_size=3),
    max_leaves=6,
)
calls = st.fixed_dictionaries(
    {"post": template.map("https://a.example/{}".format)},
    optional={
        "headers": st.dictionaries(st.sampled_from(["A", "B"]), template, max_size=2),
        "json": bodies,
        "save": st.sampled_from("xyz"),
        "map": st.dictionaries(st.sampled_from("xyz"), expression | st.just("reply.x[0]"), max_size=2),
    },
)


def failures(branch: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(["404", "5xx", "timeout", "else"]), branch, min_size=1, max_size=2)


def leading(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Steps that lead a conversation, with such steps inside."""
    branch = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.fixed_dictionaries({"ask": question | choosing}, optional={"otherwise": branch}),
        st.fixed_dictionaries({"if": expression, "then": branch}, optional={"else": branch}),
        st.fixed_dictionaries(
            {"switch": expression, "cases": st.dictionaries(word, branch, min_size=1, max_size=2)},
            optional={"else": branch},
        ),
        st.fixed_dictionaries({"start": st.sampled_from(FLOWS)}),
        st.fixed_dictionaries({"goto": st.sampled_from(["here", "start"])}),
        st.fixed_dictionaries({"set": st.fixed_dictionaries({"language": st.sampled_from(["en", "pt"]) | filled})}),
        st.fixed_dictionaries({"set": st.dictionaries(st.sampled_from("xyz"), template, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"field": st.dictionaries(st.sampled_from("xyz"), template, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"tag": template}),
        st.fixed_dictionaries({"untag": template}),
        st.sampled_from([{"return": True}, {"close": True}, {"opt_in": True}, {"opt_out": True}]),
        st.fixed_dictionaries({"wait": lengths | st.fixed_dictionaries({"until": times})}),
        st.fixed_dictionaries({"schedule": template | st.lists(step, min_size=1, max_size=2), "at": times}),
        st.fixed_dictionaries(
            {"later": st.sampled_from(FLOWS), "after": lengths},
            optional={"with": st.dictionaries(st.sampled_from("xyz"), template, max_size=2)},
        ),
        st.fixed_dictionaries({"call": calls}, optional={"failed": branch | failures(branch)}),
        st.fixed_dictionaries({"note": template}),
        st.fixed_dictionaries({"assign": template}),
        st.fixed_dictionaries(
            {
                "random": st.lists(
                    branch | st.fixed_dictionaries({"do": branch}, optional={"weight": st.integers(1, 9)}),
                    min_size=2,
                    max_size=3,
                )
            }
        ),
    )


moves = st.recursive(step, leading, max_leaves=6)
steps = plain_steps | st.lists(moves, min_size=1, max_size=6).map(
    lambda made: [{"label": "start"}, *made, {"label": "here"}]
)
some = st.lists(st.sampled_from("xyz"), min_size=1, max_size=2, unique=True)
emoji = st.sampled_from(["👍", "❤️", "any"])
asked = {
    "says": says,
    "pressed": phrase,
    "media": st.sampled_from(["any", "image", "voice", ["video", "sticker"]]),
    "location": st.just(True),
    "order": st.just(True),
    "reaction": emoji | st.lists(emoji, min_size=1, max_size=2),
    "referral": st.just("any") | st.dictionaries(st.sampled_from("xyz"), phrase | st.just("*a*"), min_size=1),
    "first": st.just(True),
    "first_after": st.sampled_from(["1s", "12h", "366d"]),
    "tag": some,
    "no_tag": some,
    "field": some | st.dictionaries(st.sampled_from("xyz"), phrase | st.just("a*"), min_size=1, max_size=2),
    "no_field": some,
    "channel": st.sampled_from(["Shop", "Other"]),
    "network": st.sampled_from(["telegram", "simulator"]),
    "open": st.booleans(),
    "if": expression,
}
# Of so many conditions few would hold together.
conditions = st.sets(st.sampled_from(list(asked)), min_size=1, max_size=3).flatmap(
    lambda names: st.fixed_dictionaries({name: asked[name] for name in sorted(names)})
)
prompts = st.fixed_dictionaries(
    {"trigger": st.sampled_from(["a", "b"])}, optional={"if": expression, "tag": some}
) | st.fixed_dictionaries({"inactivity": st.sampled_from(["10m", "30m"])}, optional={"open": st.booleans()})
rule = st.fixed_dictionaries(
    {"when": st.fixed_dictionaries({"says": says}) | conditions | prompts, "do": steps},
    optional={"interrupt": st.booleans(), "continue": st.booleans(), "priority": st.integers(-2, 2)},
)
HOURS = [
    {"zone": "America/Sao_Paulo"},
    {
        "zone": "UTC",
        "mon-fri": "08:00-18:00",
        "holidays": ["12-25", {"date": "12-31", "to": "01-02", "hours": "08:00-09:00"}],
    },
    {"zone": "Asia/Tokyo", "sat": ["00:00-24:00"], "holidays": [{"date": "2026-09-01", "to": "2026-09-30"}]},
]
documents = st.fixed_dictionaries(
    {
        "bot": st.just("T"),
        "rules": st.lists(rule, min_size=1, max_size=4),
        "flows": st.fixed_dictionaries({name: steps for name in FLOWS}),
    },
    optional={
        "fallback": st.fixed_dictionaries({"do": steps}),
        "vocabulary": st.dictionaries(word, phrase, max_size=3),
        "language": st.sampled_from(["en", "pt-BR", "ar", "de"]),
        "hours": st.sampled_from(HOURS),
    },
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=6,
)
fields = st.dictionaries(st.sampled_from("xyz"), values, max_size=3)
scenes = st.builds(
    Scene,
    st.builds(
        State,
        st.integers(0, 5),
        st.lists(st.tuples(phrase, phrase), max_size=4).map(tuple),
        fields,
        st.integers(0, 2**63 - 1),
        st.integers(0, 9),
    ),
    st.builds(
        ContactView,
        st.just("1"),
        st.text(max_size=9),
        st.text(max_size=9),
        language=st.sampled_from(["", "en-GB", "pt_BR", "?"]),
        tags=st.lists(st.sampled_from("xyz"), max_size=2).map(tuple),
        fields=fields,
    ),
    st.builds(
        Capabilities,
        text=st.integers(20, 5_000),
        buttons=st.integers(0, 10),
        list_rows=st.integers(0, 10),
        media=st.sampled_from([{}, FILES]),
        location=st.booleans(),
        contacts=st.booleans(),
        reaction=st.booleans(),
        template=st.booleans(),
        quote=st.booleans(),
    ),
    st.sampled_from(["Shop", ""]),
    st.sampled_from(["simulator", "telegram"]),
    st.sampled_from([0, 1, NOW - 43_200_000, NOW, 2**62]),
)
messages: st.SearchStrategy[Content] = st.one_of(
    st.builds(Text, phrase | st.text(max_size=50)),
    st.builds(Pressed, phrase, phrase),
    st.builds(Picked, phrase, phrase),
    st.builds(Image, caption=phrase),
    st.builds(Audio, voice=st.booleans()),
    st.builds(Location, st.just(1.0), st.just(2.0), phrase),
    st.builds(Order, st.just("c"), st.just(()), phrase),
    st.builds(Reaction, st.just("m"), st.sampled_from(["👍", "❤", "😮", ""])),
)
referrals = st.none() | fields


# A message, alone or with what else came with it, or an event of which a state has the token.
Happening = Content | Event
tokens = st.sampled_from(["top", "below", "reminder", "none"])
happenings: st.SearchStrategy[Happening] = st.one_of(
    messages,
    st.builds(Arrived, messages, st.just(""), referral=referrals, burst=st.lists(messages, max_size=2).map(tuple)),
    st.builds(TimerFired, tokens),
    st.builds(Triggered, st.sampled_from(["a", "b", "flow:one", "flow:two", "c"]), fields),
    st.builds(Quiet, st.sampled_from([600, 1_200])),
    st.builds(CallResult, tokens, st.sampled_from([0, 200, 404, 500]), values, st.sampled_from(["", "timeout"])),
)


def event_of(happening: Happening, state: State) -> Event:
    if not isinstance(happening, Event):
        return Arrived(happening, text_of(happening))
    if not isinstance(happening, TimerFired | CallResult):
        return happening
    tokens = [str(frame.at[1]) for frame in state.frames if len(frame.at) > 1]
    own = state.waiting.token if state.waiting is not None else ""
    return msgspec.structs.replace(
        happening, token={"top": own, "below": (*tokens, "")[0], "reminder": f"{own}.r"}.get(happening.token, "t0.0")
    )


def accepted(document: dict[str, Any]) -> Version | None:
    for at, rule in enumerate(document["rules"]):
        rule["name"] = f"r{at}"
    try:
        known = parse(msgspec.json.encode(document).decode())
        lint(known)
        return prepare(known)
    except DocumentError as error:
        assert error.problems
        return None


@settings(max_examples=examples(15, 400), deadline=None, suppress_health_check=list(HealthCheck))
@given(documents, st.lists(st.tuples(scenes, happenings), min_size=1, max_size=8))
def test_P17_no_accepted_document_makes_a_turn_raise_or_exceed_its_limits(
    document: dict[str, Any], turns: list[tuple[Scene, Happening]]
) -> None:
    bot = accepted(document)
    if bot is None:
        return
    state = turns[0][0].state
    for one, happening in turns:
        scene = msgspec.structs.replace(one, state=state)
        event = event_of(happening, state)
        began = time.thread_time()
        decision = decide(bot, scene, event, NOW)
        assert time.thread_time() - began < 0.2
        assert within_limits(decision)
        assert repr(decide(bot, scene, event, NOW)) == repr(decision)
        stored = msgspec.json.decode(msgspec.json.encode(decision.state), type=State)
        state = stored if len(turns) % 2 else one.state


def within_limits(decision: Decision) -> bool:
    said = sum(len(text_of(effect.content)) for effect in decision.effects if hasattr(effect, "content"))
    trace = decision.trace
    known = trace.verdict and len(trace.near) <= 3 and len(trace.problems) <= 10
    state = decision.state
    running = len(state.frames) <= DEEPEST and bool(state.frames) == (state.waiting is not None)
    known = known and running and len(state.variables) <= MOST_VARIABLES + 3
    return bool(known and len(decision.effects) <= MOST_EFFECTS and said <= OUTPUT and 0 <= decision.state.seed < 2**63)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        compile_version("bot: T\n" + text)
    except DocumentError as error:
        assert error.problems and all(problem.line >= 1 and problem.column >= 1 for problem in error.problems)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(phrase, st.just(1), min_size=1, max_size=6), st.text("deliverymnu ", max_size=30))
def test_a_word_with_slips_is_found_where_the_distance_says_so(known: dict[str, int], message: str) -> None:
    typos = Typos()
    for text in (*known, "delivery", "menu"):
        if found := words(text):
            typos.add(tuple(found), text)
    for word in words(message)[:20]:
        near = {text for text in ("delivery", "menu") if distance(word, text) <= slips(text)}
        assert near <= set(typos.alike(word)) <= typos.known
