"""What a network cannot show: every rule of the table in docs/bot-language.md, and that no limit is ever exceeded."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.bot.degrade import fit, fit_quote, split
from app.capabilities import Capabilities
from app.content import (
    Audio,
    Buttons,
    Card,
    Choice,
    ChoiceList,
    Contacts,
    Content,
    Document,
    Image,
    Link,
    Location,
    Reaction,
    Section,
    Sticker,
    Template,
    Text,
    Video,
)
from app.content import text as text_of
from tests.bot.turns import FILES, PLAIN, WHATSAPP

TWO = (Choice("a", "Apple"), Choice("b", "Pear"))
FOUR = (*TWO, Choice("c", "Plum"), Choice("d", "Fig"))
LISTED = ChoiceList("Which?", "Open", (Section(TWO, "Fruit"), Section((Choice("r", "Rye", "Dark"),), "Bread")))


def test_what_fits_is_sent_as_it_is() -> None:
    for content in (
        Text("hi"),
        Buttons("Which?", TWO, "Head", "Foot"),
        LISTED,
        Image(url="u", caption="c"),
        Link("t", "l", "u"),
    ):
        assert fit(content, WHATSAPP) == ((content,), (), ())


@pytest.mark.parametrize("choices", [FOUR, (*TWO, Choice("c", "A title longer than 20"))])
def test_buttons_that_do_not_fit_become_a_list(choices: tuple[Choice, ...]) -> None:
    shown = fit(Buttons("Which?", choices, "Head", "Foot"), WHATSAPP)
    assert shown.contents == (ChoiceList("Which?", "Menu", (Section(choices),), "Head", "Foot"),)
    assert shown.choices == () and str(shown.notes[0]).endswith("; sent as a list")


@pytest.mark.parametrize(
    ("language", "label"), [("", "Menu"), ("pt", "Menu"), ("de", "Menü"), ("zh", "菜单"), ("zh_Hant", "選單")]
)
def test_the_label_of_such_a_list_is_in_the_language(language: str, label: str) -> None:
    [listed] = fit(Buttons("Which?", FOUR), WHATSAPP, language).contents
    assert isinstance(listed, ChoiceList) and listed.label == label and len(label) <= WHATSAPP.list_label


@pytest.mark.parametrize(
    "can", [PLAIN, replace(WHATSAPP, list_rows=0), replace(WHATSAPP, list_title=3), replace(WHATSAPP, list_rows=3)]
)
def test_buttons_that_fit_nowhere_become_a_numbered_text_whose_numbers_are_known(can: Capabilities) -> None:
    shown = fit(Buttons("Which?", FOUR, "Head", "Foot"), can)
    assert shown.contents == (Text("Head\n\nWhich?\n\n1. Apple\n2. Pear\n3. Plum\n4. Fig\n\nFoot"),)
    assert shown.choices == (("a", "Apple"), ("b", "Pear"), ("c", "Plum"), ("d", "Fig"))
    assert str(shown.notes[0]).endswith("; sent as a numbered text")


def test_a_list_becomes_buttons_where_there_are_only_those() -> None:
    shown = fit(ChoiceList("Which?", "Open", (Section(TWO),), "Head"), replace(WHATSAPP, list_rows=0))
    assert shown == ((Buttons("Which?", TWO, "Head"),), ("This network has no lists; sent as buttons",), ())


def test_a_list_with_descriptions_becomes_a_numbered_text() -> None:
    shown = fit(LISTED, replace(WHATSAPP, list_rows=0))
    assert shown.contents == (Text("Which?\n\nFruit\n1. Apple\n2. Pear\n\nBread\n3. Rye: Dark"),)
    assert shown.choices == (("a", "Apple"), ("b", "Pear"), ("r", "Rye"))


def test_parts_of_a_list_that_are_too_long_are_shortened() -> None:
    can = replace(WHATSAPP, list_label=5, list_description=4, list_title=8)
    listed = ChoiceList("Which?", "Open it", (Section((Choice("a", "Apple", "Sweet"),), "Fruit, fresh"),))
    shown = fit(listed, can)
    assert shown.contents == (ChoiceList("Which?", "Open…", (Section((Choice("a", "Apple", "Swe…"),), "Fruit,…"),)),)
    assert shown.notes == ("Descriptions in the list were shortened", "The label of the list was shortened")


def test_a_text_too_long_for_buttons_goes_ahead_in_parts() -> None:
    shown = fit(Buttons("First part here. Second part. Which?", TWO), replace(WHATSAPP, button_text=20, text=30))
    assert shown.contents == (Text("First part here."), Buttons("Second part. Which?", TWO))
    assert shown.notes == ("A long text was sent in parts",)


def test_a_header_or_footer_too_long_moves_into_the_text() -> None:
    can = replace(WHATSAPP, header=6, footer=4)
    assert fit(Buttons("Which?", TWO, "Good morning", "Luna Bakery"), can).contents == (
        Buttons("Good morning\n\nWhich?\n\nLuna Bakery", TWO),
    )
    narrow = replace(can, button_text=10)
    assert fit(Buttons("Which?", TWO, "Good morning", "Luna Bakery"), narrow).contents == (
        Buttons("Which?", TWO, "Good…", "Lun…"),
    )


def test_a_picture_above_buttons_goes_ahead_where_it_cannot_stand_there() -> None:
    content = Buttons("Which?", TWO, Image(url="https://x/a.jpg"))
    assert fit(content, WHATSAPP).contents == (content,)
    assert fit(content, replace(WHATSAPP, buttons=0)).contents == (
        Image(url="https://x/a.jpg"),
        ChoiceList("Which?", "Menu", (Section(TWO),)),
    )
    assert fit(content, replace(WHATSAPP, media={})).contents == (Text("https://x/a.jpg"), Buttons("Which?", TWO))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (Image(url="https://x/a.jpg", caption="Our shop"), "Our shop\nhttps://x/a.jpg"),
        (Video(url="https://x/a.mp4"), "https://x/a.mp4"),
        (Document(url="https://x/a.pdf", filename="menu.pdf"), "menu.pdf\nhttps://x/a.pdf"),
        (Audio(url="https://x/a.ogg", caption="Listen"), "Listen\nhttps://x/a.ogg"),
    ],
)
def test_a_file_the_network_cannot_show_becomes_a_link(content: Content, expected: str) -> None:
    shown = fit(content, PLAIN)
    assert shown.contents == (Text(expected),) and str(shown.notes[0]).endswith("; sent as a link")


def test_a_caption_that_cannot_stay_follows_as_a_text() -> None:
    can = replace(WHATSAPP, caption=5)
    assert fit(Image(url="u", caption="too long"), can).contents == (Image(url="u"), Text("too long"))
    assert fit(Video(url="u", caption="too long"), can).contents == (Video(url="u"), Text("too long"))
    assert fit(Audio(url="u", caption="hi"), can).contents == (Audio(url="u"), Text("hi"))
    assert fit(Document(url="u", caption="too long", filename="f"), can).contents == (
        Document(url="u", filename="f"),
        Text("too long"),
    )


@pytest.mark.parametrize(
    ("content", "able", "text", "note"),
    [
        (
            Location(-8.0578, -34.882912345, "Luna Bakery", "Rua da Aurora 10"),
            "location",
            "Luna Bakery\nRua da Aurora 10\nhttps://www.google.com/maps/search/?api=1&query=-8.0578,-34.882912",
            "This network shows no places; sent as a map link",
        ),
        (
            Location(0, 100),
            "location",
            "https://www.google.com/maps/search/?api=1&query=0,100",
            "This network shows no places; sent as a map link",
        ),
        (
            Contacts((Card("Ana", (("+55 1", ""),), (("a@b.example", ""),), {"org": {"company": "Luna"}}), Card("Bo"))),
            "contacts",
            "Ana\nLuna\n+55 1\na@b.example\n\nBo",
            "This network has no contact cards; sent as a text",
        ),
        (
            Template("t", "en", (), "It is ready."),
            "template",
            "It is ready.",
            "This network has no templates; sent as a text",
        ),
        (Template("t", "en"), "template", "", "This network has no templates, and “t” has no text; it was left out"),
        (Reaction("", "👍"), "reaction", "", "This network has no reactions; the reaction was left out"),
    ],
)
def test_places_cards_templates_and_reactions_become_texts_or_nothing(
    content: Content, able: str, text: str, note: str
) -> None:
    assert fit(content, PLAIN) == ((Text(text),) if text else (), (note,), ())
    assert fit(content, replace(PLAIN, **{able: True})) == ((content,), (), ())


def test_a_long_text_of_them_is_split_too() -> None:
    shown = fit(Template("t", "en", (), "One two. Three four."), replace(PLAIN, text=12))
    assert shown.contents == (Text("One two."), Text("Three four."))


def test_a_sticker_becomes_a_link() -> None:
    assert fit(Sticker(url="https://x/a.webp"), PLAIN).contents == (Text("https://x/a.webp"),)


def test_a_quote_is_dropped_where_there_is_none_but_a_reaction_stays_on_its_message() -> None:
    assert fit_quote(Text("x"), replace(PLAIN, quote=True)) == (True, ())
    assert fit_quote(Text("x"), PLAIN) == (False, ("This network quotes no messages; sent without the quote",))
    assert fit_quote(Reaction("", "👍"), replace(PLAIN, reaction=True)) == (True, ())


@pytest.mark.parametrize(
    ("text", "most", "parts"),
    [
        ("one two three", 20, ["one two three"]),
        ("one two three four", 10, ["one two", "three four"]),
        ("One two. Three four", 12, ["One two.", "Three four"]),
        ("para\n\npara two here", 12, ["para\n\npara", "two here"]),
        ("x" * 25, 10, ["x" * 10, "x" * 10, "x" * 5]),
        ("你好。再见。谢谢", 4, ["你好。", "再见。", "谢谢"]),
    ],
)
def test_a_long_text_is_cut_where_a_reader_would(text: str, most: int, parts: list[str]) -> None:
    assert split(text, most) == parts


@given(st.text(max_size=300), st.integers(1, 40))
def test_cutting_loses_nothing_but_spaces(text: str, most: int) -> None:
    parts = split(text, most)
    assert all(0 < len(part) <= most for part in parts) or len(text) <= most
    assert "".join("".join(parts).split()) == "".join(text.split())


titles = st.text("abcdefgh ", min_size=1, max_size=30)
choices = st.lists(titles, min_size=1, max_size=14, unique=True).map(
    lambda found: tuple(Choice(str(at), title, title if at % 3 == 0 else "") for at, title in enumerate(found))
)
long_text = st.text("abc .\n", min_size=1, max_size=400)
files = st.builds(Image, url=st.just("https://x/a.jpg"), caption=long_text)
contents = st.one_of(
    st.builds(Text, long_text),
    st.builds(Buttons, long_text, choices, st.one_of(titles, st.builds(Image, url=st.just("https://x/a.jpg"))), titles),
    st.builds(ChoiceList, long_text, titles, choices.map(lambda found: (Section(found, "Title"),)), titles, titles),
    files,
    st.builds(Location, st.floats(-90, 90), st.floats(-180, 180), titles),
    st.builds(Contacts, titles.map(lambda name: (Card(name, (("+1", ""),)),))),
    st.builds(Template, st.just("t"), st.just("en"), st.just(()), long_text),
)
limits: dict[str, Any] = {
    "text": st.integers(5, 200),
    "caption": st.integers(5, 50),
    "buttons": st.integers(0, 5),
    "button_title": st.integers(1, 25),
    "button_text": st.integers(5, 200),
    "list_rows": st.integers(0, 12),
    "list_title": st.integers(1, 25),
    "list_description": st.integers(1, 20),
    "list_label": st.integers(1, 20),
    "list_text": st.integers(5, 200),
    "header": st.integers(1, 20),
    "footer": st.integers(1, 20),
    "media": st.sampled_from([{}, FILES]),
    "location": st.booleans(),
    "contacts": st.booleans(),
    "template": st.booleans(),
}


def too_much(content: Content, can: Capabilities) -> bool:
    match content:
        case Text():
            return len(content.text) > can.text
        case Buttons():
            head = len(content.header) > can.header if isinstance(content.header, str) else "image" not in can.media
            many = len(content.choices) > can.buttons or any(len(c.title) > can.button_title for c in content.choices)
            return head or many or len(content.text) > can.button_text or len(content.footer) > can.footer
        case ChoiceList():
            rows = [choice for section in content.sections for choice in section.choices]
            many = len(rows) > can.list_rows or any(len(c.title) > can.list_title for c in rows)
            long = any(len(c.description) > can.list_description for c in rows) or len(content.label) > can.list_label
            edges = len(content.header) > can.header or len(content.footer) > can.footer
            return many or long or edges or len(content.text) > can.list_text
        case Image():
            return "image" not in can.media or len(content.caption) > can.caption
        case Location():
            return not can.location
        case Contacts():
            return not can.contacts
        case Template():
            return not can.template
    return True


@given(contents, st.builds(Capabilities, **limits))
def test_nothing_is_ever_sent_that_the_network_refuses(content: Content, can: Capabilities) -> None:
    shown = fit(content, can)
    assert not [part for part in shown.contents if too_much(part, can)]
    assert shown.notes or shown.contents == (content,)
    assert letters(content) in "".join(letters(part) for part in shown.contents)


def letters(content: Content) -> str:
    return "".join(text_of(content).split())
