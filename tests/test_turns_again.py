"""The check that follows every test notices a turn that would come out differently."""

import pytest

from app.runtime import Runtime
from app.store.turns import CAPABILITIES, GIVEN
from tests.again import Again
from tests.shop import change, open_shop, rows, said, take_in

WORDS = ("hi", "person", "what", "twice", "hello")


async def test_every_turn_decides_the_same_again_from_what_is_stored(rt: Runtime) -> None:
    live = await open_shop(rt)
    for words in WORDS:
        await take_in(rt, live, said(rt, words, who=str(len(words))))
    again = Again()
    await again.decide(rt)
    assert again.turns == len(WORDS)


@pytest.mark.parametrize(
    "what",
    [
        "output = replace(output, 'Hi Ana!', 'Hi Ana.')",
        "output = output || ' '",
        "input = replace(input, '\"Ana\"', '\"Eve\"')",
    ],
)
async def test_a_turn_that_would_come_out_differently_is_noticed(rt: Runtime, what: str) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi"))
    [(given, output)] = await rows(rt, "select input, output from turn")
    assert await change(rt, f"update turn set {what}") == 1
    with pytest.raises(AssertionError, match="decided differently"):
        await Again().decide(rt)
    await change(rt, "update turn set input = :given, output = :output", given=given, output=output)


async def test_what_the_channel_can_show_is_stored_once_for_all_turns(rt: Runtime) -> None:
    live = await open_shop(rt)
    for who in ("1", "2"):
        await take_in(rt, live, said(rt, "hi", who=who))
    [(digest, body)] = await rows(rt, "select digest, body from capability")
    assert "image/jpeg" in body
    assert [(digest, False)] * 2 == [
        (named, "image/jpeg" in given) for named, given in await rows(rt, "select capabilities, input from turn")
    ]


async def test_a_turn_of_an_older_release_is_read_with_the_capabilities_in_its_input(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi"))
    [(whole,)] = await rows(rt, f"select {GIVEN} from turn t {CAPABILITIES}")
    await change(rt, "update turn set input = :whole, capabilities = null", whole=whole)
    await change(rt, "delete from capability")
    again = Again()
    await again.decide(rt)
    assert again.turns == 1 and "image/jpeg" in whole
