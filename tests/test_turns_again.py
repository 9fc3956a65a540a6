"""The check that follows every test notices a turn that would come out differently."""

import pytest

from app.runtime import Runtime
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
