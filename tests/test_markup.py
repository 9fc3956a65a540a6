"""WhatsApp marks become a fixed set of tags; whatever else a person writes stays text (S19)."""

import re
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from app import markup
from app.markup import plain, render

ALLOWED = re.compile(
    r'</?(?:b|i|s|code)>|<br>|</a>|<a href="https?://[^"<>\s]*" target="_blank" rel="noopener noreferrer nofollow">'
)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* and _italic_", "<b>bold</b> and <i>italic</i>"),
        ("~gone~", "<s>gone</s>"),
        ("*_both_*", "<b><i>both</i></b>"),
        ("`x = *1*`", "<code>x = *1*</code>"),
        ("a ```one\ntwo``` b", "a <code>one<br>two</code> b"),
        ("line\nline", "line<br>line"),
        ("2*3*4 snake_case_name", "2*3*4 snake_case_name"),
        ("* list\n* list", "* list<br>* list"),
        ("*open only", "*open only"),
        ("*not\nacross*", "*not<br>across*"),
        ("_*crossed_*", "<i>*crossed</i>*"),
        ("** ~~ __", "** ~~ __"),
        ("``` unclosed *b*", "``` unclosed <b>b</b>"),
        ("(*so*)", "(<b>so</b>)"),
        ("*مرحبا* 🎂", "<b>مرحبا</b> 🎂"),
        ("", ""),
    ],
)
def test_marks_become_tags_only_where_whatsapp_would_show_them(text: str, html: str) -> None:
    assert render(text) == html


def test_an_address_is_a_link_without_the_full_stop_after_it() -> None:
    html = render("See https://luna.example/a_b_c?x=1&y=2.")
    assert 'href="https://luna.example/a_b_c?x=1&amp;y=2"' in html and html.endswith("</a>.")


@pytest.mark.parametrize("text", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "http://", "ftp://x.y"])
def test_only_http_addresses_become_links(text: str) -> None:
    assert "<a" not in render(text)


def test_html_in_a_message_stays_text() -> None:
    html = render('*<img src=x onerror="alert(1)">* https://x.example/"onmouseover=alert(1)')
    assert "<img" not in html and '"onmouseover' not in html


@given(st.text(alphabet=st.sampled_from("*_~`<>&\"' \nahttps:/.x😀ע"), max_size=200))
def test_nothing_but_the_fixed_tags_comes_out(text: str) -> None:
    html = render(text)
    rest = ALLOWED.sub("", html)
    assert "<" not in rest and ">" not in rest and isinstance(html, Markup)
    assert html.count("<b>") == html.count("</b>") and html.count("<code>") == html.count("</code>")


@given(st.text(max_size=300))
def test_no_character_is_lost(text: str) -> None:
    kept = Markup(ALLOWED.sub("", render(text))).unescape()
    assert sorted(c for c in text if c.isalnum()) == sorted(c for c in kept if c.isalnum())


class Counted(list[Markup]):
    """The parts of a text; every one that is added or looked at is a step, and so is each of its characters."""

    steps = 0

    def append(self, part: Markup) -> None:
        Counted.steps += 1
        super().append(part)

    def extend(self, parts: Iterable[Markup]) -> None:
        for part in parts:
            self.append(part)

    def __iter__(self) -> Iterator[Markup]:
        for part in super().__iter__():
            Counted.steps += 1 + len(part)
            yield part


class CountedOpen(markup._Open):
    def __init__(self, mark: str) -> None:
        super().__init__(mark)
        self.parts = Counted()


# What the pattern itself looks at needs no count: each of its branches begins with a character that it cannot hold.
@pytest.mark.parametrize("piece", ["*a ", "_*~", "`a ", "https://", "```", "*a* ", "\n*", "*``"])
def test_the_work_grows_with_the_length_only(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "_Open", CountedOpen)

    def steps(size: int) -> int:
        Counted.steps = 0
        render(piece * (size // len(piece)))
        return Counted.steps

    # Four times the text: four times the work where it grows with the length, sixteen where it grows with the square.
    assert 0 < steps(8_000) < 5 * steps(2_000)


def test_a_snippet_is_one_line() -> None:
    assert plain("one\n\n two\tthree ") == "one two three"
