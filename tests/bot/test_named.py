"""Names of secrets, users and teams that an installation does not have."""

from app.bot.document import parse
from app.bot.named import Known, named
from app.template import read
from app.template_fit import Known as Template

TEXT = """\
bot: T
rules:
  - name: r
    when: {says: x}
    do:
      - assign: Ana@Luna.example
      - assign: big  kitchen
      - assign: nobody@luna.example
      - assign: "{{ contact.fields.owner }}"
      - {if: x, then: [{handoff: {reason: a, team: Oven}}]}
      - {call: {get: "https://x.example/{{ secret.key }}", headers: {A: "{{ secret.other }}"}}, failed: [{say: a}]}
      - {handoff: {reason: b, team: BIG KITCHEN}}
"""


def told(known: Known) -> list[tuple[int, str]]:
    found = named(parse(TEXT), known)
    assert all(problem.severity == "warning" for problem in found)
    return sorted((problem.line, str(problem.message)) for problem in found)


def test_what_is_not_there_is_told_at_its_place() -> None:
    known = Known(frozenset({"key"}), frozenset({"Big Kitchen"}), frozenset({"ana@luna.example"}))
    assert told(known) == [
        (8, "There is no user and no team “nobody@luna.example”, so nobody is assigned."),
        (10, "There is no team “Oven”; the hand-off goes to everybody."),
        (11, "There is no secret “other”, so this call will fail."),
    ]


def test_a_user_is_no_team() -> None:
    known = Known(frozenset({"key", "other"}), frozenset(), frozenset({"big kitchen", "oven", "Ana@luna.example"}))
    assert [line for line, _ in told(known)] == [8, 10, 12]


def test_nothing_is_told_where_everything_is_there() -> None:
    teams = frozenset({"nobody@luna.example", "oven", "big kitchen"})
    assert told(Known(frozenset({"key", "other"}), teams, frozenset({"ana@luna.example"}))) == []


TEMPLATES = """
bot: Shop
language: en
rules:
  - name: late
    when: {says: late}
    do:
      - {template: order_ready, parameters: ["{{ contact.name }}"]}
      - {template: nowhere}
      - {template: paused}
      - {template: order_ready, language: pt_BR, parameters: [a]}
fallback: {do: [{template: order_ready}]}
"""


def test_templates_that_a_channel_cannot_send_are_told() -> None:
    ready = read([{"type": "BODY", "text": "Your order {{1}} is ready."}])
    there = (
        Template("order_ready", "en", "APPROVED", ready), Template("paused", "en", "PAUSED", read([])),
    )  # fmt: skip
    found = named(parse(TEMPLATES), Known(templates=(("Shop", there),)))
    assert [(problem.line, str(problem.message)) for problem in found] == [
        (9, "On Shop: there is no template “nowhere”."),
        (10, "On Shop: the template “paused” cannot be sent so. The network paused it because people react badly to"
             " it."),
        (11, "On Shop: the template “order_ready” is there in en, not in pt_BR."),
        (12, "On Shop: the template “order_ready” cannot be sent so. Its text has 1 values, and 0 are given."),
    ]  # fmt: skip
