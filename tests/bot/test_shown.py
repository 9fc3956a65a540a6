"""What the channels of a bot make of what it says, told before it is published."""

import pytest
from msgspec.structs import replace

from app.bot.document import parse
from app.bot.shown import Network, shown
from app.connectors.whatsapp_cloud.limits import CAPABILITIES
from tests.bot.turns import PLAIN

SHOP = Network("Shop (WhatsApp)", CAPABILITIES)
BARE = Network("Page (Web)", PLAIN)


def told(step: str, *networks: Network) -> list[tuple[int, str]]:
    document = parse(f"bot: T\nrules:\n  - name: r\n    when: {{says: x}}\n    do:\n      - {step}\n")
    found = shown(document, networks or (SHOP,))
    assert all(problem.severity == "warning" for problem in found)
    return [(problem.line, str(problem.message)) for problem in found]


LIST = "On Shop (WhatsApp): {}; sent as a list"
NUMBERED = "On Shop (WhatsApp): {}; sent as a numbered text"


@pytest.mark.parametrize(
    ("step", "warning"),
    [
        ("{say: x, buttons: [a, b, c]}", ""),
        ("{say: x, buttons: [a, b, c, d]}", LIST.format("This network shows at most 3 buttons")),
        (f"{{say: x, buttons: [{'t' * 21}]}}", LIST.format(f"“{'t' * 21}” is longer than a button here may be (20)")),
        (f"{{say: x, buttons: [{'t' * 25}]}}",
         NUMBERED.format(f"“{'t' * 25}” is longer than a button here may be (20)")),
        (f"{{say: x, buttons: [{', '.join(f't{n}' for n in range(11))}]}}",
         NUMBERED.format("This network shows at most 3 buttons")),
        (f"{{say: x, list: {{label: l, choices: [{'t' * 25}]}}}}",
         NUMBERED.format(f"“{'t' * 25}” is longer than a row here may be (24)")),
        (f"{{say: {'x' * 1_100}, buttons: [a]}}", "On Shop (WhatsApp): A long text was sent in parts"),
        (f"{{say: {'x' * 5_000}}}", "On Shop (WhatsApp): A long text was sent in parts"),
        (f"{{schedule: {'x' * 4_096}, after: 1h}}", ""),
        (f"{{image: 'https://x.example/a.jpg', caption: {'x' * 1_100}}}",
         "On Shop (WhatsApp): The caption was sent as a text of its own"),
        ("{ask: {text: which, save: x, choices: [a, b, c, d]}}", LIST.format("This network shows at most 3 buttons")),
        (f"{{ask: {{text: q, save: x, reminder: {{after: 5m, text: {'x' * 4_096}}}}}}}", ""),
        (f"{{ask: {{text: q, save: x, choices: [a], reminder: {{after: 5m, text: {'x' * 2_000}}}}}}}",
         "On Shop (WhatsApp): A long text was sent in parts"),
        ("{if: x, then: [{say: x, buttons: [a, b, c, d]}]}", LIST.format("This network shows at most 3 buttons")),
        ("{say: x, quote: true}", ""),
        ("{reaction: 👍}", ""),
    ],
)  # fmt: skip
def test_what_a_network_cannot_show_is_told(step: str, warning: str) -> None:
    assert told(step) == ([(6, warning)] if warning else [])


@pytest.mark.parametrize(
    ("step", "note"),
    [
        ("{location: {latitude: '{{ a }}', longitude: 2}}", "This network shows no places; sent as a map link"),
        ("{contact: {name: '{{ a }}', phone: 1}}", "This network has no contact cards; sent as a text"),
        ("{reaction: '{{ a }}'}", "This network has no reactions; the reaction was left out"),
        ("{template: t, language: en, text: x}", "This network has no templates; sent as a text"),
        ("{template: t, language: en}", "This network has no templates, and “t” has no text; it was left out"),
        ("{say: x, quote: true}", "This network quotes no messages; sent without the quote"),
        ("{video: 'https://x.example/a.mp4'}", "This network shows no video; sent as a link"),
        ("{say: '{{ a }}', buttons: [b], header: '{{ c }}'}",
         "This network has no buttons; sent as a numbered text"),
    ],
)  # fmt: skip
def test_each_kind_is_told_for_each_network_that_lacks_it(step: str, note: str) -> None:
    assert told(step, SHOP, BARE) == [(6, f"On Page (Web): {note}")]


def test_a_change_is_told_once_for_a_step_whichever_text_is_drawn() -> None:
    assert len(told("{say: [a, b, c], buttons: [a, b, c, d]}")) == 1
    assert len(told("{say: [a, b, c], buttons: [a, b, c, d]}", SHOP, BARE)) == 2


def test_each_language_is_looked_at() -> None:
    narrow = Network("N", replace(CAPABILITIES, text=5))
    assert told("{say: {en: short, pt: comprido}}", narrow) == [(6, "On N: A long text was sent in parts")]
    assert told("{say: {en: short, pt: curto}}", narrow) == []
