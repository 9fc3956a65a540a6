"""Drafts, versions, publishing and rolling back, and the compiled versions that the pipeline looks up."""

import pytest

from app import bots, connecting, documents
from app.bot.document import DocumentError
from app.compiled import KEPT, Versions
from app.errors import Conflict, Invalid, NotFound
from app.runtime import Runtime
from app.store import bots as store
from tests import shop

DRAFT = 'bot: Luna\nrules:\n  - name: greeting\n    when: {says: hi}\n    do: [{say: "Hello."}]\n'
CHANGED = DRAFT.replace("Hello.", "Good day.")
BROKEN = DRAFT.replace("do:", "doo:")


async def add_channel(rt: Runtime, name: str, number: str) -> int:
    values = {"phone_number_id": number, "access_token": "t", "app_secret": "s", "verify_token": "v"}
    return await connecting.add(rt.channels, "whatsapp_cloud", name, values)


async def live_number(rt: Runtime, channel_id: int) -> int | None:
    return next(row.number for row in await rt.db.read(store.list_channels) if row.channel_id == channel_id)


async def test_a_new_bot_has_the_name_of_its_document(rt: Runtime) -> None:
    bot_id = await bots.create(rt, "", DRAFT, None)
    assert (await bots.get(rt.db.reader, bot_id)).name == "Luna"
    assert (await bots.find(rt.db.reader, "LUNA")).id == bot_id


async def test_two_bots_cannot_have_one_name(rt: Runtime) -> None:
    await bots.create(rt, "", DRAFT, None)
    with pytest.raises(Conflict, match="already"):
        await bots.create(rt, "luna", CHANGED, None)


async def test_a_draft_is_kept_even_while_it_is_wrong(rt: Runtime) -> None:
    bot_id = await bots.create(rt, "", DRAFT, None)
    assert await bots.save_draft(rt, bot_id, BROKEN, 1, None) == 2
    assert (await bots.get(rt.db.reader, bot_id)).draft == BROKEN


async def test_the_second_editor_is_refused_and_overwrites_nothing(rt: Runtime) -> None:
    bot_id = await bots.create(rt, "", DRAFT, None)
    await bots.save_draft(rt, bot_id, CHANGED, 1, None)
    with pytest.raises(Conflict):
        await bots.save_draft(rt, bot_id, DRAFT + "# mine\n", 1, None)
    bot = await bots.get(rt.db.reader, bot_id)
    assert (bot.draft, bot.draft_revision) == (CHANGED, 2)


async def test_a_bot_follows_the_name_in_its_document_unless_it_is_taken(rt: Runtime) -> None:
    first = await bots.create(rt, "", DRAFT, None)
    second = await bots.create(rt, "", DRAFT.replace("Luna", "Sol"), None)
    await bots.save_draft(rt, first, DRAFT.replace("Luna", "Stella"), 1, None)
    assert (await bots.get(rt.db.reader, first)).name == "Stella"
    await bots.save_draft(rt, second, DRAFT.replace("Luna", "Stella"), 1, None)
    assert (await bots.get(rt.db.reader, second)).name == "Sol"
    with pytest.raises(Conflict, match="Stella"):
        await bots.publish(rt, second, [], "", None)


async def test_errors_stop_publishing_and_are_named(rt: Runtime) -> None:
    bot_id = await bots.create(rt, "Luna", BROKEN, None)
    with pytest.raises(Invalid, match=r"Errors: 2. The first is in line 3: Expected the key “do”") as refusal:
        await bots.publish(rt, bot_id, None, "", None)
    assert refusal.value.code == "document"
    assert (await bots.get(rt.db.reader, bot_id)).last_number == 0


async def test_publishing_without_a_channel_takes_every_channel_without_a_bot(rt: Runtime) -> None:
    one, two = await add_channel(rt, "One", "1"), await add_channel(rt, "Two", "2")
    bot_id = await bots.create(rt, "", DRAFT, None)
    assert await bots.publish(rt, bot_id, [one], "first", None) == 1
    other = await bots.create(rt, "", DRAFT.replace("Luna", "Sol"), None)
    await bots.publish(rt, other, None, "", None)
    live = {row.channel_id: row.bot_id for row in await rt.db.read(store.list_channels)}
    assert live == {one: bot_id, two: other}


async def test_publishing_an_unchanged_draft_elsewhere_makes_no_new_version(rt: Runtime) -> None:
    one, two = await add_channel(rt, "One", "1"), await add_channel(rt, "Two", "2")
    bot_id = await bots.create(rt, "", DRAFT, None)
    assert [await bots.publish(rt, bot_id, [each], "", None) for each in (one, two)] == [1, 1]
    await bots.save_draft(rt, bot_id, CHANGED, 1, None)
    assert await bots.publish(rt, bot_id, [two], "", None) == 2
    assert (await live_number(rt, one), await live_number(rt, two)) == (1, 2)


async def test_an_unknown_channel_publishes_nothing(rt: Runtime) -> None:
    bot_id = await bots.create(rt, "", DRAFT, None)
    with pytest.raises(NotFound):
        await bots.publish(rt, bot_id, [12345], "", None)
    assert (await bots.get(rt.db.reader, bot_id)).last_number == 0


async def test_the_next_message_is_answered_by_the_version_just_published_and_rolled_back(rt: Runtime) -> None:
    live = await shop.open_shop(rt, DRAFT)
    bot = await bots.find(rt.db.reader, "Luna")
    first = live.here.version_id

    async def answer() -> str:
        outcome = await shop.take_in(rt, rt.channels.by_id[live.row.id], shop.said(rt, "hi"))
        sql = "select text from message where conversation_id = :id and direction = 'out' order by id desc limit 1"
        return str((await shop.rows(rt, sql, id=outcome.conversation_id))[0][0])

    assert await answer() == "Hello."
    await bots.save_draft(rt, bot.id, CHANGED, 1, None)
    assert await answer() == "Hello.", "a draft that is only saved answers nobody"
    await bots.publish(rt, bot.id, [live.row.id], "", None)
    assert await answer() == "Good day."
    assert first is not None
    assert await bots.roll_back(rt, live.row.id, first, None) == 1
    assert await answer() == "Hello."


async def test_every_change_of_what_is_live_is_recorded(rt: Runtime) -> None:
    channel_id = await add_channel(rt, "One", "1")
    bot_id = await bots.create(rt, "", DRAFT, None)
    await bots.publish(rt, bot_id, [channel_id], "", None)
    first = await rt.db.reader.one(store.BY_NUMBER, bot_id=bot_id, number=1)
    await bots.save_draft(rt, bot_id, CHANGED, 1, None)
    await bots.publish(rt, bot_id, [channel_id], "", None)
    assert first is not None
    await bots.roll_back(rt, channel_id, first.id, None)
    await bots.roll_back(rt, channel_id, first.id, None)
    record = await rt.db.reader.all(store.PUBLICATIONS, bot_id=bot_id)
    assert [(line.previous, line.number) for line in reversed(record)] == [(None, 1), (1, 2), (2, 1)]


async def test_a_version_never_changes_with_the_draft(rt: Runtime) -> None:
    bot_id = await bots.create(rt, "", DRAFT, None)
    await bots.publish(rt, bot_id, [], "", None)
    await bots.save_draft(rt, bot_id, CHANGED, 1, None)
    bot = await bots.get(rt.db.reader, bot_id)
    assert await bots.text_of(rt.db.reader, bot, 1) == DRAFT
    assert await bots.text_of(rt.db.reader, bot, 0) == CHANGED


async def test_trying_a_text_twice_keeps_one_snapshot(rt: Runtime) -> None:
    bot_id = await bots.create(rt, "", DRAFT, None)
    ids = [await rt.db.write(bots.snapshot, bot_id, text) for text in (DRAFT, CHANGED, DRAFT)]
    assert ids[0] == ids[2] != ids[1]


async def test_live_versions_are_compiled_after_a_start_and_tried_ones_are_forgotten_in_time(rt: Runtime) -> None:
    live = await shop.open_shop(rt, DRAFT)
    bot = await bots.find(rt.db.reader, "Luna")
    again = Versions(rt.db)
    await again.load_live()
    assert live.here.version_id is not None
    assert again.get(live.here.version_id).name == "Luna"
    tried = []
    for number in range(KEPT + 1):
        tried.append(await rt.db.write(bots.snapshot, bot.id, f"{DRAFT}# {number}\n"))
        await again.load(tried[-1])
    with pytest.raises(KeyError):
        again.get(tried[0])
    assert again.get(tried[-1]) and again.get(live.here.version_id)


async def test_a_snapshot_with_errors_says_so_instead_of_compiling(rt: Runtime) -> None:
    bot_id = await bots.create(rt, "Luna", BROKEN, None)
    version_id = await rt.db.write(bots.snapshot, bot_id, BROKEN)
    with pytest.raises(DocumentError):
        await rt.versions.load(version_id)


def test_a_comparison_shows_changes_with_their_surroundings() -> None:
    old = [str(number) for number in range(20)]
    new = [*old[:9], "nine", *old[10:]]
    lines = documents.diff("\n".join(old), "\n".join(new))
    assert [(line.kind, line.text) for line in lines if line.kind in ("gone", "added")] == [
        ("gone", "9"),
        ("added", "nine"),
    ]
    assert [line.kind for line in lines] == ["gap", *["same"] * 3, "gone", "added", *["same"] * 3]
    assert documents.diff("same", "same") == []


def test_every_starter_can_be_published_as_it_is() -> None:
    assert {"blank", "bakery"} <= {starter.key for starter in documents.starters()}
    for starter in documents.starters():
        assert starter.about, starter.key
        assert not documents.problems_of(starter.text), starter.key
        renamed = documents.renamed(starter.text, 'A "new": name')
        assert documents.name_of(renamed) == 'A "new": name'
        assert not documents.problems_of(renamed)


TESTED = DRAFT + "tests:\n  - name: greets\n    chat:\n      - user: hi\n      - bot: Good*\n"


async def test_a_failing_test_stops_publishing_unless_somebody_says_anyway(rt: Runtime) -> None:
    bot_id = await bots.create(rt, "", TESTED, None)
    with pytest.raises(Invalid, match=r"tests fail: 1\. The first is in line 10: .*“greets”.*“Good\*”.*“Hello\.”"):
        await bots.publish(rt, bot_id, [], "", None)
    assert (await bots.get(rt.db.reader, bot_id)).last_number == 0
    assert await bots.publish(rt, bot_id, [], "", None, anyway=True) == 1
    await bots.save_draft(rt, bot_id, TESTED.replace("Good*", "Hel*"), 1, None)
    assert await bots.publish(rt, bot_id, [], "", None) == 2
