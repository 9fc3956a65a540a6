"""The drawn map: every step once, at its line, none on another, with the ways between them."""

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bot import map as flows

TEXT = """\
bot: Luna
flows:
  order:
    - ask: {text: What would you like?, save: item}
    - label: again
    - ask: {text: How many?, save: quantity, timeout: {after: 1h, do: [{say: Another time}]}}
      otherwise: [{handoff: Somebody helps}]
    - if: "quantity > 10"
      then: [{handoff: orders}, {goto: again}]
      else:
        - call: {post: "https://shop.example"}
        - say: "Done, مرحبا 🎂!"
    - start: birthday
  later:
    - wait: 10m
    - wait: {until: open}
    - schedule: [{say: "Your cake, {{ name }}"}]
      after: 2h
    - later: birthday
      at: "18:00"
    - call: {put: "https://shop.example/orders", json: {n: 1}}
      failed: {timeout: [{say: slow}], else: [{say: broken}]}
  birthday:
    - switch: item
      cases: {cake: [{say: Cake}], bread: []}
"""


def order() -> flows.Map:
    return flows.maps(TEXT).flows[0]


def test_every_step_is_a_box_at_its_line() -> None:
    lines = {(box.step.kind, box.step.line) for box in order().boxes}
    assert lines == {
        ("ask", 4), ("label", 5), ("ask", 6), ("say", 6), ("handoff", 7), ("if", 8), ("handoff", 9),
        ("goto", 9), ("call", 11), ("say", 12), ("start", 13),
    }  # fmt: skip


def test_colours_tell_what_a_step_is() -> None:
    stripes = {box.step.kind: box.stripe for box in order().boxes}
    assert (stripes["ask"], stripes["say"], stripes["call"], stripes["handoff"]) == ("q", "", "", "p")
    assert stripes["start"] == "x"


def test_branches_are_labelled_and_meet_again() -> None:
    found = order()
    assert {"yes", "no", "answered", "no valid answer", "no answer in time"} <= {
        str(arrow.label) for arrow in found.arrows
    }
    start = next(box for box in found.boxes if box.step.kind == "start")
    into = [arrow for arrow in found.arrows if (arrow.x, arrow.y) == (start.x, start.y)]
    assert len(into) == 1, "from the call's side only: the other side goes back"


def test_what_happens_later_says_when() -> None:
    words = [(str(box.step.title), box.step.detail) for box in flows.maps(TEXT).flows[1].boxes]
    assert words == [
        ("Wait: 10m", ""),
        ("Wait until: open", ""),
        ("Send later", "Your cake, {{ name }}"),
        ("Start later: birthday", ""),
        ("Call: put", "https://shop.example/orders"),
        ("Say", "slow"),
        ("Say", "broken"),
    ]
    labels = [str(arrow.label) for arrow in flows.maps(TEXT).flows[1].arrows if arrow.label]
    assert labels == ["failed: timeout", "failed: else"]


def test_going_back_is_an_arrow_to_the_label() -> None:
    found = order()
    label = next(box for box in found.boxes if box.step.kind == "label")
    (back,) = [arrow for arrow in found.arrows if arrow.turn == "left"]
    assert back.y == label.y + flows.HIGH // 2


@pytest.mark.parametrize("text", ["", "bot: [", "bot: x\nflows: 3\n", "bot: x\nflows: {a: 1, b: [2, {}, {x: y}]}\n"])
def test_what_is_not_finished_is_drawn_as_far_as_it_goes(text: str) -> None:
    flows.maps(text)


def test_wide_characters_take_two_places() -> None:
    assert flows.short("ケーキを注文する", 6) == "ケーキ…"
    assert flows.short("cake", 4) == "cake"


steps = st.recursive(
    st.lists(st.sampled_from(["say: a", "ask: {text: b, save: c}", "goto: x", "label: x", "handoff: d"]), max_size=4),
    lambda inner: st.lists(st.tuples(inner, inner) | st.just("say: a"), max_size=3),
    max_leaves=12,
)


def written(found: list[object]) -> str:
    parts = [
        f"{{{one}}}" if isinstance(one, str) else f"{{if: q, then: {written(one[0])}, else: {written(one[1])}}}"
        for one in found
    ]
    return f"[{', '.join(parts)}]"


def downward(arrow: flows.Arrow) -> list[tuple[int, int, int]]:
    """(x, from, to) of the upright parts of a way."""
    x, y = map(int, re.match(r"M(\d+) (\d+)", arrow.path).groups())
    found = []
    for turn, value in re.findall(r"([VH])(\d+)", arrow.path):
        if turn == "V":
            found.append((x, y, int(value)))
            y = int(value)
        else:
            x = int(value)
    return found


@given(steps)
def test_no_way_goes_down_through_a_box(found: list[object]) -> None:
    for flow in flows.maps(f"bot: x\nflows: {{a: {written(found)}}}\n").flows:
        for arrow in flow.arrows:
            for x, top, bottom in downward(arrow) if arrow.turn == "down" else []:
                for box in flow.boxes:
                    beside = abs(box.x - x) >= flows.WIDE // 2
                    assert beside or bottom < box.y or top >= box.y + flows.HIGH, (arrow, box)


@given(steps)
def test_no_box_stands_on_another_and_all_are_inside(found: list[object]) -> None:
    for flow in flows.maps(f"bot: x\nflows: {{a: {written(found)}}}\n").flows:
        assert len(flow.boxes) == flow.count
        for one, other in combinations(flow.boxes, 2):
            assert abs(one.x - other.x) >= flows.WIDE or abs(one.y - other.y) >= flows.HIGH + 8
        half = flows.WIDE // 2
        assert all(half <= b.x <= flow.width - half and b.y + flows.HIGH <= flow.height for b in flow.boxes)


LINKED = """\
bot: Luna
rules:
  - {name: order, when: {says: order}, do: [{say: hi}, {start: order}, {start: order}]}
  - {name: vip, when: {says: vip}, do: [{if: x, then: [{start: order}]}]}
fallback: {do: [{start: help}]}
flows:
  order:
    - random:
        - [{say: {en: a, pt: b}}]
        - {weight: 3, do: [{location: {latitude: 1, longitude: 2, name: Luna}}, {start: help}]}
    - {later: order, after: 1h}
    - handoff: {reason: big, team: Kitchen}
    - {reaction: 👍}
  help:
    - {contact: {name: Ana, phone: 1}}
    - {template: ready, language: en}
    - {note: a note}
    - {assign: Kitchen}
    - {opt_out: true}
"""


def test_what_starts_a_flow_stands_above_it_and_leads_to_its_line() -> None:
    order, help_ = flows.maps(LINKED).flows
    above = [(str(link.label), link.flow, link.line) for link in order.links if link.line]
    assert above == [("rule order", "", 3), ("rule vip", "", 4), ("flow order", "order", 11)]
    assert [(str(link.label), link.line) for link in help_.links if link.line] == [
        ("the fallback", 5),
        ("flow order", 10),
    ]
    first = order.boxes[0]
    assert all(link.y + 24 < first.y for link in order.links if link.line)
    into = [arrow for arrow in order.arrows if (arrow.x, arrow.y) == (first.x, first.y)]
    assert len(into) == 3


def test_a_step_that_starts_a_flow_leads_to_it() -> None:
    order = flows.maps(LINKED).flows[0]
    beside = [(link.flow, link.y) for link in order.links if not link.line]
    boxes = {box.step.starts: box for box in order.boxes if box.step.starts}
    assert beside == [(name, box.y + 24 - 12) for name, box in boxes.items()]
    ways = [arrow for arrow in order.arrows if arrow.turn == "right"]
    assert [(arrow.x, arrow.y) for arrow in ways] == [(link.x, link.y + 12) for link in order.links if not link.line]
    assert all(link.x + 130 <= order.width and link.x >= 0 for link in order.links)


def test_of_many_starters_some_are_drawn_and_the_rest_counted() -> None:
    rules = "\n".join(f"  - {{name: r{n}, when: {{says: a}}, do: [{{start: f}}]}}" for n in range(9))
    [drawn] = flows.maps(f"bot: T\nrules:\n{rules}\nflows:\n  f: [{{say: x}}]\n").flows
    assert [str(link.label) for link in drawn.links] == ["rule r0", "rule r1", "7 more"]
    assert [link.line for link in drawn.links] == [3, 4, 0]


def test_steps_beyond_words_say_what_they_are() -> None:
    found = {str(box.step.title): box.step.detail for flow in flows.maps(LINKED).flows for box in flow.boxes}
    assert found == {
        "By chance": "", "Say": "a", "Location": "Luna", "Start: help": "", "Start later: order": "",
        "Hand off to: Kitchen": "big", "React: 👍": "", "Contact card": "Ana", "Template: ready": "",
        "Note for the team": "a note", "Assign to: Kitchen": "", "Opt out": "",
    }  # fmt: skip
    assert {"25 %", "75 %"} <= {str(arrow.label) for flow in flows.maps(LINKED).flows for arrow in flow.arrows}


def test_nothing_goes_on_after_a_hand_off() -> None:
    order = flows.maps(LINKED).flows[0]
    last = order.boxes[-1]
    assert last.step.kind == "reaction" and (last.x, last.y) not in [(arrow.x, arrow.y) for arrow in order.arrows]
