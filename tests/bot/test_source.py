"""Changes by place: whatever the layout, only what is meant changes; every comment and every other character stays."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bot.nodes import MappingNode, Node, ScalarNode, SequenceNode
from app.bot.source import ByHand, Edit, Source, applied, child
from tests.bot import layouts
from tests.effort import examples

SEEDS = st.integers(0, 2**32)


def plain(node: Node) -> Any:
    """The node's value."""
    if isinstance(node, MappingNode):
        return {key.value: plain(value) for key, value in node.value if isinstance(key, ScalarNode)}
    return [plain(item) for item in node.value] if isinstance(node, SequenceNode) else node.value


def nodes(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, MappingNode):
        for key, part in node.value:
            yield from (key, *nodes(part))
    elif isinstance(node, SequenceNode):
        for part in node.value:
            yield from nodes(part)


def written(source: Source, besides: set[int] = frozenset()) -> list[str]:
    """How every text and key is written, in order, but for those."""
    return [
        source.text[source.start(node) : source.end(node)]
        for node in nodes(source.root)
        if isinstance(node, ScalarNode) and id(node) not in besides
    ]


def laid_out(seed: int) -> tuple[Source, random.Random]:
    chance = random.Random(seed)
    whole = {"bot": "Luna", **layouts.group(chance)}
    source = Source(layouts.Layout(seed).document(whole))
    assert plain(source.root) == whole
    return source, chance


def changed(source: Source, edits: list[Edit]) -> Source:
    """The new text: every comment is there, in the same order."""
    text = applied(source.text, edits)
    assert layouts.comments(text) == layouts.comments(source.text)
    return Source(text)


@given(SEEDS)
@settings(max_examples=examples(80, 2000), deadline=None)
def test_places_are_where_things_stand(seed: int) -> None:
    source, _ = laid_out(seed)
    for node in nodes(source.root):
        alone = source.text[source.start(node) : source.end(node)]
        if isinstance(node, ScalarNode) and not node.block:
            assert plain(Source(f"k: {alone}\n").root) == {"k": node.value}
        elif not isinstance(node, ScalarNode) and node.flow:
            assert plain(Source(f"k: {alone}\n").root) == {"k": plain(node)}
    found = [source.text[start:end] for start, end in source.comments]
    numbers = layouts.comments(source.text)
    assert layouts.comments("".join(found)) == numbers and len(found) == len(numbers)


@given(SEEDS, st.sampled_from(layouts.TEXTS))
@settings(max_examples=examples(80, 2000), deadline=None)
def test_one_text_changes_and_nothing_else(seed: int, text: str) -> None:
    source, chance = laid_out(seed)
    keys = {id(key) for node in nodes(source.root) if isinstance(node, MappingNode) for key, _ in node.value}
    node = chance.choice([node for node in nodes(source.root) if isinstance(node, ScalarNode) and id(node) not in keys])
    after = changed(source, source.set_text(node, text))
    place = [id(one) for one in nodes(source.root)].index(id(node))
    new = list(nodes(after.root))[place]
    assert isinstance(new, ScalarNode) and new.value == text
    assert written(after, {id(new)}) == written(source, {id(node)})


@given(SEEDS, st.lists(st.sampled_from(layouts.TEXTS), min_size=1, max_size=6))
@settings(max_examples=examples(80, 2000), deadline=None)
def test_a_list_of_texts_changes_where_it_differs(seed: int, texts: list[str]) -> None:
    source, chance = laid_out(seed)
    lists = [
        node for node in nodes(source.root)
        if isinstance(node, SequenceNode) and all(isinstance(item, ScalarNode) for item in node.value)
    ]  # fmt: skip
    if not lists:
        return
    node = chance.choice(lists)
    kept = [item.value for item in node.value if isinstance(item, ScalarNode) and chance.random() < 0.7]
    wanted = kept[: chance.randint(0, 5)] + texts
    if chance.random() < 0.5:
        chance.shuffle(wanted)
    try:
        edits = source.set_texts(node, wanted)
    except ByHand as refused:
        assert "comment" in refused.said and node.flow
        return
    after = changed(source, edits)
    place = [id(one) for one in nodes(source.root)].index(id(node))
    new = list(nodes(after.root))[place]
    assert plain(new) == wanted
    inside, inside_new = {id(one) for one in nodes(node)}, {id(one) for one in nodes(new)}
    assert written(after, inside_new) == written(source, inside)


@given(SEEDS)
@settings(max_examples=examples(80, 2000), deadline=None)
def test_an_element_or_a_key_goes_and_its_comments_stay(seed: int) -> None:
    source, chance = laid_out(seed)
    many = [node for node in nodes(source.root) if not isinstance(node, ScalarNode) and node.value]
    node = chance.choice(many)
    place = chance.randrange(len(node.value))
    try:
        if isinstance(node, SequenceNode):
            edits, gone = source.drop_items(node, place, place + 1), [node.value[place]]
        else:
            key, part = node.value[place]
            assert isinstance(key, ScalarNode)
            if len(node.value) == 1:
                return
            edits, gone = source.drop_key(node, key.value), [key, part]
    except ByHand:
        return
    after = changed(source, edits)
    away = {id(one) for part in gone for one in nodes(part)}
    assert written(after) == written(source, away)


@given(SEEDS, st.sampled_from([["A", "b: c"], {"x": "y"}, "z"]))
@settings(max_examples=examples(80, 2000), deadline=None)
def test_a_key_is_put_behind_another(seed: int, value: Any) -> None:
    source, chance = laid_out(seed)
    groups = [node for node in nodes(source.root) if isinstance(node, MappingNode)]
    node = chance.choice(groups)
    key, _ = chance.choice(node.value)
    assert isinstance(key, ScalarNode)
    before = plain(node)
    after = changed(source, source.put_key(node, "new", value, key.value))
    place = [id(one) for one in nodes(source.root)].index(id(node))
    new = list(nodes(after.root))[place]
    assert plain(new) == before | {"new": value}
    added = child(new, "new")
    assert added is not None and isinstance(new, MappingNode)
    besides = {id(one) for one in nodes(added)} | {id(one) for one, part in new.value if part is added}
    assert written(after, besides) == written(source)


@pytest.mark.parametrize("mark", ["&a ", "!!str "])
def test_what_has_a_mark_before_it_is_left_to_the_hand(mark: str) -> None:
    source = Source(f"bot: {mark}Luna\n")
    node = child(source.root, "bot")
    assert isinstance(node, ScalarNode)
    with pytest.raises(ByHand):
        source.set_text(node, "Sol")
