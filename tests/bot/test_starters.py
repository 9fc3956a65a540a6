"""The bots that come with the program: without a flaw, and every button they offer is understood."""

from pathlib import Path

import pytest

import app.bot
from app.bot.document import compile_version, parse
from app.bot.lint import lint
from app.bot.scene import HandOff, Send
from app.bot.trials import run
from app.content import Audio, Buttons, ChoiceList, Content, Image
from tests.bot.turns import WHATSAPP, press, said, turn

STARTERS = sorted((Path(app.bot.__file__).parent / "starters").glob("*.yaml"))


@pytest.mark.parametrize("path", STARTERS, ids=lambda path: path.stem)
def test_a_starter_has_no_flaw(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert lint(parse(text)) == []
    assert text.startswith("# ")


@pytest.mark.parametrize("path", STARTERS, ids=lambda path: path.stem)
def test_the_tests_of_a_starter_pass(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    outcomes = run(compile_version(text), parse(text).tests, WHATSAPP)
    assert [outcome for outcome in outcomes if not outcome.passed] == []
    assert outcomes or path.stem == "blank"


@pytest.mark.parametrize("path", STARTERS, ids=lambda path: path.stem)
def test_a_starter_answers_every_button_it_offers(path: Path) -> None:
    bot = compile_version(path.read_text(encoding="utf-8"))
    offered = 0
    for plan in bot.plans:
        decision = turn(bot, what_it_hears(path, plan.name), capabilities=WHATSAPP)
        for effect in decision.effects:
            content = effect.content if isinstance(effect, Send) else None
            rows = content.choices if isinstance(content, Buttons) else ()
            if isinstance(content, ChoiceList):
                rows = tuple(choice for section in content.sections for choice in section.choices)
            for choice in rows:
                offered += 1
                assert turn(bot, press(choice.id, choice.title), decision.state).trace.rule != "fallback", choice.title
    assert offered or path.stem == "blank"


def what_it_hears(path: Path, name: str) -> str | Content:
    """The first thing that this rule listens to."""
    document = parse(path.read_text(encoding="utf-8"))
    rule = next(one for one in document.rules if one.name.text == name)
    if rule.when.media:
        return Image() if rule.when.media[0] == "image" else Audio(voice=True)
    return rule.says.texts[0].text


@pytest.mark.parametrize("path", STARTERS, ids=lambda path: path.stem)
def test_a_starter_hands_over_when_it_did_not_understand_twice(path: Path) -> None:
    bot = compile_version(path.read_text(encoding="utf-8"))
    first = turn(bot, "xyzzy")
    assert not any(isinstance(effect, HandOff) for effect in first.effects)
    assert said(turn(bot, "xyzzy", first.state))[-1].startswith("→ ")


def test_the_bakery_talks_like_a_bakery() -> None:
    bot = compile_version(next(path for path in STARTERS if path.stem == "bakery").read_text(encoding="utf-8"))
    for message, rule in [
        ("Good morning!", "greeting"),
        ("When do you close?", "hours"),
        ("do you deliver", "delivery"),
        ("I want to talk to a person", "person"),
        ("Is the corn bread gluten free?", "gluten"),
        ("thank you 🙏", "thanks"),
    ]:
        assert turn(bot, message).trace.rule == rule, message
