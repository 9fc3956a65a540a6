"""Waiting: when it is over, what a message does meanwhile, and what is sent or started later."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from app.bot.decide import decide
from app.bot.document import DocumentError, Version, compile_version
from app.bot.hours import Hours
from app.bot.moment import DAY, instant, length
from app.bot.resume import MOST_HELD
from app.bot.run import DEEPEST
from app.bot.scene import Arrived, Frame, GivenBack, HandOff, Later, Send, StartTimer, State, TimerFired, Waiting
from app.bot.turn import MOST_EFFECTS
from app.content import Image, Text
from tests.bot.turns import NOW, press, said, scene
from tests.bot.world import World

RULES = """\
bot: T
hours: {zone: America/Sao_Paulo, mon-fri: "08:00-18:00"}
rules:
  - {name: go, when: {says: go}, do: [{start: main}]}
  - {name: plain, when: {says: plain}, do: [{say: plain}]}
  - {name: person, when: {says: person}, do: [{handoff: asked}]}
  - {name: help, when: {says: help}, interrupt: true, do: [{say: helping}]}
  - name: aside
    when: {says: aside}
    interrupt: true
    do: [{ask: {text: aside?, save: aside}}, {say: "so {{ aside }}"}]
  - {name: more, when: {says: more}, do: [{ask: {text: more?, save: more}}, {say: "more {{ more }}"}]}
fallback: {do: [{say: "? {{ message.text }}"}]}
"""
ZONE = ZoneInfo("America/Sao_Paulo")


def main(*steps: str, more: str = "") -> Version:
    return compile_version(f"{RULES}flows:\n  main:\n" + "\n".join(f"    - {step}" for step in steps) + f"\n{more}")


def local(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=ZONE).timestamp()) * 1_000


SHORT = main("say: one", "wait: 10s", "say: two")
LONG = main("say: one", "wait: 2h", "say: two")


def test_a_flow_goes_on_when_the_time_of_its_timer_has_come() -> None:
    world = World(SHORT)
    assert world.say("go") == ["one"]
    assert world.last.effects == (
        Send(Text("one"), "flow main"),
        StartTimer("t0.0", NOW + 10_000, "flow main"),
    )
    assert world.state.waiting == Waiting("timer", "t0.0", NOW, NOW + 10_000)
    assert world.state.frames == (Frame("flow main", (1, "t0.0", NOW, NOW + 10_000)),)
    assert world.wait(9.999) == []
    assert world.wait(0.001) == ["two"]
    assert (world.code, world.last.trace.rule, world.last.trace.line) == ("waited", "flow main", 17)
    assert world.last.trace.verdict == "The wait of flow main is over."
    assert world.state.frames == () and world.state.waiting is None


def test_a_timer_fires_once() -> None:
    world = World(SHORT)
    world.say("go")
    before = world.state
    assert world.happen(TimerFired("t7.0")) == [] and world.code == "stale" and world.state == before
    world.wait(10)
    before = world.state
    assert world.happen(TimerFired("t0.0")) == [] and world.code == "stale" and world.state == before
    assert world.happen(TimerFired("t9.9")) == [] and world.code == "stale" and world.state == before


LENGTHS = {
    "90s": 90, "10m": 600, " 2h ": 7_200, "1d 12h": 129_600, "1w": 604_800, "1h30m": 5_400,
    "0m": 0, "10": 0, "1y": 0, "367d": 0, "": 0, "-5m": 0, "1.5h": 0, "9999999s": 0,
}  # fmt: skip


@pytest.mark.parametrize(("text", "seconds"), LENGTHS.items())
def test_durations(text: str, seconds: int) -> None:
    assert length(text) == seconds


NOON = local(2026, 9, 21, 12)  # a Monday
HOURS = Hours("America/Sao_Paulo", (((480, 720), (780, 1080)),) * 5 + (((600, 1440),), ()))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("18:00", local(2026, 9, 21, 18)),
        ("9:30", local(2026, 9, 22, 9, 30)),
        ("12:00", local(2026, 9, 22, 12)),
        ("2026-12-24 09:00", local(2026, 12, 24, 9)),
        ("2026-12-24T09:00", local(2026, 12, 24, 9)),
        ("2026-12-24", local(2026, 12, 24)),
        ("2020-01-01", local(2020, 1, 1)),
        ("open", local(2026, 9, 21, 13)),
        ("2026-02-30", None),
        ("25:00", None),
        ("soon", None),
    ],
)
def test_times(text: str, at: int | None) -> None:
    assert instant(text, HOURS, NOON) == at


def test_the_next_opening() -> None:
    assert instant("open", HOURS, local(2026, 9, 21, 10)) == local(2026, 9, 21, 10), "open already"
    assert instant("open", HOURS, local(2026, 9, 25, 18)) == local(2026, 9, 26, 10), "Friday evening"
    assert instant("open", HOURS, local(2026, 9, 26, 23, 59)) == local(2026, 9, 26, 23, 59), "until midnight"
    assert instant("open", HOURS, local(2026, 9, 27, 0)) == local(2026, 9, 28, 8), "Sunday"
    assert instant("open", Hours("UTC", ((),) * 7), NOON) is None
    assert instant("open", None, NOON) is None


def test_a_clock_that_is_set_forward_or_back_is_followed() -> None:
    berlin = Hours("Europe/Berlin", (((480, 720),),) * 7)
    eve = int(datetime(2026, 3, 28, 20, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()) * 1_000
    assert instant("open", berlin, eve) == eve + 11 * 3_600_000, "the night has eleven hours, not twelve"
    assert instant("02:30", berlin, eve) == eve + 23_400_000, "which that night does not have"


def test_waiting_until_a_time() -> None:
    world = World(main("wait: {until: '18:00'}", "say: evening"), NOON)
    assert world.say("go") == []
    assert world.state.waiting is not None and world.state.waiting.due == local(2026, 9, 21, 18)
    assert world.wait(6 * 3_600) == ["evening"]


def test_a_time_that_is_past_or_none_does_not_wait_and_is_told() -> None:
    assert World(main("wait: {until: open}", "say: now"), NOON).say("go") == ["now"]
    assert World(main("wait: {until: 2020-01-01}", "say: now")).say("go") == ["now"]
    for text, problem in {
        "{until: '{{ message.text }}'}": "“go” is not a time; it was left out",
        "'{{ message.text }}'": "“go” is not how long something takes; it was left out",
        "{until: '{{ 2090 }}-01-01'}": "“2090-01-01” is more than a year ahead; it was left out",
    }.items():
        world = World(main(f"wait: {text}", "say: now"))
        assert world.say("go") == ["now"] and world.last.trace.problems == (problem,)


def test_a_duration_may_be_filled_in() -> None:
    world = World(main("set: {n: 5}", "wait: '{{ n * 2 }}m'", "say: done"))
    world.say("go")
    assert world.wait(599) == [] and world.wait(1) == ["done"]


# ---- messages meanwhile ----------------------------------------------------------------------------------------------


def test_a_message_in_a_short_wait_is_answered_after_it() -> None:
    world = World(SHORT)
    assert world.say("go", "plain") == ["one"]
    assert world.code == "held" and world.last.trace.verdict == "flow main waits; the message is answered after that."
    assert [event.content for event in world.state.held] == [Text("plain")]
    assert world.wait(10) == ["two", "plain"]
    assert world.state.held == () and world.code == "waited"
    assert str(world.last.trace.verdict) == ("The wait of flow main is over. Said “plain”, a word of rule plain.")


def test_what_was_held_is_answered_as_one_message() -> None:
    world = World(SHORT)
    world.say("go", "I would like", Image(caption="this cake"), "please")
    assert world.wait(10) == ["two", "? I would like\nthis cake\nplease"]
    world = World(SHORT)
    world.say("go", "one", press("more", "More"))
    assert world.wait(10) == ["two", "more?"], "the last is still a pressed button"


def test_of_many_messages_the_newest_are_held() -> None:
    world = World(SHORT)
    world.say("go", *(str(n) for n in range(MOST_HELD + 2)))
    assert world.last.trace.problems == (f"More than {MOST_HELD} messages were held; the first was left out",)
    assert world.wait(10) == ["two", "? " + "\n".join(str(n) for n in range(2, MOST_HELD + 2))]


def test_what_was_written_before_a_question_is_no_answer_to_it() -> None:
    world = World(main("wait: 10s", "ask: {text: name?, save: name}", 'say: "{{ name }}"'))
    world.say("go", "thanks")
    assert world.wait(10) == ["name?"]
    assert world.last.trace.problems == ("What was written before the question was asked is not taken as its answer",)
    assert world.state.held == () and world.say("Ana") == ["Ana"]


def test_what_is_held_waits_for_the_next_short_wait_too() -> None:
    world = World(main("wait: 10s", "say: two", "wait: 10s", "say: three"))
    world.say("go", "plain")
    assert world.wait(10) == ["two"] and world.wait(10) == ["three", "plain"]
    world = World(main("wait: 10s", "say: two", "wait: 2h", "say: three"))
    world.say("go", "plain")
    assert world.wait(10) == ["two", "plain"], "a long wait holds nothing"
    assert world.wait(7_200) == ["three"]


def test_a_rule_that_may_interrupt_answers_at_once() -> None:
    for bot in (SHORT, LONG):
        world = World(bot)
        waiting = world.say("go") and world.state.waiting
        assert world.say("help") == ["helping"] and world.code == "interrupted" and world.state.waiting == waiting
        assert world.wait(7_200) == ["two"]


def test_in_a_long_wait_every_rule_and_the_fallback_answer() -> None:
    world = World(LONG)
    world.say("go")
    assert world.say("plain") == ["plain"] and world.say("what?") == ["? what?"]
    assert world.say("more", "cake") == ["more?", "more cake"]
    assert world.wait(7_200) == ["two"]


def test_a_wait_that_ends_below_a_question_goes_on_after_its_answer() -> None:
    for bot, ask in ((SHORT, "aside"), (LONG, "more")):
        world = World(bot)
        world.say("go", ask)
        assert [frame.flow for frame in world.state.frames] == ["flow main", f"rule {ask}"]
        assert world.wait(7_200) == [] and world.code == "waited_below"
        assert world.say("yes")[1:] == ["two"]
        assert world.state.frames == ()


def test_a_person_ends_the_wait() -> None:
    world = World(LONG)
    assert world.say("go", "person") == ["one", "→ asked"]
    assert world.state.frames == () and world.state.waiting is None
    assert world.wait(7_200) == [] and world.code == "stale"
    world = World(LONG)
    world.say("go")
    world.happen(GivenBack())
    assert world.wait(7_200) == [] and world.code == "stale"


def test_what_was_held_is_left_to_the_person_who_takes_over() -> None:
    world = World(main("wait: 10s", "handoff: somebody"))
    world.say("go", "hello?")
    assert world.wait(10) == ["→ somebody"] and world.state.held == ()


def test_what_another_version_does_not_have_is_left() -> None:
    world = World(LONG)
    world.say("go")
    state = world.state
    for bot in (main("say: x"), main("say: x", "say: y", "say: z")):
        made = decide(bot, scene(state), TimerFired("t0.0"), NOW)
        assert made.trace.code == "stale" and made.state == state
    for at in (("t0.0",), (1, "t0.0"), (1, 5, 5, 5), (1, "t9.0", NOW, NOW)):
        broken = msgspec.structs.replace(state, frames=(Frame("flow main", at),))
        assert decide(LONG, scene(broken), TimerFired("t0.0"), NOW).trace.code == "stale"


def test_waits_inside_each_other_end() -> None:
    world = World(LONG)
    for _ in range(DEEPEST + 3):
        world.say("go")
        assert len(world.state.frames) <= DEEPEST
    world.wait(7_200)
    assert world.state.frames == ()


def test_a_timer_is_never_lost_in_a_full_turn() -> None:
    world = World(main(*["say: x"] * 25, "wait: 10s", "say: end"))
    world.say("go")
    assert len(world.last.effects) == MOST_EFFECTS and isinstance(world.last.effects[-1], StartTimer)
    assert world.wait(10) == ["end"]


def test_two_turns_in_one_stay_within_what_a_turn_may_do() -> None:
    text = RULES.replace("do: [{say: plain}]", "do: [{set: {a: 1}}, " + "{say: p}, " * 15 + "{handoff: asked}]")
    bot = compile_version(text + "flows:\n  main: [{wait: 10s}, " + "{say: x}, " * 15 + "{tag: a}]\n")
    world = World(bot)
    world.say("go", "plain")
    heard = world.wait(10)
    assert heard == ["x"] * 15 + ["p"] * 3 + ["→ asked"] and len(world.last.effects) == MOST_EFFECTS
    assert isinstance(world.last.effects[-1], HandOff)
    assert world.last.trace.problems == ("This turn said more than is possible; the rest was left out",)


# ---- later -----------------------------------------------------------------------------------------------------------


def test_a_message_is_scheduled() -> None:
    world = World(
        main(
            "schedule: 'Remember, {{ contact.first_name }}'\n      after: 2h",
            "schedule: [{say: a, buttons: [x, y, z, w]}, {image: 'https://a.example'}]\n      at: 2026-12-24 09:00",
            "say: now",
        ),
        NOON,
    )
    assert world.say("go") == ["now"]
    first, *rest, now = [effect for effect in world.last.effects if isinstance(effect, Send)]
    assert (first.at, now.at) == (NOON + 7_200_000, 0)
    assert {effect.at for effect in rest} == {local(2026, 12, 24, 9)}
    assert world.state.choices == () and world.state.waiting is None
    assert world.wait(7_200) == ["Remember, Ana"]


def test_a_schedule_that_is_past_is_sent_now_and_one_without_a_time_not_at_all() -> None:
    assert World(main("schedule: late\n      at: 2020-01-01")).say("go") == ["late"]
    world = World(main("schedule: never\n      at: '{{ message.text }}'"))
    assert world.say("go") == [] and world.last.trace.problems == ("“go” is not a time; it was left out",)


def test_a_flow_is_to_start_later() -> None:
    bot = main(
        "later: other\n      after: 1d\n      with: {item: cake, count: '{{ 1 + 1 }}'}", more="  other: [{say: x}]"
    )
    world = World(bot)
    world.say("go")
    assert world.last.effects == (Later("other", NOW + DAY * 1_000, {"item": "cake", "count": 2}, "flow main"),)


@pytest.mark.parametrize(
    ("step", "column", "message"),
    [
        ("wait: soon", 13, "Expected how long, like 10m, 2h or 1d 12h, found “soon”"),
        ("wait: 400d", 13, "Expected how long"),
        ("wait: {until: noon}", 21, "Expected a time, like 18:00, 2026-12-24 09:00 or open, found “noon”"),
        ("wait: {for: 5m}", 13, "Expected the key “until”"),
        ("schedule: x", 7, "Expected either “after” (how long) or “at” (a time)"),
        ("{schedule: x, after: 1h, at: open}", 7, "Expected either “after” (how long) or “at” (a time)"),
        ("{schedule: [{handoff: x}], after: 1h}", 1, "Only messages can be scheduled; “later” starts a flow"),
        ("{schedule: [{tag: x}], after: 1h}", 1, "Only messages can be scheduled"),
        ("{later: mian, after: 1h}", 15, "There is no flow “mian”. Did you mean “main”?"),
        ("{later: main, after: 1h, with: {now: 1}}", 39, "“now” already means something in texts"),
        ("label: a\n    - wait: 1d\n    - goto: a", 1, "These steps go round for ever"),
    ],
)
def test_a_mistake_is_told_with_its_place(step: str, column: int, message: str) -> None:
    with pytest.raises(DocumentError) as error:
        main(step)
    problem = error.value.problems[0]
    assert str(problem.message).startswith(message) and problem.column == column


def test_quick_messages_are_gathered_for_as_long_as_the_document_says() -> None:
    assert compile_version("bot: T").gather == 0
    assert compile_version("bot: T\ngather: 3s").gather == 3_000
    for wrong in ("0s", "61s", "3", "soon", "{}"):
        with pytest.raises(DocumentError, match="Expected how long, from 1s to 60s"):
            compile_version(f"bot: T\ngather: {wrong}")


def test_a_message_that_was_gathered_is_held_with_all_of_it() -> None:
    world = World(SHORT)
    world.say("go")
    world.happen(Arrived(Text("b"), "a\nb", burst=(Text("a"),)))
    world.say("c")
    decision = decide(SHORT, scene(world.state), TimerFired("t0.0"), NOW)
    assert said(decision) == ["two", "? a\nb\nc"]
    assert State() != world.state
