"""Where steps lead: what is never done, where the customer hears nothing; and texts that miss a language."""

import pytest

from app.bot.document import parse
from app.bot.lint import lint

HANDED = "This is never done: after a hand-off nothing more is said or done."
ELSEWHERE = "This is never done: the step before always goes elsewhere."
FINE = "fallback: {do: [{say: sorry}]}\n"


def told(steps: str, about: str = "", more: str = "") -> list[tuple[int, str]]:
    """The warnings about these steps of a rule, of which the first is in line 6."""
    lines = "\n".join(f"      - {line}" for line in steps.strip().split("\n"))
    text = f"bot: T\nrules:\n  - name: r\n    when: {{says: x}}\n    do:\n{lines}\n{more}{FINE}"
    return [(problem.line, str(problem.message)) for problem in lint(parse(text)) if about in str(problem.message)]


@pytest.mark.parametrize(
    ("steps", "line", "message"),
    [
        ("handoff: x\nsay: y\nsay: z", 7, HANDED),
        ("say: a\nclose:\nsay: y", 8, ELSEWHERE),
        ("return:\nsay: y", 7, ELSEWHERE),
        ("label: a\n{ask: {text: q, save: v}}\ngoto: a\nsay: y", 9, ELSEWHERE),
        ("{if: x, then: [{handoff: a}], else: [{close: }]}\nsay: y", 7, ELSEWHERE),
        ("{switch: x, cases: {a: [{return: }]}, else: [{handoff: x}]}\nsay: y", 7, ELSEWHERE),
        ("random: [[{return: }], [{say: a}, {close: }]]\nsay: y", 7, ELSEWHERE),
        ("{if: x, then: [{say: a}, {handoff: x}, {say: b}]}", 6, HANDED),
        ("return:\nlabel: nobody\nsay: y", 7, ELSEWHERE),
    ],
)
def test_what_is_never_done_is_told_once(steps: str, line: int, message: str) -> None:
    assert told(steps, "never done") == [(line, message)]


@pytest.mark.parametrize(
    "steps",
    [
        "say: a\nhandoff: x",
        "{if: x, then: [{handoff: a}]}\nsay: y",
        "{switch: x, cases: {a: [{return: }]}}\nsay: y",
        "{if: x, then: [{goto: end}]}\nreturn:\nlabel: end\nsay: y",
        "random: [[{return: }], [{say: a}]]\nsay: y",
        "{ask: {text: q, save: v}, otherwise: [{handoff: x}]}\nsay: y",
    ],
)
def test_what_can_be_done_is_not_told(steps: str) -> None:
    assert told(steps, "never done") == []


NOTHING = "After the answer “v” the customer may hear nothing."


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        ("{ask: {text: q, save: v}}", [6]),
        ("{ask: {text: q, save: v}}\ntag: a\nset: {x: 1}", [6]),
        ("{ask: {text: q, save: v}}\n{if: v, then: [{say: y}]}", [6]),
        ("{ask: {text: q, save: v}}\nstart: silent", [6]),
        ("{ask: {text: q, save: v}, otherwise: [{tag: a}, {return: }]}\nsay: y", [6]),
        ("{ask: {text: q, save: v}}\n{switch: v, cases: {a: [{say: a}]}}", [6]),
        ("{ask: {text: q, save: v}}\nrandom: [[{say: a}], [{note: b}]]", [6]),
        ("{ask: {text: q, save: v}}\nwait: 5m", [6]),
        ("{ask: {text: q, save: v}}\n{call: {get: 'https://x.example'}}", [6]),
        ("{ask: {text: q, save: v}}\n{call: {get: 'https://x.example'}, failed: [{tag: a}, {return: }]}\nsay: y", [6]),
        ("{ask: {text: q, save: v}}\n{call: {get: 'https://x.example'}, failed: [{tag: b}]}\nsay: y", []),
        ("{ask: {text: q, save: v}}\n{schedule: later, after: 5m}", []),
        ("{ask: {text: q, save: v}}\nsay: y", []),
        ("{ask: {text: q, save: v}}\nreaction: 👍", []),
        ("{ask: {text: q, save: v}}\n{if: v, then: [{say: y}], else: [{handoff: z}]}", []),
        ("{ask: {text: q, save: v}}\nstart: silent\nsay: y", []),
        ("{ask: {text: q, save: v}}\nstart: loud", []),
        ("{ask: {text: q, save: v}}\nclose:", []),
        ("{ask: {text: q, save: v}}\n{ask: {text: q, save: w}}\nsay: y", []),
    ],
)
def test_a_dead_end_after_an_answer(steps: str, lines: list[int]) -> None:
    more = "flows:\n  silent: [{tag: a}]\n  loud: [{say: b}]\n"
    assert told(steps, "“v” the customer", more) == [(line, NOTHING) for line in lines]


def test_a_flow_is_followed_by_what_starts_it() -> None:
    more = "flows:\n  asks: [{ask: {text: q, save: v}}]\n"
    assert told("start: asks\nsay: thanks", "hear nothing", more) == []
    assert told("start: asks\ntag: done", "hear nothing", more) == [(9, NOTHING)]


def test_a_rule_that_says_nothing() -> None:
    said = "This may leave the customer without an answer."
    more = "flows:\n  silent: [{tag: a}]\n  loud: [{say: b}]\n"
    assert told("tag: a", said) == [(3, said)]
    assert told("start: silent", said, more) == [(3, said)]
    assert told("start: silent\nstart: loud", said, more) == []
    assert told("start: loud", said, more) == told("say: a\ntag: b", said) == told("handoff: a", said) == []


def missing(text: str) -> list[tuple[int, str]]:
    found = lint(parse(f"bot: T\n{text}\n{FINE}"))
    return [(problem.line, str(problem.message)) for problem in found if "language" in str(problem.message)
            or "missing" in str(problem.message)]  # fmt: skip


def test_a_text_that_misses_a_language_is_told() -> None:
    text = """\
language: en
rules:
  - name: r
    when: {says: x}
    do:
      - say: {en: Hello, pt: Olá, fr: Salut}
      - say: {en: Bye, pt-BR: Tchau}
      - say: "{{ contact.name }} 👍 https://x.example"
        footer: {pt: rodapé}
        buttons: [{title: OK, id: ok}]"""
    assert missing(text) == [
        (8, "This text is missing in fr."),
        (10, "This text is missing in en, fr."),
        (11, "This text is missing in pt, fr, pt-BR."),
        (12, "This text is missing in pt, fr, pt-BR."),
    ]


def test_a_document_in_one_language_misses_none() -> None:
    assert missing("rules: [{name: r, when: {says: x}, do: [{say: Hello}]}]") == []


def test_who_everybody_else_is_spoken_to_has_to_be_known() -> None:
    assert missing("rules: [{name: r, when: {says: x}, do: [{say: {en: a, pt: b}}]}]")[0] == (
        1,
        "This bot speaks several languages; “language” says which one everybody else reads.",
    )


def test_titles_of_languages_are_in_their_own() -> None:
    ask = "{ask: {text: {en: a, pt: b}, save: language, choices: [English, Português]}}, {say: {en: c, pt: d}}"
    assert missing(f"language: en\nrules: [{{name: r, when: {{says: x}}, do: [{ask}]}}]") == [
        (4, "This text is missing in pt.")
    ]
