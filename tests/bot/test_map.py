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
    - ask: {text: How many?, save: quantity}
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
        ("ask", 4), ("label", 5), ("ask", 6), ("handoff", 7), ("if", 8), ("handoff", 9), ("goto", 9), ("call", 11),
        ("say", 12), ("start", 13),
    }  # fmt: skip


def test_colours_tell_what_a_step_is() -> None:
    stripes = {box.step.kind: box.stripe for box in order().boxes}
    assert (stripes["ask"], stripes["say"], stripes["call"], stripes["handoff"]) == ("q", "", "", "p")
    assert stripes["start"] == "x"


def test_branches_are_labelled_and_meet_again() -> None:
    found = order()
    assert {"yes", "no", "answered", "no valid answer"} <= {str(arrow.label) for arrow in found.arrows}
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
        f"{{{one}}}" if isinstance(one, str) else f"{{if: q, then: {written(one[0])}, else: {written(one[1])}}}"  # type: ignore[index]
        for one in found
    ]
    return f"[{', '.join(parts)}]"


def downward(arrow: flows.Arrow) -> list[tuple[int, int, int]]:
    """(x, from, to) of the upright parts of a way."""
    x, y = map(int, re.match(r"M(\d+) (\d+)", arrow.path).groups())  # type: ignore[union-attr]
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
