"""A bot of a thousand rules with a flow of fifty steps, walked from end to end: `pytest -s` on this file.

Thread time on one core. The floor of the same run is what every turn costs whoever decides it: its input and its
decision become JSON and are read again, as the database needs them. The two are measured in turns with each other, so
that the ratio holds on a machine that is busy or slow, where the plain numbers do not.
"""

import statistics
import time
from collections.abc import Iterator

import msgspec
import pytest

from app.bot.decide import decide
from app.bot.document import Version, compile_version
from app.bot.scene import Arrived, ContactView, Decision, Scene, State, TurnInput
from app.capabilities import Capabilities
from app.content import Text
from tests.bench.test_decide import SYLLABLES

NOW = 1_790_000_000_000
ABLE = Capabilities(buttons=3, list_rows=10)
ANA = ContactView("1", "Ana Souza", "Ana")
QUESTIONS = 10
ROUNDS = 150
MOST_RATIO = 8.0  # deciding ÷ the floor
ANSWERS = ("apple pie with cream", "12", "yes please", "ana@shop.example", "2,5 kg")
EXPECTED = ("text", "{integer: {min: 1, max: 50}}", "yes_no", "email", "decimal")
DECISION: msgspec.json.Decoder[Decision] = msgspec.json.Decoder(Decision)
INPUT: msgspec.json.Decoder[TurnInput] = msgspec.json.Decoder(TurnInput)


def document(rules: int) -> str:
    """Rules of two words and a phrase each, and a flow of fifty steps with ten questions, branches and texts."""
    lines = ["bot: Bench", "rules:"]
    lines.append("  - {name: begin, when: {says: begin}, do: [{start: form}]}")
    for at in range(rules - 1):
        word = SYLLABLES[at % len(SYLLABLES)] + SYLLABLES[at // len(SYLLABLES) % len(SYLLABLES)]
        lines.append(
            f'  - {{name: r{at}, when: {{says: [w{at}, "{word} v{at}", u{at}]}}, do: [{{say: "Answer {at}."}}]}}'
        )
    lines += ['fallback: {do: [{say: "Sorry?"}]}', "flows:", "  form:"]
    for at in range(QUESTIONS):
        lines += [
            f'    - ask: {{text: "{at}, {{{{ contact.first_name }}}}?", expect: {EXPECTED[at % 5]}, save: a{at}}}',
            f'    - set: {{total: "{{{{ (total | default(0)) + {at} }}}}"}}',
            f"    - {{if: total > {at * 3}, then: [{{say: More than that.}}], else: [{{say: Less than that.}}]}}",
            f"    - {{switch: a{at}, cases: {{twelve: [{{tag: dozen}}]}}, else: [{{tag: other}}]}}",
            f'    - say: "Noted: {{{{ a{at} }}}}."',
        ]
    return "\n".join(lines) + "\n"


def walk(bot: Version) -> Iterator[tuple[TurnInput, float, Decision]]:
    """One conversation: a rule or two, the flow from its begin to its end, an answer that does not fit. Each turn's
    input, thread time (s) and decision."""
    state = State()
    chat = ["hello", "w500", "begin", "no number", *(ANSWERS[at % 5] for at in range(QUESTIONS)), "v7 and u998", "bye"]
    for text in chat:
        given = TurnInput(Scene(state, ANA, ABLE, "Shop", "whatsapp_cloud"), Arrived(Text(text), text), NOW)
        began = time.thread_time()
        decision = decide(bot, given.scene, given.event, given.now)
        yield given, time.thread_time() - began, decision
        state = decision.state


def stored(given: TurnInput, decision: Decision) -> float:
    """Thread time (s) of writing and reading one turn."""
    began = time.thread_time()
    INPUT.decode(msgspec.json.encode(given))
    DECISION.decode(msgspec.json.encode(decision))
    return time.thread_time() - began


@pytest.fixture(scope="module")
def bot() -> Version:
    return compile_version(document(1_000))


def test_the_walk_goes_through_the_whole_flow(bot: Version) -> None:
    turns = list(walk(bot))
    assert [decision.trace.rule for _, _, decision in turns][:3] == ["fallback", "r500", "begin"]
    assert {f"a{at}" for at in range(QUESTIONS)} <= set(turns[-1][2].state.variables)
    assert turns[-1][2].state.frames == ()


def test_a_thousand_rules_and_fifty_steps_decide_five_thousand_turns_a_second(bot: Version) -> None:
    decided, floor = [], []
    for _ in range(ROUNDS):
        for given, took, decision in walk(bot):
            decided.append(took)
            floor.append(stored(given, decision))
    rate, p99 = len(decided) / sum(decided), statistics.quantiles(decided, n=100)[98]
    ratio = statistics.median(decided) / statistics.median(floor)
    print(f"{rate:,.0f} turns/s, p99 {p99 * 1e6:.0f} µs, deciding ÷ storing {ratio:.2f}")
    assert ratio < MOST_RATIO
    assert rate >= 5_000
    assert p99 < 0.001


def test_ten_times_the_rules_cost_less_than_three_times_in_the_flow_too(bot: Version) -> None:
    many = compile_version(document(10_000))
    less, more = [], []
    for _ in range(ROUNDS):
        less.append(sum(took for _, took, _ in walk(bot)))
        more.append(sum(took for _, took, _ in walk(many)))
    assert min(more) < 3 * min(less)
