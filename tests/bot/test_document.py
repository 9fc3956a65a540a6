"""What a document may hold, and how a mistake in it is told: with line, column and what was expected, all at once."""

import json

import pytest

from app.bot.document import DocumentError, compile_version, parse
from app.bot.grammar import Give, Say, Show
from app.bot.hours import Hours
from app.bot.shape import Problem

COMPLETE = """\
bot: Luna Bakery
language: pt-BR
hours: {zone: America/Sao_Paulo, mon-fri: "08:00-18:00", sat: ["08:00-12:00", "14:00-16:00"], sun: closed}
vocabulary: {order: [buy, purchase, "place an order"]}
rules:
  - name: greeting
    when: {says: [hi, "good morning"]}
    do:
      - say: [Hi, Hello]
        buttons: [Menu, {title: A person, id: person}]
        header: {image: "https://shop.example/a.jpg"}
        footer: Luna Bakery
      - say: Or choose here
        list: {label: Open, sections: [{title: Bread, choices: [Rye, {title: Corn, id: c, description: No gluten}]}]}
        header: Today
      - image: https://shop.example/b.jpg
        caption: Our shop
      - document: https://shop.example/c.pdf
        filename: menu.pdf
      - handoff: questions
fallback: {do: [{say: "Sorry?"}], after: 2, then: [{handoff: lost}]}
"""


def problems(text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(DocumentError) as caught:
        compile_version(text)
    return [(problem.line, problem.column, problem.message) for problem in caught.value.problems]


def with_step(step: str) -> str:
    return f"bot: T\nrules:\n  - name: r\n    when: {{says: x}}\n    do: [{step}]\n"


def test_a_complete_document_is_read() -> None:
    document = parse(COMPLETE)
    say, listed, image, file, give = document.rules[0].do
    assert document.bot.text == "Luna Bakery" and document.language == "pt-BR"
    assert document.hours == Hours("America/Sao_Paulo", (((480, 1080),),) * 5 + (((480, 720), (840, 960)),) + ((),))
    assert isinstance(say, Say) and [text.text for text in say.texts] == ["Hi", "Hello"] and say.line == 9
    assert [(button.title.text, button.id and button.id.text) for button in say.buttons] == [
        ("Menu", None),
        ("A person", "person"),
    ]
    assert isinstance(listed, Say) and listed.menu and listed.menu.sections[0].choices[1].description
    assert isinstance(image, Show) and image.kind == "image" and image.caption and image.caption.text == "Our shop"
    assert isinstance(file, Show) and file.filename and file.filename.text == "menu.pdf"
    assert isinstance(give, Give) and give.reason.text == "questions"
    assert document.fallback and document.fallback.after == 2
    assert compile_version(COMPLETE, 5).id == 5


def test_json_is_read_as_well() -> None:
    text = json.dumps({"bot": "T", "rules": [{"name": "r", "when": {"says": ["x"]}, "do": [{"say": "y"}]}]})
    assert parse(text).rules[0].name.text == "r"
    assert compile_version(json.dumps(json.loads(text), indent="\t")).names == ("r",)


def test_every_mistake_is_told_at_once_with_its_place() -> None:
    text = """\
bot: x
ruls: []
rules:
  - name: a
    whn: {says: [x]}
    do: [{sya: x}, {say: {a: b}}, {say: x, handoff: y}, {say: x, buttons: 3}]
  - name: a
    when: {says: {reg: x}}
fallback: {after: 0}
hours: {zone: Nowhere, mond: "08:00-07:00", mon: "8-9", tue: "18:00-08:00"}
language: english please
"""
    assert problems(text) == [
        (2, 1, "Unknown key “ruls”. Did you mean “rules”?"),
        (4, 5, "Expected the key “when”"),
        (5, 5, "Unknown key “whn”. Did you mean “when”?"),
        (6, 10, "Expected a step, found “sya”. Did you mean “say”?"),
        (6, 26, "Expected a text or a list of texts, found a group of keys"),
        (6, 35, "A step does one thing, found say and handoff; make it two steps"),
        (6, 75, "Expected a list of buttons, found “3”"),
        (7, 5, "Expected the key “do”"),
        (8, 18, "Expected one of any, all, starts, exact, regex, fuzzy"),
        (8, 19, "Unknown key “reg”. Did you mean “regex”?"),
        (9, 19, "Expected a whole number from 1 to 100, found “0”"),
        (10, 15, "Expected a time zone, like America/Sao_Paulo, found “Nowhere”"),
        (10, 24, "Unknown key “mond”. Did you mean “mon”?"),
        (10, 50, "Expected hours like 08:00-18:00, found “8-9”"),
        (10, 62, "These hours end before they begin; split them at midnight"),
        (11, 11, "Expected a language, like en or pt-BR, found “english please”"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("", 1, 1, "Expected a bot document, which begins with “bot: name”"),
        ("just words", 1, 1, "Expected a bot document, which begins with “bot: name”"),
        ("- a list", 1, 1, "Expected a bot document, which begins with “bot: name”"),
        ("rules: []", 1, 1, "Expected the key “bot”"),
        ("bot:\n", 1, 5, "Expected the bot's name, found nothing"),
        ("bot: [a]", 1, 6, "Expected the bot's name, found a list"),
        ("bot: T\nthemes: {}\n", 2, 1, "Unknown key “themes”. Known here: bot, language"),
        ("bot: T\nbot: U\n", 2, 1, "“bot” is given twice"),
        ("bot: T\nhours: {mon: closed}", 2, 8, "Expected the key “zone”, like America/Sao_Paulo"),
        ("bot: T\nhours: {zone: UTC, mon: closed, mon-tue: closed}", 2, 33, "Hours for mon are given twice"),
        ("bot: T\nhours: {zone: ../../etc/passwd}", 2, 15, "Expected a time zone"),
        ("bot: T\nfallback: {do: [{say: x}], after: 2}", 2, 11, "“after” and “then” belong together"),
        ("bot: T\nfallback: {}", 2, 11, "Expected the key “do”"),
        ("bot: T\nrules: &a [*a]", 2, 8, "Expected a rule, found a list"),
        ("bot: T\nvocabulary: {a: [x], a: [y]}", 2, 22, "“a” is given twice"),
        (with_step("{say: x}, &s {say: y}, *s"), 5, 20, "Aliases (*name) are not used in bot documents"),
        (with_step("{say: }"), 5, 16, "Expected a text or a list of texts, found nothing"),
        (with_step("{say: ' '}"), 5, 16, "Expected a text, found “ ”"),
        (with_step("{buttons: [a]}"), 5, 10, "Expected a step, found “buttons”"),
        (with_step("{say: x, butons: [a]}"), 5, 19, "Unknown key “butons”. Did you mean “buttons”?"),
        (with_step("{say: x, footer: y}"), 5, 10, "A footer needs buttons or a list"),
        (with_step("{say: x, header: y}"), 5, 10, "A header needs buttons or a list"),
        (with_step("{say: x, buttons: [a], list: {label: l, choices: [b]}}"), 5, 10, "A message has either buttons or"),
        (with_step("{say: x, list: {label: l}}"), 5, 25, "A list has either choices or sections"),
        (with_step("{say: x, buttons: [a, {title: A}]}"), 5, 40, "“A” is offered twice in one message"),
        (with_step("{say: x, buttons: [{title: a, id: z}, {title: b, id: z}]}"), 5, 56, "“z” is offered twice"),
        (with_step("{say: x, buttons: ['{{ contact.name }}']}"), 5, 29, "Titles and ids hold no places to fill in"),
        (with_step("{image: file:///etc/passwd}"), 5, 18, "Expected an address that begins with https://"),
        (with_step("{image: 'https://{{ contact.name }}/x'}"), 5, 18, "Expected an address that begins with https://"),
        (with_step("{say: '{{ x() }}'}"), 5, 16, "Calls, like name(), are not possible in texts"),
        ("bot: T\nrules: [{name: r, name: s, when: {says: y}, do: [{say: x}]}]", 2, 19, "“name” is given twice"),
        ("bot: T\nrules: [{name: r, when: {says: '?!'}, do: [{say: x}]}]", 2, 32, "“?!” has no word to look for"),
        ("bot: T\nrules: [{name: r, when: {says: {regex: (a}}, do: [{say: x}]}]", 2, 40, "This pattern cannot be"),
        ("bot: T\nrules: [{name: r, when: {says: %s}, do: [{say: x}]}]" % ("w " * 25), 2, 32, "Expected a phrase of"),
        ("bot: T\n  x: y", 2, 4, "This is not YAML: "),
        ("bot: 'T", 1, 8, "This is not YAML: "),
        ("bot: T\n---\nbot: U", 3, 1, "This is not YAML: "),
        ("bot: \x00", 1, 1, "This is not YAML: "),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(text: str, line: int, column: int, message: str) -> None:
    first = problems(text)[0]
    assert first[:2] == (line, column) and str(first[2]).startswith(message), first


def test_a_mistake_inside_a_text_of_many_lines_has_the_line_it_is_on() -> None:
    text = with_step("{say: x}").replace("[{say: x}]", "\n      - say: |\n          One\n          {{ x() }}")
    assert problems(text) == [(8, 14, "Calls, like name(), are not possible in texts")]


def test_numbers_and_truth_are_words_where_words_are_expected() -> None:
    document = parse("{bot: 12, rules: [{name: no, when: {says: [1, true, off]}, do: [{say: 3.50}]}]}")
    assert document.bot.text == "12"
    assert [text.text for text in document.rules[0].says.any] == ["1", "true", "off"]
    step = document.rules[0].do[0]
    assert isinstance(step, Say) and step.texts[0].text == "3.50"


@pytest.mark.parametrize(
    "text",
    [
        "bot: T\nrules: " + "[\n" * 20_000,
        "{\n" * 20_000,
        "bot: " + "a" * 2_000_001,
        "bot: T\nx: &a [1]\n" + "".join(f"y{n}: &b{n} [*a, *a]\n" for n in range(50)),
        "!!python/object/apply:os.system ['true']",
        "bot: !!python/object/apply:os.system ['true']",
        "%YAML 9.9\n---\nbot: T\nrules: x",
        "bot: T\n<<: {rules: []}",
        "\ufeffbot T",
        "? [a]\n: b",
        "bot: T\nrules:\n\t- x",
    ],
)
def test_a_hostile_document_is_refused_like_any_other(text: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(text)
    assert 1 <= len(caught.value.problems) <= 50
    assert all(isinstance(problem, Problem) and problem.line >= 1 for problem in caught.value.problems)


def test_lines_of_the_error_read_like_a_compiler() -> None:
    with pytest.raises(DocumentError) as caught:
        parse("bot: T\nruls: []")
    assert str(caught.value) == "Line 2, column 1: Unknown key “ruls”. Did you mean “rules”?"
