"""Texts in several languages: which one is said, and that a bot is the same bot in all of them."""

from typing import Any

import pytest
from msgspec.structs import replace

from app.bot.decide import decide
from app.bot.document import DocumentError, Version, compile_version, parse
from app.bot.languages import choose
from app.bot.scene import Decision, HandOff, Send, State
from app.bot.schema import json_schema
from app.connectors.whatsapp_cloud.limits import CAPABILITIES
from app.content import Buttons, ChoiceList, Image, Template
from tests.bot.turns import NOW, arrived, press, said, scene

BOT = """\
bot: T
language: en
rules:
  - name: order
    when: {says: [order, comprar]}
    do: [{start: order}]
  - name: idioma
    when: {says: idioma}
    do: [{say: {en: one, pt: um}}, {set: {language: pt}}, {say: {en: two, pt: "dois {{ 1.5 | number }}"}}]
  - {name: only, when: {says: only}, do: [{say: {pt: só}}, {say: {en: English, fr: Français}}]}
flows:
  order:
    - ask:
        text: {en: What?, pt: O quê?}
        choices: [{en: Bread, pt: Pão}, {title: {en: Cake, pt: Bolo}, id: cake}]
        save: item
        again: {en: Again?, pt: De novo?}
        cancel: [stop, parar]
        cancelled: {en: Stopped., pt: Parado.}
    - say: {en: "A {{ item }} for {{ 1234.5 | number }}", pt: "Um {{ item }} por {{ 1234.5 | number }}"}
    - handoff: done
fallback: {do: [{say: {en: "Sorry?", pt: "Como?"}}]}
"""


def talk(bot: Version, what: Any, state: State | None = None, language: str = "") -> Decision:
    one = scene(state, CAPABILITIES)
    one = replace(one, contact=replace(one.contact, language=language))
    return decide(bot, one, arrived(what), NOW)


def chat(*messages: Any, language: str = "", bot: str = BOT) -> list[list[str]]:
    compiled, state, found = compile_version(bot), State(), []
    for message in messages:
        decision = talk(compiled, message, state, language)
        state = decision.state
        found.append(said(decision))
    return found


@pytest.mark.parametrize("language", ["pt", "pt-BR", "pt_BR", "PT"])
def test_a_contact_reads_their_language(language: str) -> None:
    assert chat("comprar", "nada", "Pão", language=language) == [
        ["O quê?"],
        ["De novo?"],
        ["Um bread por 1.234,5", "→ done"],
    ]


@pytest.mark.parametrize("language", ["", "en", "en-GB", "de"])
def test_everybody_else_reads_the_document_s(language: str) -> None:
    assert chat("order", "stop", "what", language=language) == [["What?"], ["Stopped."], ["Sorry?"]]


def test_a_text_that_is_not_there_is_said_in_the_documents_language_else_the_first() -> None:
    assert chat("only", language="pt") == [["só", "English"]]
    assert chat("only", language="en") == [["só", "English"]]
    assert chat("only", language="fr") == [["só", "Français"]]


def test_a_language_that_is_remembered_counts_at_once_and_before_the_contacts() -> None:
    assert chat("idioma", "order", language="en") == [["one", "dois 1,5"], ["O quê?"]]


def test_a_language_that_nobody_speaks_counts_for_nothing() -> None:
    bot = BOT.replace("language: pt}", "language: elvish}")
    assert chat("idioma", "order", bot=bot, language="pt") == [["um", "dois 1,5"], ["O quê?"]]


def test_a_flow_goes_on_in_a_language_chosen_in_it() -> None:
    bot = BOT.replace(
        "  order:\n",
        "  order:\n    - ask: {text: {en: L?, pt: I?}, choices: [{title: English, id: en}, "
        "{title: Português, id: pt}], save: language}\n",
    )
    assert chat("order", "Português", "Bolo", bot=bot) == [["L?"], ["O quê?"], ["Um cake por 1.234,5", "→ done"]]


def test_a_button_is_the_same_in_every_language() -> None:
    bot = compile_version(BOT)
    first = talk(bot, "order", None, "pt")
    [send] = first.effects
    assert isinstance(send, Send) and isinstance(send.content, Buttons)
    assert [(choice.id, choice.title) for choice in send.content.choices] == [("bread", "Pão"), ("cake", "Bolo")]
    # Pressed after the language became another one.
    answered = talk(bot, press("bread", "Pão"), first.state, "en")
    assert said(answered)[0] == "A bread for 1,234.5"
    assert isinstance(answered.effects[-1], HandOff)


def test_everything_that_customers_read_may_have_languages() -> None:
    bot = compile_version("""\
bot: T
language: en
rules:
  - name: all
    when: {says: all}
    do:
      - say: [{en: a, pt: b}]
        buttons: [{id: Mau, en: "Yes", pt: Sim}]
        header: {en: head, pt: topo}
        footer: {en: foot, pt: pé}
      - say: c
        list:
          label: {en: Open, pt: Abrir}
          sections:
            - title: {en: Fruit, pt: Frutas}
              choices: [{title: {en: Pear, pt: Pera}, description: {en: sweet, pt: doce}}]
      - {image: "https://x.example/a.jpg", caption: {en: cat, pt: gato}}
      - {template: t, parameters: [{en: Hello, pt: Olá}], text: {en: Hi, pt: Oi}}
""")
    buttons, listed, image, template = [
        effect.content for effect in talk(bot, "all", None, "pt").effects if isinstance(effect, Send)
    ]
    assert isinstance(buttons, Buttons) and isinstance(listed, ChoiceList)
    assert isinstance(image, Image) and isinstance(template, Template)
    assert (buttons.text, buttons.header, buttons.footer, buttons.choices[0].title) == ("b", "topo", "pé", "Sim")
    assert buttons.choices[0].id == "mau"
    section = listed.sections[0]
    assert (listed.label, section.title) == ("Abrir", "Frutas")
    assert (section.choices[0].title, section.choices[0].description) == ("Pera", "doce")
    assert image.caption == "gato" and (template.language, template.text) == ("pt", "Oi")
    assert template.components[0]["parameters"][0]["text"] == "Olá"


def test_a_mistake_in_one_language_is_told_once_at_its_place() -> None:
    text = BOT.replace("pt: um}", 'pt: "{{ a( }}"}') + "  again: {}\n"
    with pytest.raises(DocumentError) as caught:
        compile_version(text)
    assert len(caught.value.problems) == 1
    with pytest.raises(DocumentError) as caught:
        compile_version(BOT.replace("pt: um}", 'pt: "{{ a( }}"}'))
    [problem] = caught.value.problems
    assert problem.line == 9 and "cannot be read" in str(problem.message)
    with pytest.raises(DocumentError) as caught:
        compile_version(BOT.replace("[{start: order}]", "[{start: nothing}]"))
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{english: Hi}", "Expected a text or a list of texts, found a group of keys"),
        ("{en: Hi, xx-what: Oi}", "Expected a text or a list of texts, found a group of keys"),
        ("{en: }", "Expected a text, found nothing"),
        ("{en: a, en: b}", "“en” is given twice"),
        ("{en: {pt: a}}", "Expected a text, found a group of keys"),
    ],
)
def test_what_is_no_text_in_languages_is_told(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(f"bot: T\nflows:\n  f: [{{say: {text}}}]")
    assert [str(problem.message) for problem in caught.value.problems] == [message]


def test_the_nearest_language_is_chosen() -> None:
    known = ("en", "pt-BR", "zh-Hant-TW", "pt-PT")
    found = [choose(known, wanted) for wanted in ("en-GB", "pt", "pt_PT", "PT-br", "zh-TW", "fr", "", "pt-AO")]
    assert found == ["en", "pt-BR", "pt-PT", "pt-BR", "zh-Hant-TW", "", "", "pt-BR"]
    assert choose(known, "fr", "en") == "en"


def test_a_document_in_one_language_is_made_ready_once() -> None:
    assert compile_version("bot: T\nlanguage: en").languages == {}
    bot = compile_version(BOT)
    assert set(bot.languages) == {"en", "pt", "fr"} and bot.in_language("en") is bot
    assert all(other.index is bot.index for other in bot.languages.values())


def test_the_schema_knows_texts_in_languages() -> None:
    assert "patternProperties" in str(json_schema()["$defs"]["steps"]["items"]["anyOf"][0]["properties"]["say"])


def test_a_list_that_buttons_become_opens_in_the_language() -> None:
    bot = compile_version(BOT.replace("{en: Bread, pt: Pão}, ", "{en: Bread, pt: Pão}, A, B, C, ").replace("pt", "de"))
    [send] = talk(bot, "order", None, "de-AT").effects
    assert isinstance(send, Send) and isinstance(send.content, ChoiceList) and send.content.label == "Menü"


def test_a_day_that_was_answered_is_written_in_the_language() -> None:
    bot = """\
bot: T
language: en
rules:
  - name: day
    when: {says: day}
    do:
      - ask: {text: {en: When?, pt: Quando?}, expect: datetime, save: day}
      - say: {en: "{{ day | date('full') }}, {{ day | time }}", pt: "{{ day | date('full') }}, {{ day | time }}"}
"""
    [_, english] = chat("day", "24/12/2026 at 15:00", bot=bot)
    [_, brazilian] = chat("day", "24/12/2026 15:00", language="pt-BR", bot=bot)
    assert english == ["Thursday, December 24, 2026, 3:00 PM"]
    assert brazilian == ["quinta-feira, 24 de dezembro de 2026, 15:00"]
