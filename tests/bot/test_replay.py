"""What a draft would have said in one past conversation, beside what was said."""

from typing import Any

import msgspec

from app.bot.decide import decide
from app.bot.document import Version, compile_version
from app.bot.replay import play
from app.bot.rerun import Past
from app.bot.scene import Arrived, ContactView, Decision, Scene, State, TurnInput
from app.content import Pressed, Text
from tests.bot.turns import WHATSAPP

NOW = 1_790_000_000_000
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


def encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()


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
