"""Changes that forms make to a draft: never over somebody else's, never worse than before, taken back one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import amending, bots
from app.amending import difference
from app.bot.source import Edit, Source
from app.errors import Conflict, Invalid
from app.runtime import Runtime
from tests.shop import rows

DRAFT = "# mine\nbot: Luna # the bakery\nrules:\n  - {name: a, when: {says: hi}, do: [{say: Hello.}]}\n"


def put(old: str, new: str) -> amending.Change:
    def change(source: Source) -> list[Edit]:
        at = source.text.index(old)
        return [Edit(at, at + len(old), new)]

    return change


async def drafted(rt: Runtime, text: str = DRAFT) -> int:
    return await bots.create(rt, "Luna", text, None)


async def draft(rt: Runtime, bot_id: int) -> str:
    return (await bots.get(rt.db.reader, bot_id)).draft


async def test_changes_are_taken_back_newest_first(rt: Runtime) -> None:
    bot_id = await drafted(rt)
    assert await amending.amend(rt, bot_id, 1, put("Hello.", "Good day."), None) == 2
    assert await amending.amend(rt, bot_id, 2, put("bot: Luna", "bot: Sol"), None) == 3
    assert (await bots.get(rt.db.reader, bot_id)).name == "Sol"
    await amending.undo(rt, bot_id, 3, None)
    assert (await bots.get(rt.db.reader, bot_id)).name == "Luna"
    await amending.undo(rt, bot_id, 4, None)
    assert await draft(rt, bot_id) == DRAFT
    with pytest.raises(Conflict, match="nothing to take back"):
        await amending.undo(rt, bot_id, 5, None)


async def test_what_somebody_wrote_since_is_never_taken_back(rt: Runtime) -> None:
    bot_id = await drafted(rt)
    await amending.amend(rt, bot_id, 1, put("Hello.", "Good day."), None)
    changed = await draft(rt, bot_id)
    await bots.save_draft(rt, bot_id, changed + "# more\n", 2, None)
    assert not await amending.can_undo(rt, await bots.get(rt.db.reader, bot_id))
    with pytest.raises(Conflict):
        await amending.undo(rt, bot_id, 3, None)
    await bots.save_draft(rt, bot_id, changed, 3, None)
    assert await amending.can_undo(rt, await bots.get(rt.db.reader, bot_id)), "it is what the form left again"


async def test_a_form_that_was_shown_before_somebody_saved_changes_nothing(rt: Runtime) -> None:
    bot_id = await drafted(rt)
    await bots.save_draft(rt, bot_id, DRAFT + "# more\n", 1, None)
    with pytest.raises(Conflict, match="Nothing was overwritten"):
        await amending.amend(rt, bot_id, 1, put("Hello.", "Good day."), None)
    assert await draft(rt, bot_id) == DRAFT + "# more\n"


@pytest.mark.parametrize(
    ("new", "said"),
    [("[", "without losing something"), ("{{ 1 | nothing }}", "nothing"), ("", "Expected")],
)
async def test_what_would_be_wrong_is_refused_with_the_reason(rt: Runtime, new: str, said: str) -> None:
    bot_id = await drafted(rt)
    text = f'"{new}"' if new != "[" else new
    with pytest.raises(Invalid, match=said):
        await amending.amend(rt, bot_id, 1, put("Hello.", text), None)
    assert await draft(rt, bot_id) == DRAFT


async def test_a_draft_with_errors_can_be_changed_as_long_as_there_are_no_more(rt: Runtime) -> None:
    bot_id = await drafted(rt, DRAFT + "colour: red\n")
    await amending.amend(rt, bot_id, 1, put("Hello.", "Good day."), None)
    with pytest.raises(Invalid, match="Unknown key"):
        await amending.amend(rt, bot_id, 2, put("colour: red", "colour: red\nsize: big"), None)


async def test_only_the_newest_changes_are_kept(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amending, "KEPT", 3)
    bot_id = await drafted(rt)
    for number in range(6):
        await amending.amend(rt, bot_id, number + 1, put("# mine", f"# {number} # mine"), None)
    assert await rows(rt, "select count(*) from amendment") == [(3,)]


@given(st.text("ab\n", max_size=12), st.text("ab\n", max_size=12))
def test_a_difference_brings_the_old_text_back(old: str, new: str) -> None:
    left = difference(old, new)
    assert new[: left.place] + left.before + new[left.place + left.length :] == old
