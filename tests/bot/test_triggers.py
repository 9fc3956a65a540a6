"""What a rule can ask for besides words: what came, who wrote, where and when; and in which order rules are asked."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from app.bot.decide import decide
from app.bot.document import DocumentError, Version, compile_version
from app.bot.moment import opening
from app.bot.scene import Arrived, Decision, Frame, State, Waiting
from app.bot.typos import distance
from app.content import (
    Audio,
    Content,
    Delete,
    Document,
    Image,
    Location,
    Order,
    Picked,
    Pressed,
    Reaction,
    Sticker,
    Text,
    Video,
)
from app.content import text as text_of
from tests.bot.turns import NOW, rules, said, scene, turn

HOUR = 3_600_000
HOURS = """hours:
  zone: America/Sao_Paulo
  mon-fri: ["08:00-12:00", "13:00-18:00"]
  holidays: ["12-25", {date: 2026-12-24, name: Christmas Eve, hours: "08:00-12:00"},
    {date: 2026-12-28, to: 2027-01-02, name: our holidays}]
"""


def when(condition: str, more: str = "") -> Version:
    """One rule, which says its name."""
    return compile_version(
        f"bot: T\n{HOURS}rules: [{{name: rule, when: {condition}, do: [{{say: rule}}]{more}}}]\n"
        "fallback: {do: [{say: fallback}]}\n"
    )


def event(content: Content | str, **more: Any) -> Arrived:
    content = Text(content) if isinstance(content, str) else content
    return Arrived(content, text_of(content), **more)


def instant(local: str) -> int:
    """Of a time in São Paulo, three hours behind UTC."""
    return int(datetime.fromisoformat(local).replace(tzinfo=UTC).timestamp() * 1_000) + 3 * HOUR


def fits(bot: Version, content: Content | str, now: int = NOW, referral: Any = None, **scene_: Any) -> bool:
    here = msgspec.structs.replace(scene(), **scene_)
    decision = decide(bot, here, event(content, referral=referral), now)
    assert said(decision) in (["rule"], ["fallback"], [])
    return said(decision) == ["rule"]


@pytest.mark.parametrize(
    ("condition", "content", "expected"),
    [
        ("{pressed: rye}", Pressed("rye", "Rye bread"), True),
        ("{pressed: rye}", Picked("rye", "Rye bread"), True),
        ("{pressed: [corn, Talk to a person]}", Pressed("talk-to-a-person", "Talk"), True),
        ("{pressed: '✅'}", Pressed("✅", "Yes"), True),
        ("{pressed: rye}", Pressed("corn", "rye"), False),
        ("{pressed: rye}", "rye", False),
        ("{media: image}", Image(), True),
        ("{media: image}", Image(caption="menu"), True),
        ("{media: image}", Video(), False),
        ("{media: [video, sticker]}", Sticker(), True),
        ("{media: voice}", Audio(voice=True), True),
        ("{media: voice}", Audio(), False),
        ("{media: audio}", Audio(), True),
        ("{media: audio}", Audio(voice=True), False),
        ("{media: document}", Document(filename="a.pdf"), True),
        ("{media: any}", Audio(voice=True), True),
        ("{media: any}", Location(1, 2), False),
        ("{media: any}", "image", False),
        ("{location: true}", Location(1, 2), True),
        ("{location: true}", "location", False),
        ("{order: true}", Order("c", ({"id": 1},)), True),
        ("{order: true}", "order", False),
        ("{reaction: any}", Reaction("m", "👍"), True),
        ("{reaction: 👍}", Reaction("m", "👍🏽"), True),
        ("{reaction: [❤️, 👍]}", Reaction("m", "❤"), True),
        ("{reaction: 👍}", Reaction("m", "👎"), False),
        ("{reaction: any}", Reaction("m", ""), False),
        ("{reaction: any}", "👍", False),
        ("{says: 👍}", Reaction("m", "👍"), False),
        ("{no_tag: nobody}", Reaction("m", "👍"), False),
        ("{says: menu, media: image}", Image(caption="the menu"), True),
        ("{says: menu, media: image}", Image(caption="the cake"), False),
        ("{says: menu, media: image}", "menu", False),
        ("{media: any}", Delete("m"), False),
    ],
)
def test_what_came(condition: str, content: Content | str, expected: bool) -> None:
    assert fits(when(condition), content) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("{tag: vip}", True),
        ("{tag: VIP}", True),
        ("{tag: [vip, new]}", False),
        ("{no_tag: new}", True),
        ("{no_tag: [new, vip]}", False),
        ("{field: city}", True),
        ("{field: [city, plan]}", False),
        ("{field: {city: recife}}", True),
        ("{field: {city: [Olinda, Recife]}}", True),
        ("{field: {city: 'Rec*'}}", True),
        ("{field: {city: Olinda}}", False),
        ("{field: {n: 10}}", True),
        ("{field: {yes: true}}", True),
        ("{field: {list: b}}", True),
        ("{field: {list: c}}", False),
        ("{field: {empty: any}}", False),
        ("{no_field: plan}", True),
        ("{no_field: empty}", True),
        ("{no_field: city}", False),
        ("{channel: shop}", True),
        ("{channel: [Other, ' Shop ']}", True),
        ("{channel: Other}", False),
        ("{network: simulator}", True),
        ("{network: [telegram, webchat]}", False),
        ("{if: contact.fields.n > 9}", True),
        ("{if: contact.fields.n > 10}", False),
        ("{if: nobody}", False),
        ("{if: (contact.name ~ 'x') | upper == 'ANA SOUZAX'}", True),
        ("{says: hi, tag: vip, network: simulator, if: message.text == 'Hi!'}", True),
        ("{says: hi, tag: vip, network: telegram}", False),
    ],
)
def test_who_wrote_and_where(condition: str, expected: bool) -> None:
    contact = msgspec.structs.replace(
        scene().contact,
        fields={"city": "Recife", "n": 10.0, "yes": True, "empty": "", "list": ["a", "B"], "group": {"a": 1}},
    )
    assert fits(when(condition), "Hi!", contact=contact) is expected


@pytest.mark.parametrize(
    ("condition", "heard", "expected"),
    [
        ("{first: true}", 0, True),
        ("{first: true}", 1, False),
        ("{first_after: 12h}", NOW - 12 * HOUR, True),
        ("{first_after: 12h}", NOW - 12 * HOUR + 1, False),
        ("{first_after: 12h}", 0, True),
        ("{first_after: 90s}", NOW - 90_000, True),
        ("{first_after: 3d}", NOW - 71 * HOUR, False),
    ],
)
def test_first_messages(condition: str, heard: int, expected: bool) -> None:
    assert fits(when(condition), "hi", last_heard=heard) is expected


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-12-21 08:00", True),  # a Monday
        ("2026-12-21 07:59", False),
        ("2026-12-21 12:00", False),
        ("2026-12-21 17:59", True),
        ("2026-12-20 10:00", False),  # a Sunday
        ("2026-12-24 09:00", True),  # shorter hours
        ("2026-12-24 14:00", False),
        ("2026-12-25 09:00", False),  # every year
        ("2028-12-25 09:00", False),
        ("2026-12-27 23:59", False),
        ("2026-12-28 09:00", False),  # the first and the last day of a spell
        ("2027-01-01 09:00", False),
        ("2027-01-04 09:00", True),
    ],
)
def test_opening_hours_and_holidays(local: str, expected: bool) -> None:
    now = instant(local)
    assert fits(when("{open: true}"), "hi", now) is expected
    assert fits(when("{open: false}"), "hi", now) is not expected


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-12-24 07:00", "2026-12-24 08:00"),
        ("2026-12-24 12:00", "2027-01-04 08:00"),
        ("2027-01-01 10:00", "2027-01-04 08:00"),
        ("2026-12-23 13:30", "2026-12-23 13:30"),
    ],
)
def test_waiting_until_it_is_open_knows_holidays(local: str, expected: str) -> None:
    hours = when("{open: true}").hours
    assert hours is not None
    now, then = [
        int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000) + 3 * HOUR
        for text in (local, expected)
    ]
    assert opening(hours, now) == then
    never = msgspec.structs.replace(hours, days=((),) * 7, holidays=())
    assert opening(never, now) is None


def test_a_spell_of_every_year_goes_over_its_end() -> None:
    bot = compile_version(
        "bot: T\nhours: {zone: UTC, mon-sun: '00:00-24:00', holidays: [{date: 12-31, to: 01-02}, 02-29]}\n"
        "rules: [{name: rule, when: {open: true}, do: [{say: rule}]}]"
    )
    days = {"2026-12-30": True, "2026-12-31": False, "2027-01-02": False, "2027-01-03": True, "2028-02-29": False}
    for day, open_ in days.items():
        now = int(datetime.fromisoformat(day + "T10:00+00:00").timestamp() * 1_000)
        assert fits(bot, "hi", now) is open_, day


def test_a_moment_no_calendar_has_is_taken_as_the_nearest() -> None:
    for now in (-(2**63), 2**63):
        fits(when("{open: true}"), "hi", now)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("{referral: any}", True),
        ("{referral: {source_type: ad}}", True),
        ("{referral: {source_type: [post, AD]}}", True),
        ("{referral: {source_url: '*fb.me/summer*', source_type: ad}}", True),
        ("{referral: {source_url: '*fb.me/winter*'}}", False),
        ("{referral: {ctwa_clid: any-id}}", False),
    ],
)
def test_how_they_found_us(condition: str, expected: bool) -> None:
    referral = {"source_type": "ad", "source_url": "https://fb.me/summer?x=1", "image": {"id": "1"}}
    assert fits(when(condition), "hi", referral=referral) is expected
    assert fits(when(condition), "hi") is False


@pytest.mark.parametrize(
    ("phrase", "message", "expected"),
    [
        ("delivery", "delivery", True),
        ("delivery", "do you do delivry?", True),
        ("delivery", "DELIVÉRI", True),
        ("delivery", "dilevery", True),
        ("delivery", "deliver", True),
        ("delivery", "living", False),
        ("menu", "mneu", True),
        ("menu", "meno", True),
        ("menu", "men", True),
        ("menu", "manual", False),
        ("cat", "cot", False),
        ("cat", "cat", True),
        ("1234", "1235", False),
        ("place an order", "I want to plcae an ordr", True),
        ("place an order", "place my order", False),
        ("菜单", "请给我菜单", True),
        ("菜单", "菜菜", False),
        ("appointment", "word " * 20 + "appointment", False),
    ],
)
def test_slips_of_the_finger(phrase: str, message: str, expected: bool) -> None:
    assert fits(when(f"{{says: {{fuzzy: [{phrase}, something else]}}}}"), message) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("", "", 0), ("a", "", 1), ("ab", "ba", 1), ("abc", "acb", 1), ("abcd", "badc", 2), ("kitten", "sitting", 3)],
)
def test_slips_are_counted(one: str, other: str, expected: int) -> None:
    assert distance(one, other) == distance(other, one) == expected


def test_letters_that_a_language_writes_as_two_are_one() -> None:
    german = "{bot: T, language: de-AT, rules: [{name: r, when: {says: [für, Koeln, neu]}, do: [{say: rule}]}]}"
    assert [said(turn(compile_version(german), word)) for word in ("fuer", "Köln", "KOELN", "neue")] == [
        ["rule"], ["rule"], ["rule"], [],
    ]  # fmt: skip
    assert said(turn(compile_version(german.replace("de-AT", "en")), "fuer")) == []
    danish = "{bot: T, language: da, rules: [{name: r, when: {says: [brød, blå]}, do: [{say: rule}]}]}"
    assert [said(turn(compile_version(danish), word)) for word in ("broed", "blaa")] == [["rule"], ["rule"]]


# ---- order ----------------------------------------------------------------------------------------------------------


def test_the_highest_priority_is_asked_first_then_the_document() -> None:
    bot = rules(
        "  - {name: a, when: {says: hi}, do: [{say: a}], priority: -1}\n"
        "  - {name: b, when: {says: hi}, do: [{say: b}]}\n"
        "  - {name: c, when: {says: hi}, do: [{say: c}], priority: 5}\n"
        "  - {name: d, when: {says: hi, tag: vip}, do: [{say: d}], priority: 5}\n"
        "  - {name: e, when: {tag: vip}, do: [{say: e}], priority: 4}\n"
    )
    decision = turn(bot, "hi")
    assert said(decision) == ["c"] and decision.trace.line == 5
    assert said(turn(bot, "ho")) == ["e"]


CONTINUE = """
  - {name: ad, when: {tag: vip}, continue: true, do: [{tag: seen}]}
  - {name: closed, when: {says: [menu, only]}, continue: true, do: [{say: "Closed, {{ contact.tags | join(' ') }}."}]}
  - {name: menu, when: {says: [menu, ask]}, do: [{say: Bread.}]}
  - {name: later, when: {says: menu}, do: [{say: never}]}
"""


@pytest.mark.parametrize(
    ("message", "answers", "rule", "before", "missed"),
    [
        ("menu", ["Closed, vip seen.", "Bread."], "menu", 2, 0),
        ("ask", ["Bread."], "menu", 1, 0),
        ("only", ["Closed, vip seen."], "closed", 1, 0),
        ("else", ["fallback"], "fallback", 1, 1),
    ],
)
def test_a_rule_lets_others_go_on(message: str, answers: list[str], rule: str, before: int, missed: int) -> None:
    decision = turn(rules(CONTINUE), message)
    assert said(decision) == answers
    assert (decision.trace.rule, len(decision.trace.before), decision.state.missed) == (rule, before, missed)
    assert decision.trace.before[0] == "Rule ad had all that it asks for: the contact has the tag “vip”."


def test_who_asks_hands_over_or_closes_lets_nobody_go_on() -> None:
    for step in ("ask: {text: q, save: x}", "handoff: h", "close: true"):
        bot = rules(
            f"  - {{name: a, when: {{says: hi}}, continue: true, do: [{{{step}}}]}}\n"
            "  - {name: b, when: {says: hi}, do: [{say: b}]}\n"
        )
        decision = turn(bot, "hi")
        assert "b" not in said(decision) and decision.trace.rule == "a"


def test_without_a_fallback_a_rule_that_only_notes_leaves_the_message_unanswered() -> None:
    bot = compile_version("bot: T\nrules: [{name: a, when: {tag: vip}, continue: true, do: [{tag: seen}]}]")
    decision = turn(bot, "hi")
    assert decision.trace.code == "unanswered" and decision.state.missed == 1 and len(decision.effects) == 1


def test_during_a_long_wait_rules_go_on_and_the_flow_waits_further() -> None:
    bot = rules(CONTINUE + "  - {name: wait, when: {says: wait}, do: [{wait: 2h}, {say: done}]}\n")
    waiting = turn(bot, "wait").state
    assert waiting.waiting is not None and waiting.waiting.kind == "timer"
    decision = turn(bot, "menu", waiting)
    assert said(decision) == ["Closed, vip seen.", "Bread."]
    assert (decision.state.frames, decision.state.waiting) == (waiting.frames, waiting.waiting)


def test_rules_that_go_on_are_bounded() -> None:
    lines = [f"  - {{name: r{n}, when: {{says: hi}}, continue: true, do: [{{tag: t{n}}}]}}" for n in range(200)]
    decision = turn(rules("\n".join(lines)), "hi")
    assert len(decision.effects) == 20


# ---- reactions and questions ----------------------------------------------------------------------------------------

ASKING = State(seed=3, turns=2, frames=(Frame("rule ask", (0,)),), waiting=Waiting("answer", "t1.0", NOW, save="x"))
QUESTION = """
  - {name: ask, when: {says: ask}, do: [{ask: {text: Which?, save: x}}, {say: "Got {{ x }}."}]}
  - {name: thanks, when: {reaction: ❤️}, do: [{say: Thank you!}]}
  - {name: wait, when: {reaction: 👍}, interrupt: true, do: [{say: Still there.}]}
  - {name: closed, when: {media: voice}, interrupt: true, do: [{say: Please write.}]}
"""


def quiet(decision: Decision, state: State) -> bool:
    return not decision.effects and decision.state == state and decision.trace.code == "silent"


def test_a_reaction_nobody_listens_to_changes_nothing() -> None:
    bot = rules(QUESTION)
    for state in (State(seed=5, missed=1), ASKING):
        assert quiet(turn(bot, Reaction("m", "😮"), state), state)
        assert quiet(turn(bot, Reaction("m", ""), state), state)
    assert quiet(turn(bot, Reaction("m", "❤️"), ASKING), ASKING)
    assert said(turn(bot, Reaction("m", "❤️"))) == ["Thank you!"]


def test_a_reaction_finds_its_rule_whatever_else_that_asks_for() -> None:
    bot = rules(
        "  - {name: a, when: {reaction: 👍, tag: new}, do: [{say: a}]}\n"
        "  - {name: b, when: {reaction: 👍, tag: vip}, do: [{say: b}]}\n"
    )
    assert said(turn(bot, Reaction("m", "👍"))) == ["b"]
    assert said(turn(bot, "x")) == ["fallback"]


def test_a_reaction_is_not_held_while_a_flow_waits() -> None:
    bot = rules(QUESTION + "  - {name: wait a bit, when: {says: slow}, do: [{wait: 30s}, {say: done}]}\n")
    waiting = turn(bot, "slow").state
    assert waiting.waiting is not None and waiting.waiting.kind == "timer"
    for emoji in ("❤️", "😮"):
        assert quiet(turn(bot, Reaction("m", emoji), waiting), waiting)
    assert said(turn(bot, Reaction("m", "👍"), waiting)) == ["Still there."]
    assert turn(bot, "hello", waiting).state.held


def test_a_rule_without_words_may_interrupt_a_question() -> None:
    bot = rules(QUESTION)
    decision = turn(bot, Reaction("m", "👍"), ASKING)
    assert said(decision) == ["Still there.", "Which?"]
    assert decision.trace.verdict == ("Rule wait may interrupt rule ask and had all that it asks for: the reaction 👍.")
    assert said(turn(bot, Audio(voice=True), ASKING)) == ["Please write.", "Which?"]
    assert said(turn(bot, "tea", ASKING)) == ["Got tea."]


def test_a_number_for_a_list_presses_its_row() -> None:
    bot = rules("  - {name: r, when: {pressed: corn}, do: [{say: rule}]}\n")
    choices = State(choices=(("rye", "Rye"), ("corn", "Yellow")))
    assert said(turn(bot, "2", choices)) == ["rule"]
    assert said(turn(bot, "1", choices)) == ["fallback"]


def test_of_messages_that_were_gathered_each_counts() -> None:
    bot = rules("  - {name: r, when: {media: image, says: cake}, do: [{say: rule}]}\n")
    gathered = Arrived(Text("like this cake"), "like this cake", burst=(Image(),))
    assert said(decide(bot, scene(), gathered, NOW)) == ["rule"]


# ---- why ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "content", "verdict", "matched"),
    [
        ("{media: image}", Image(), "Rule rule had all that it asks for: an image.", ()),
        (
            "{says: menu, tag: vip, open: false}", "the menu",
            "Said “menu”, and rule rule had what else it asks for: the contact has the tag “vip”; "
            "outside opening hours.",
            ("menu",),
        ),
        ("{says: {fuzzy: delivery}}", "Delivry?", "Said “delivry”, nearly “delivery” of rule rule.", ("delivry",)),
        ("{first_after: 12h}", "hi", "Rule rule had all that it asks for: the first message for 12 h.", ()),
        ("{if: 1 < 2}", "hi", "Rule rule had all that it asks for: 1 < 2 holds.", ()),
    ],
)  # fmt: skip
def test_the_verdict_tells_what_held(
    condition: str, content: Content | str, verdict: str, matched: tuple[str, ...]
) -> None:
    trace = decide(when(condition), scene(), event(content), NOW - 12 * HOUR).trace
    assert trace.verdict == verdict and trace.matched == matched


@pytest.mark.parametrize(
    ("condition", "content", "why"),
    [
        ("{says: menu, open: true}", "menu", "“menu” was said, but it was outside opening hours"),
        ("{says: menu, tag: new}", "menu", "“menu” was said, but the contact has no tag “new”"),
        ("{says: menu, no_tag: vip}", "menu", "“menu” was said, but the contact has the tag “vip”"),
        ("{says: menu, field: {city: Olinda}}", "menu", "“menu” was said, but the field “city” is not “Olinda”"),
        ("{says: menu, network: telegram}", "menu", "“menu” was said, but it did not come over telegram"),
        ("{says: menu, if: 2 < 1}", "menu", "“menu” was said, but 2 < 1 does not hold"),
        ("{says: menu, first_after: 12h, no_tag: x}", "menu", "“menu” was said, but they wrote less than 12 h before"),
        ("{media: image, tag: new}", Image(), "an image, but the contact has no tag “new”"),
        ("{media: image, says: cake}", "cake", "“cake” was said, but it is not what the rule asks for: an image"),
        ("{reaction: 👍, tag: new}", Reaction("m", "👍"), "the reaction 👍, but the contact has no tag “new”"),
    ],
)
def test_what_nearly_matched_tells_why_it_lost(condition: str, content: Content | str, why: str) -> None:
    here = msgspec.structs.replace(scene(), last_heard=NOW - 13 * HOUR)
    trace = decide(when(condition), here, event(content), NOW - 12 * HOUR).trace
    assert [(near.rule, str(near.why)) for near in trace.near] == [("rule", why)]


# ---- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ("{}", "Expected what the rule listens to"),
        ("{media: picture}", "“picture” is not known here"),
        ("{network: whatsap_web}", "Did you mean “whatsapp_web”"),
        ("{first_after: 12}", "how long, like 10m"),
        ("{first_after: 400d}", "how long, like 10m"),
        ("{first: false}", "Expected true"),
        ("{if: 1 +}", "cannot be read"),
        ("{if: open()}", "Calls"),
        ("{if: '{{ x }}'}", "without braces"),
        ("{tags: vip}", "Did you mean “tag”"),
        ("{referral: some}", "not known here"),
        ("{says: {fuzzy: '?'}}", "no word to look for"),
    ],
)
def test_a_condition_that_cannot_be_is_told_with_its_line(condition: str, sentence: str) -> None:
    with pytest.raises(DocumentError, match=sentence) as caught:
        when(condition)
    assert caught.value.problems[0].line == 7


@pytest.mark.parametrize(
    ("holidays", "sentence"),
    [
        ("[2026-02-29]", "a date, like 2026-12-25"),
        ("[25.12.]", "a date, like"),
        ("[{name: x}]", "Expected the key “date”"),
        ("[{date: 2026-12-25, to: 2026-12-24}]", "a date after"),
        ("[{date: 2026-12-25, to: 12-26}]", "a date after"),
        ("[{date: 2026-12-25, to: 2028-01-01}]", "at most a year later"),
        ("[{date: 12-25, hours: 8-9}]", "hours like 08:00-18:00"),
    ],
)
def test_a_holiday_that_cannot_be_is_told(holidays: str, sentence: str) -> None:
    with pytest.raises(DocumentError, match=sentence):
        compile_version(f"bot: T\nhours: {{zone: UTC, holidays: {holidays}}}")


def test_opening_hours_are_asked_only_of_a_bot_that_has_them() -> None:
    with pytest.raises(DocumentError, match="Line 2, column 1: This rule asks for opening hours"):
        compile_version("bot: T\nrules: [{name: r, when: {open: true}, do: [{say: x}]}]")


def test_a_condition_makes_no_long_texts() -> None:
    bot = when("{if: (message.text ~ message.text) | length > 4096}")
    assert not fits(bot, "x" * 4_000)
    assert fits(when("{if: (message.text ~ message.text) | length > 4000}"), "x" * 2_010)


def test_what_conditions_may_cost_is_bounded() -> None:
    long = f"x in [{', '.join('1' * 200)}]"
    many = "\n".join(f"  - {{name: r{n}, when: {{if: '{long}'}}, do: [{{say: x}}]}}" for n in range(300))
    with pytest.raises(DocumentError, match="together are too large"):
        rules(many)
    known = ["w" + "abcdefghij"[n % 10] + "abcdefghij"[n // 10 % 10] + "x" * (n // 100) for n in range(2_100)]
    lines = [
        f"  - {{name: r{n}, when: {{says: {{fuzzy: [{', '.join(known[n : n + 100])}]}}}}, do: [{{say: x}}]}}"
        for n in range(0, 2_100, 100)
    ]
    with pytest.raises(DocumentError, match="may be misspelled"):
        rules("\n".join(lines))
