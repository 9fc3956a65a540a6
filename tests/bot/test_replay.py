"""What a draft would have said in one past conversation, beside what was said."""

import msgspec

from app.bot.decide import decide
from app.bot.document import Version, compile_version
from app.bot.replay import play
from app.bot.rerun import Past
from app.bot.scene import Arrived, ContactView, Decision, Scene, State, Triggered, TurnInput
from app.content import Pressed, Text
from tests.bot.lived import Lived, encode
from tests.bot.turns import NOW, WHATSAPP

BOT = """bot: Luna
rules:
  - name: greeting
    when: {says: hi}
    do: [{say: [Hi!, Hello!, Good day!], buttons: [{id: old-menu, title: Menu}, Person]}]
  - name: menu
    when: {says: menu}
    do: [{say: Bread.}]
  - name: person
    when: {says: person}
    do: [{say: One moment.}, {handoff: Asked for a person}]
fallback: {do: [{say: Sorry?}], after: 2, then: [{handoff: Not understood}]}
"""
OLD = compile_version(BOT)


def lived(*said: str | Pressed, bot: Version = OLD) -> list[Past]:
    """The turns that these messages left behind. `back` after a hand-off is a person's giving back."""
    state, past = State(seed=7), []
    for at, words in enumerate(said):
        content = Text(words) if isinstance(words, str) else words
        scene = Scene(state, ContactView("1", "Ana"), WHATSAPP, "Shop", "whatsapp_cloud")
        given = TurnInput(scene, Arrived(content), NOW + at)
        decision = decide(bot, scene, given.event, given.now)
        state = decision.state
        past.append(Past(NOW + at, encode(given), encode(decision)))
    return past


def outcomes(draft: str, *said: str | Pressed) -> list[str]:
    """Of each turn from the first that differs on; `held` where the draft is not asked."""
    played = play(compile_version(draft), lived(*said))
    return ["held" if turn.held else turn.outcome for turn in played.turns]


def test_the_same_document_says_the_same_also_where_it_draws_by_chance() -> None:
    past = lived("hi", "menu", "hi", "what", "what", "what", "person", "hi", Pressed("old-menu", "Menu"))
    played = play(OLD, past)
    assert (played.outcome, played.counts["same"], played.turns) == ("same", len(past), ())


def test_another_id_behind_a_button_and_another_name_of_a_rule_change_nothing_that_is_seen() -> None:
    assert outcomes(BOT.replace("old-menu", "new-menu").replace("name: menu", "name: bread"), "hi", "menu") == []
    assert outcomes(BOT.replace("title: Menu", "title: Card"), "hi") == ["changed"]


def test_a_turn_is_changed_newly_answered_or_newly_unanswered() -> None:
    assert outcomes(BOT.replace("Bread.", "Rye."), "menu") == ["changed"]
    assert outcomes(BOT.replace("{says: menu}", "{says: [menu, cake]}"), "cake") == ["gained"]
    assert outcomes(BOT.replace("{says: menu}", "{says: card}"), "menu") == ["lost"]
    assert outcomes(BOT.replace("Sorry?", "Pardon?"), "cake") == ["changed"]


def test_the_worst_outcome_is_the_conversations() -> None:
    draft = BOT.replace("{says: menu}", "{says: cake}").replace("Asked for", "Wants")
    assert play(compile_version(draft), lived("cake", "person", "menu")).outcome == "lost"
    assert play(compile_version(draft), lived("cake", "person")).outcome == "changed"
    assert play(compile_version(draft), lived("cake")).outcome == "gained"


def test_the_draft_remembers_for_itself() -> None:
    """Two misses in a row hand over; a draft that understood the first has missed only one."""
    draft = BOT.replace("{says: menu}", "{says: [menu, cake]}")
    played = play(compile_version(draft), lived("cake", "what"))
    assert [turn.outcome for turn in played.turns] == ["gained", "changed"]
    assert [(shown.who, shown.text) for shown in played.turns[1].before] == [("handoff", "Not understood")]
    assert [shown.text for shown in played.turns[1].after] == ["Sorry?"]


def test_a_hand_off_of_the_draft_silences_it_until_the_conversation_was_handed_over_then() -> None:
    draft = BOT.replace("{say: Bread.}", "{handoff: Sells}")
    played = play(compile_version(draft), lived("menu", "hi", "person", "hi"))
    assert [(turn.outcome, turn.held) for turn in played.turns] == [
        ("changed", False), ("same", True), ("same", True), ("same", False),
    ]  # fmt: skip
    assert (played.held, sum(played.counts.values())) == (2, 2)
    assert [turn.after for turn in played.turns[1:3]] == [(), ()]


def test_a_hand_off_at_the_same_place_silences_nobody() -> None:
    assert outcomes(BOT.replace("One moment.", "Wait."), "person", "person") == ["changed", "changed"]


def test_a_turn_in_which_the_bot_failed_was_no_answer() -> None:
    [turn] = lived("menu")
    played = play(OLD, [msgspec.structs.replace(turn, output="")])
    assert played.outcome == "gained" and played.turns[0].before == ()


def test_turns_of_another_release_are_left_out_and_counted() -> None:
    past = lived("hi", "menu")
    played = play(OLD, [past[0], Past(NOW, '{"scene": 1}', "{}"), past[1]])
    assert (played.unreadable, played.counts["same"]) == (1, 2)


def test_a_long_conversation_is_shown_from_shortly_before_it_differs() -> None:
    played = play(compile_version(BOT.replace("Bread.", "Rye.")), lived(*["hi"] * 10, *["menu"] * 60))
    assert [turn.outcome for turn in played.turns] == ["same"] * 3 + ["changed"] * 37
    assert played.counts["changed"] == 60


def test_deciding_leaves_nothing_of_the_stored_turns_changed() -> None:
    past = lived("hi", "menu")
    before = [msgspec.json.decode(turn.output, type=Decision) for turn in past]
    play(compile_version(BOT.replace("Bread.", "Rye.")), past)
    assert [msgspec.json.decode(turn.output, type=Decision) for turn in past] == before


# ---- waits ----------------------------------------------------------------------------------------------------------

WAITS = """bot: Luna
rules:
  - name: order
    when: {says: order}
    do: [{say: One moment.}, {wait: 30s}, {say: Baked.}, {wait: 2h}, {say: Was it good?}]
  - name: hours
    when: {says: hours}
    do: [{say: From 8 to 18.}]
fallback: {do: [{say: Sorry?}]}
"""
HOUR = 3_600_000


def waited() -> list[Past]:
    """An order, a question while it waits, and all that comes of it."""
    lived = Lived(compile_version(WAITS))
    assert lived.say("order") == ["One moment."]
    lived.wait(10)
    assert lived.say("hours") == []
    assert lived.wait(60) == ["Baked.", "From 8 to 18."]
    lived.wait(600)
    assert lived.say("hours") == ["From 8 to 18."]
    assert lived.wait(10_000) == ["Was it good?"]
    lived.say("hours")
    return lived.past


def after(draft: str, past: list[Past], until: int = 0) -> list[tuple[str, list[str]]]:
    """Of each turn from the first that differs on: the outcome and what the draft says."""
    played = play(compile_version(draft), past, until)
    return [(turn.outcome, [said.text for said in turn.after if said.who != "event"]) for turn in played.turns]


def test_waits_share_their_fate_where_the_draft_asks_for_the_same() -> None:
    past = waited()
    assert len(past) == 6
    played = play(compile_version(WAITS), past, NOW + 1_000 * HOUR)
    assert (played.outcome, played.counts["same"], played.unreadable) == ("same", 4, 0)


def test_what_is_said_after_a_wait_belongs_to_the_message_before_it() -> None:
    assert after(WAITS.replace("Baked.", "Ready."), waited())[:2] == [
        ("same", ["One moment."]), ("changed", ["Ready.", "From 8 to 18."]),
    ]  # fmt: skip
    played = play(compile_version(WAITS.replace("Baked.", "Ready.")), waited())
    assert [said.who for said in played.turns[1].after] == ["event", "bot", "bot"]
    assert played.turns[1].after[0].text == "timer"


def test_a_shorter_wait_is_over_earlier_and_a_longer_one_later() -> None:
    """With 5 s the question comes after the wait; with 15 min it waits for longer than messages are held."""
    assert after(WAITS.replace("30s", "5s"), waited())[:2] == [
        ("changed", ["One moment.", "Baked."]), ("changed", ["From 8 to 18."]),
    ]  # fmt: skip
    assert after(WAITS.replace("30s", "15m"), waited()) == [
        ("same", ["One moment."]),
        ("changed", ["From 8 to 18."]),
        ("changed", ["From 8 to 18.", "Baked.", "Was it good?"]),
        ("same", ["From 8 to 18."]),
    ]


def test_only_what_one_side_has_is_marked() -> None:
    turn = play(compile_version(WAITS.replace("Baked.", "Ready.")), waited()).turns[1]
    for side, said in ((turn.before, "Baked."), (turn.after, "Ready.")):
        assert [(one.text, one.differs) for one in side] == [
            ("timer", False), (said, True), ("From 8 to 18.", False),
        ]  # fmt: skip


def test_the_same_words_at_another_time_are_a_change() -> None:
    assert after(WAITS.replace("wait: 2h", "wait: 1h"), waited()) == [
        ("same", ["One moment."]),
        ("same", ["Baked.", "From 8 to 18."]),
        ("changed", ["From 8 to 18.", "Was it good?"]),
        ("same", ["From 8 to 18."]),
    ]
    turn = play(compile_version(WAITS.replace("wait: 2h", "wait: 1h")), waited()).turns[2]
    assert all(one.differs for one in (*turn.before, *turn.after))


def test_what_the_draft_alone_says_later_is_followed_as_far_as_the_replay_goes() -> None:
    draft = WAITS.replace("{say: From 8 to 18.}", "{say: From 8 to 18.}, {wait: 30m}, {say: Was it good?}")
    quick = Lived(compile_version(WAITS))
    quick.say("hours")
    assert after(draft, quick.past, NOW + HOUR) == [("changed", ["From 8 to 18.", "Was it good?"])]
    assert after(draft, quick.past, NOW + HOUR // 4) == []


def test_steps_that_go_round_for_ever_are_followed_only_so_far() -> None:
    draft = WAITS.replace("{wait: 30s}", "{label: again}, {wait: 1h}, {if: now, then: [{say: Tick.}]}, {goto: again}")
    [turn] = play(compile_version(draft), waited()[:1], NOW + 1_000 * HOUR).turns
    assert sum(said.text == "Tick." for said in turn.after) == 50


def test_a_hand_off_of_the_draft_ends_what_it_waits_for() -> None:
    draft = WAITS.replace("{wait: 2h}", "{handoff: Bake}")
    assert after(draft, waited()) == [
        ("same", ["One moment."]), ("changed", ["Baked.", "Bake"]), ("same", []), ("same", []),
    ]  # fmt: skip


def test_a_run_that_begins_in_the_middle_of_a_wait_is_told_of_its_end() -> None:
    past = waited()[1:]
    assert play(compile_version(WAITS), past).outcome == "same"
    assert after(WAITS.replace("Baked.", "Ready."), past)[1] == ("changed", ["Ready.", "From 8 to 18."])


def test_what_the_draft_notes_about_the_contact_is_there_in_its_next_turn() -> None:
    draft = WAITS.replace("{say: One moment.}", "{say: One moment.}, {tag: baker}, {field: {oven: hot}}").replace(
        "{say: From 8 to 18.}", "{say: \"{{ contact.fields.oven }} {{ 'baker' in contact.tags }}\"}"
    )
    assert after(draft, waited())[-1] == ("changed", ["hot true"])


def test_a_wait_that_was_over_late_then_is_over_as_late_now() -> None:
    """The message came before Parley had got to the timer: it was held, though its time had come."""
    lived = Lived(compile_version(WAITS))
    lived.say("order")
    lived.now += 31_000
    assert lived.say("hours") == []
    assert lived.wait(2) == ["Baked.", "From 8 to 18."]
    assert play(compile_version(WAITS), lived.past).outcome == "same"


def test_what_a_person_took_over_does_not_go_on_in_the_draft_either() -> None:
    lived = Lived(compile_version(WAITS))
    lived.say("order")
    lived.state, lived.due = State(turns=lived.state.turns), []  # taken, answered and given back
    lived.now += HOUR
    lived.say("hours")
    assert play(compile_version(WAITS), lived.past, NOW + 5 * HOUR).outcome == "same"
    assert after(WAITS.replace("30s", "2h"), lived.past, NOW + 5 * HOUR) == []


# ---- calls ----------------------------------------------------------------------------------------------------------

CALLS = """bot: Luna
rules:
  - name: stock
    when: {says: stock}
    do:
      - call: {get: "https://shop.example/stock?key={{ secret.shop }}", map: {left: reply}}
        failed: [{say: The shop is slow.}]
      - say: "{{ left }} left."
  - name: hours
    when: {says: hours}
    do: [{say: From 8 to 18.}]
fallback: {do: [{say: Sorry?}]}
"""


def asked() -> Lived:
    """The stock twice, something else meanwhile, and the shop once out of reach."""
    lived = Lived(compile_version(CALLS))
    for result in (7, 6, None):
        lived.say("stock", "hours")
        lived.now += 2_000
        lived.answer(200, result) if result else lived.answer(error="unreachable")
        lived.now += 60_000
    return lived


def test_a_call_is_answered_as_it_was_then() -> None:
    past = asked().past
    played = play(compile_version(CALLS), past)
    assert (played.outcome, played.counts["same"]) == ("same", 6)
    draft = CALLS.replace("left.", "here.")
    assert after(draft, past)[:4] == [
        ("same", []),
        ("changed", ["7 here.", "From 8 to 18."]),
        ("same", []),
        ("changed", ["6 here.", "From 8 to 18."]),
    ]
    shown = play(compile_version(draft), past).turns[1].after
    assert [(one.who, one.text) for one in shown][:2] == [("event", "call 200"), ("bot", "7 here.")]


def test_a_draft_that_calls_elsewhere_in_the_chat_gets_the_answers_of_the_same_address_in_their_order() -> None:
    """It asks the shop about the hours, too: the first answer, the second, the third, then the third again."""
    draft = CALLS.replace("{says: stock}", "{says: [stock, hours]}").replace("name: hours", "name: never")
    said = [text for _outcome, texts in after(draft, asked().past) for text in texts]
    assert said[:2] == ["7 left.", "6 left."] and said[2:4] == ["The shop is slow.", "left."]


def test_where_the_draft_makes_a_call_that_was_not_recorded_the_conversation_is_followed_no_further() -> None:
    draft = CALLS.replace("{say: From 8 to 18.}", '{call: {get: "https://other.example/hours"}}, {say: Open.}')
    played = play(compile_version(draft), asked().past)
    assert (played.outcome, played.counts["same"], played.counts["stopped"]) == ("stopped", 1, 5)
    stop = played.turns[1]
    assert [(one.who, one.text) for one in stop.after][-1] == ("missing", "GET https://other.example/hours")
    assert [[(one.who, one.text) for one in turn.after] for turn in played.turns[2:]] == [[("missing", "")]] * 4


def test_a_call_whose_answer_has_not_come_yet_is_no_call_that_was_not_recorded() -> None:
    lived = Lived(compile_version(CALLS))
    lived.say("stock")
    assert play(compile_version(CALLS), lived.past).outcome == "same"


# ---- what no message begins -----------------------------------------------------------------------------------------

PROMPTED = """bot: Luna
rules:
  - name: cake
    when: {says: cake}
    do: [{say: Baked.}, {later: after, after: 2h}]
  - name: paid
    when: {trigger: paid}
    do: [{say: Thank you.}]
  - name: quiet
    when: {inactivity: 10m}
    do: [{say: Still there?}]
fallback: {do: [{say: Sorry?}]}
flows:
  after: [{say: Was it good?}]
"""


def quiet() -> Lived:
    """A cake, silence, a payment that a program tells of, and the question two hours later."""
    lived = Lived(compile_version(PROMPTED))
    lived.say("cake")
    assert lived.wait(1_200) == ["Still there?"]
    assert lived.happen(Triggered("paid")) == ["Thank you."]
    assert lived.wait(7_200) == ["Was it good?"]
    return lived


def test_silence_triggers_and_flows_begun_later_are_the_same_with_the_same_document() -> None:
    lived = quiet()
    played = play(compile_version(PROMPTED), lived.past, lived.now + HOUR)
    assert (played.outcome, played.counts["same"], played.unreadable) == ("same", 2, 0)


def test_a_draft_that_waits_otherwise_for_silence_or_a_flow_says_so_at_its_own_time() -> None:
    past = quiet().past
    assert after(PROMPTED.replace("inactivity: 10m", "inactivity: 15m"), past) == [
        ("changed", ["Baked.", "Still there?"]), ("same", ["Thank you.", "Was it good?"]),
    ]  # fmt: skip
    assert after(PROMPTED.replace("inactivity: 10m", "inactivity: 30m"), past) == [
        ("changed", ["Baked."]), ("changed", ["Thank you.", "Still there?", "Was it good?"]),
    ]  # fmt: skip
    assert after(PROMPTED.replace("after: 2h", "after: 5m"), past) == [
        ("changed", ["Baked.", "Was it good?", "Still there?"]), ("changed", ["Thank you."]),
    ]  # fmt: skip


def test_a_trigger_is_given_to_the_draft_when_it_came() -> None:
    turn = play(compile_version(PROMPTED.replace("Thank you.", "Great.")), quiet().past).turns[1]
    assert (turn.outcome, turn.asked, turn.event) == ("changed", "", Triggered("paid"))
    assert [one.text for one in turn.after] == ["Great.", "trigger", "Was it good?"]


def test_a_flow_that_begins_itself_again_and_again_is_followed_only_so_far() -> None:
    draft = PROMPTED.replace("after: 2h", "after: 1h").replace("Was it good?}", "Tick.}, {later: after, after: 1m}")
    [turn] = play(compile_version(draft), quiet().past[:1], NOW + 1_000 * HOUR).turns
    assert 40 < sum(said.text == "Tick." for said in turn.after) <= 50
