"""Messages of a linked device, both ways: the real library against the fake server. Contract §2.3, §6.3."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.connectors.base import Address, Inbound, Outbound, SendFailed
from app.content import (
    Ask,
    Audio,
    Buttons,
    Card,
    Choice,
    Contacts,
    Content,
    Delete,
    Document,
    Edit,
    Image,
    Link,
    Location,
    Media,
    Picked,
    Poll,
    Pressed,
    Reaction,
    Sticker,
    System,
    Text,
    Unsupported,
    Video,
    Voted,
)
from tests.connectors.linked import Linked, WhatsApp, linked, open_session
from tests.fakes.whatsapp.library import common, e2e
from tests.fakes.whatsapp.people import Person

GROUP = "120363000000000001@g.us"
VCARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Bob B.\nTEL;type=CELL;waid=15551112222:+1 555 1112222\nEND:VCARD"


@pytest.fixture
async def whatsapp() -> AsyncIterator[WhatsApp]:
    server = WhatsApp()
    await server.start()
    yield server
    await server.close()


@pytest.fixture
def alice(whatsapp: WhatsApp) -> Person:
    return whatsapp.add("15557770001", "Alice")


@pytest.fixture
async def device(whatsapp: WhatsApp, tmp_path: Path) -> AsyncIterator[Linked]:
    async with linked(whatsapp, tmp_path) as found:
        yield found


def address(person: Person) -> Address:
    return Address(wa_id=person.phone, lid=person.lid)


async def wait_for(whatsapp: WhatsApp, id: str) -> Any:
    return (await whatsapp.seen("message", id=id))["message"]


# ---- in --------------------------------------------------------------------------------------------------------------


async def test_text_with_name_number_and_lid(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    message = await device.message(await whatsapp.say(alice, "Hello"))
    assert message.content == Text("Hello")
    assert message.sender == address(alice) and message.name == "Alice"
    assert message.account == "15550001111" and not (message.echo or message.group)
    assert json.loads(message.raw)["Info"]["Pushname"] == "Alice"
    assert abs(message.at - int(whatsapp.now()) * 1000) < 10_000


async def test_names_of_one_person_however_the_network_shows_them(
    whatsapp: WhatsApp, alice: Person, device: Linked
) -> None:
    by_phone = await device.message(await whatsapp.say(alice, "by phone", lid=False))
    assert by_phone.sender == address(alice)
    lonely = {"sender_pn": None, "addressing_mode": None}
    # The library remembers who Alice is; a stranger without a number has only the LID.
    stranger = whatsapp.add("15557770009", "Nobody")
    by_lid = await device.message(await whatsapp.say(stranger, "by LID", more=lonely))
    assert by_lid.sender == Address(lid=stranger.lid)


def media(whatsapp: WhatsApp, kind: str, data: bytes = b"file", **more: Any) -> Any:
    field, type_ = f"{kind.lower()}Message", getattr(e2e, f"{kind}Message")
    under = "Image" if kind == "Sticker" else kind
    return e2e.Message(**{field: type_(**whatsapp.media.add(data, under), **more)})


KINDS: list[tuple[str, dict[str, Any], Content]] = [
    ("Image", {"mimetype": "image/jpeg", "caption": "Look"}, Image(mime="image/jpeg", caption="Look")),
    ("Video", {"mimetype": "video/mp4"}, Video(mime="video/mp4")),
    ("Audio", {"mimetype": "audio/ogg; codecs=opus", "PTT": True}, Audio(mime="audio/ogg", voice=True)),
    (
        "Document",
        {"mimetype": "application/pdf", "fileName": "a.pdf"},
        Document(mime="application/pdf", filename="a.pdf"),
    ),
    ("Sticker", {"mimetype": "image/webp"}, Sticker(mime="image/webp")),
]


@pytest.mark.parametrize(("kind", "fields", "expected"), KINDS, ids=[kind for kind, _, _ in KINDS])
async def test_P9_file_is_told_and_fetched(
    whatsapp: WhatsApp, alice: Person, device: Linked, kind: str, fields: dict[str, Any], expected: Media
) -> None:
    id = await whatsapp.send(alice, media(whatsapp, kind, b"\x89PNG\0" * 50, **fields), media=kind.lower())
    found = (await device.message(id)).content
    assert isinstance(found, Media) and type(found) is type(expected)
    assert (found.mime, found.caption, found.size) == (expected.mime, expected.caption, 250)
    assert getattr(found, "voice", None) == getattr(expected, "voice", None)
    assert getattr(found, "filename", None) == getattr(expected, "filename", None)
    assert found.sha256 == hashlib.sha256(b"\x89PNG\0" * 50).hexdigest()
    assert await device.session.fetch_media(found.provider_id) == b"\x89PNG\0" * 50


async def test_P9_file_that_is_gone_is_given_up(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    content = (await device.message(await whatsapp.send(alice, media(whatsapp, "Image", mimetype="image/png")))).content
    assert isinstance(content, Image)
    whatsapp.media.files.clear()
    with pytest.raises(SendFailed) as caught:
        await device.session.fetch_media(content.provider_id)
    assert caught.value.certain and not caught.value.temporary
    with pytest.raises(SendFailed):
        await device.session.fetch_media("not one of ours")


def key(id: str) -> Any:
    return common.MessageKey(remoteJID="x@lid", fromMe=True, ID=id)


def protocol(kind: str, **more: Any) -> Any:
    type_ = getattr(e2e.ProtocolMessage, kind)
    return e2e.Message(protocolMessage=e2e.ProtocolMessage(type=type_, key=key("X1"), **more))


def option(name: str) -> Any:
    return e2e.PollCreationMessage.Option(optionName=name)


def responses() -> list[tuple[Any, Content]]:
    flow = e2e.InteractiveResponseMessage.NativeFlowResponseMessage(name="quick_reply", paramsJSON='{"id":"b1"}')
    body = e2e.InteractiveResponseMessage.Body(text="Yes")
    row = e2e.ListResponseMessage.SingleSelectReply(selectedRowID="r1")
    card = e2e.ContactMessage(displayName="Bob", vcard=VCARD)
    bob = Card("Bob", (("+1 555 1112222", "CELL"),))
    return [
        (e2e.Message(extendedTextMessage=e2e.ExtendedTextMessage(text="https://x.org")), Text("https://x.org")),
        (e2e.Message(reactionMessage=e2e.ReactionMessage(key=key("X1"), text="👍")), Reaction("X1", "👍")),
        (e2e.Message(reactionMessage=e2e.ReactionMessage(key=key("X1"))), Reaction("X1")),
        (
            e2e.Message(
                locationMessage=e2e.LocationMessage(degreesLatitude=1.5, degreesLongitude=2.5, name="P", address="S 1")
            ),
            Location(1.5, 2.5, "P", "S 1"),
        ),
        (e2e.Message(contactMessage=card), Contacts((bob,))),
        (
            e2e.Message(contactsArrayMessage=e2e.ContactsArrayMessage(displayName="2", contacts=[card, card])),
            Contacts((bob, bob)),
        ),
        (
            e2e.Message(
                buttonsResponseMessage=e2e.ButtonsResponseMessage(
                    selectedButtonID="b1", selectedDisplayText="Yes", type=1
                )
            ),
            Pressed("b1", "Yes"),
        ),
        (
            e2e.Message(
                templateButtonReplyMessage=e2e.TemplateButtonReplyMessage(selectedID="i", selectedDisplayText="Menu")
            ),
            Pressed("i", "Menu"),
        ),
        (
            e2e.Message(listResponseMessage=e2e.ListResponseMessage(title="Row", listType=1, singleSelectReply=row)),
            Picked("r1", "Row"),
        ),
        (
            e2e.Message(
                interactiveResponseMessage=e2e.InteractiveResponseMessage(body=body, nativeFlowResponseMessage=flow)
            ),
            Pressed("b1", "Yes"),
        ),
        (
            protocol("MESSAGE_EDIT", editedMessage=e2e.Message(conversation="new")),
            Edit("X1", Text("new")),
        ),
        (protocol("REVOKE"), Delete("X1")),
        (
            e2e.Message(pollCreationMessage=e2e.PollCreationMessage(name="?", options=[option("A"), option("B")])),
            Poll("?", (Choice("A", "A"), Choice("B", "B")), many=True),
        ),
        (e2e.Message(productMessage=e2e.ProductMessage()), Unsupported("productMessage")),
    ]


async def test_kinds_without_a_file(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    for message, expected in responses():
        assert (await device.message(await whatsapp.send(alice, message))).content == expected


async def test_answer_names_what_it_answers(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    context = e2e.ContextInfo(stanzaID="X1", participant="15550001111@s.whatsapp.net", isForwarded=True)
    text = e2e.ExtendedTextMessage(text="re", contextInfo=context)
    message = await device.message(await whatsapp.send(alice, e2e.Message(extendedTextMessage=text)))
    assert (message.reply_to, message.forwarded) == ("X1", True)


async def test_what_may_be_seen_once_is_not_kept(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    image = media(whatsapp, "Image", mimetype="image/jpeg", viewOnce=True, caption="only once")
    wrapped = e2e.Message(viewOnceMessageV2=e2e.FutureProofMessage(message=image))
    for message in (wrapped, image):
        found = await device.message(await whatsapp.send(alice, message, media="image"))
        assert found.content == Unsupported("view_once")
        assert b"mediaKey" not in found.raw and b"only once" not in found.raw


async def test_disappearing_text_says_when_and_so_does_the_answer(
    whatsapp: WhatsApp, alice: Person, device: Linked
) -> None:
    text = e2e.ExtendedTextMessage(text="gone soon", contextInfo=e2e.ContextInfo(expiration=86400))
    inner = e2e.FutureProofMessage(message=e2e.Message(extendedTextMessage=text))
    found = await device.message(await whatsapp.send(alice, e2e.Message(ephemeralMessage=inner)))
    assert (found.content, found.lasts, found.sender.lasts) == (Text("gone soon"), 86400, "86400")
    sent = await device.session.send(Outbound("o", found.sender, Text("gone, too")))
    answer = (await wait_for(whatsapp, sent.provider_id)).extendedTextMessage
    assert (answer.text, answer.contextInfo.expiration, sent.lasts) == ("gone, too", 86400, 86400)
    off = protocol("EPHEMERAL_SETTING", ephemeralExpiration=0)
    told = await device.message(await whatsapp.send(alice, off))
    assert (told.content, told.sender.lasts) == (System("disappearing", data={"seconds": 0}), "0")


async def test_what_the_owner_types_on_the_phone_is_an_echo(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    message = await device.message(await whatsapp.say(whatsapp.owner, "I take this", to=alice))
    assert message.echo and message.sender == address(alice)
    assert message.content == Text("I take this") and message.name == ""


async def test_groups_and_statuses_are_left_out(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    for group in (GROUP, "status@broadcast"):
        await whatsapp.say(alice, "to many", group=group)
    await device.message(await whatsapp.say(alice, "to you"))
    assert [told.content for told in device.told if isinstance(told, Inbound)] == [Text("to you")]


async def test_P38_order_is_kept(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    bob = whatsapp.add("15557770002", "Bob")
    for number in range(30):
        last = await whatsapp.say(bob if number % 3 else alice, str(number))
    await device.message(last)
    texts = [told.content for told in device.told if isinstance(told, Inbound)]
    assert texts == [Text(str(number)) for number in range(30)]


# ---- out -------------------------------------------------------------------------------------------------------------


async def test_P8_everything_acknowledged_is_written_down_while_the_database_stands_still(
    whatsapp: WhatsApp, alice: Person, device: Linked, tmp_path: Path
) -> None:
    """The library would acknowledge a hundred more while it waited for us, and they would be lost with the process."""
    [journal] = tmp_path.rglob("*.journal")
    async with device._news:  # nobody who keeps anything gets on
        ids = [await whatsapp.say(alice, str(number)) for number in range(350)]
        await whatsapp.seen("receipt", id=ids[-1])
        # Only what is told at this very moment may be missing yet; the next callback comes after it.
        await whatsapp.seen("receipt", id=await whatsapp.say(alice, "One more"))
        written = journal.read_bytes()
        assert sum(id.encode() not in written for id in ids) < 10
    await device.message(ids[-1])
    assert [told.provider_id for told in device.told if isinstance(told, Inbound)][: len(ids)] == ids


async def test_text_arrives_and_its_receipts_come_back(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    id = await device.send(Text("Hi @15551234567"), address(alice))
    assert (await wait_for(whatsapp, id)).conversation == "Hi @15551234567"
    await device.receipt(id, "delivered")
    await whatsapp.send_receipt(alice, [id], "read")
    receipt = await device.receipt(id, "read")
    assert receipt.recipient == Address(lid=alice.lid)


async def test_number_alone_is_enough_once_the_person_wrote(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    sent = await device.send(Text("Hi"), Address(wa_id=alice.phone))
    assert (await wait_for(whatsapp, sent)).conversation == "Hi"


async def test_contents_as_the_contact_gets_them(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    to = address(alice)

    async def sent(content: Content) -> Any:
        return await wait_for(whatsapp, await device.send(content, to))

    place = (await sent(Location(1.5, 2.5, "P", "S 1"))).locationMessage
    assert (place.degreesLatitude, place.degreesLongitude, place.name, place.address) == (1.5, 2.5, "P", "S 1")
    bob = Card("Bob; B", (("+1 555 1112222", "work"),), (("b@x.org", ""),), {"org": {"company": "X"}})
    card = (await sent(Contacts((bob,)))).contactMessage
    assert card.displayName == "Bob; B" and "waid=15551112222:+1 555 1112222" in card.vcard
    assert len((await sent(Contacts((bob, bob)))).contactsArrayMessage.contacts) == 2
    assert "Open: https://x.org" in (await sent(Link("See", "Open", "https://x.org"))).conversation
    assert (await sent(Ask("Where?", "location"))).conversation == "Where?"


async def test_what_was_sent_is_changed_and_taken_back(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    id = await device.send(Text("Open till five"), address(alice))
    edit = await wait_for(whatsapp, await device.send(Edit(id, Text("Open till six")), address(alice)))
    change = edit.editedMessage.message.protocolMessage
    assert (change.key.ID, change.key.fromMe, change.editedMessage.conversation) == (id, True, "Open till six")
    gone = (await wait_for(whatsapp, await device.send(Delete(id), address(alice)))).protocolMessage
    assert (gone.type, gone.key.ID) == (e2e.ProtocolMessage.REVOKE, id)


MENU = Buttons("What would you like?", (Choice("b", "Bread"), Choice("c", "Cake")), footer="Luna")
NUMBERED = "What would you like?\n\n1. Bread\n2. Cake\n\nLuna"


async def test_buttons_are_a_numbered_text_and_real_ones_only_beside_it(
    whatsapp: WhatsApp, alice: Person, tmp_path: Path
) -> None:
    async with linked(whatsapp, tmp_path, buttons="buttons") as device:
        text = await wait_for(whatsapp, await device.send(MENU, address(alice)))
        assert text.conversation == NUMBERED
        real = (await whatsapp.seen("message"))["message"].interactiveMessage
        assert real.body.text == MENU.text
        shown = [json.loads(button.buttonParamsJSON) for button in real.nativeFlowMessage.buttons]
        assert shown == [{"display_text": "Bread", "id": "b"}, {"display_text": "Cake", "id": "c"}]


async def test_poll_is_sent_and_votes_come_back_as_presses_also_after_a_restart(
    whatsapp: WhatsApp, alice: Person, tmp_path: Path
) -> None:
    question = Buttons("Bread or cake?", MENU.choices)
    async with linked(whatsapp, tmp_path, buttons="poll") as device:
        assert (await wait_for(whatsapp, await device.send(MENU, address(alice)))).conversation == NUMBERED
        poll = await device.send(question, address(alice))
        asked = (await wait_for(whatsapp, poll)).pollCreationMessage
        assert asked.name == question.text and asked.selectableOptionsCount == 1
        assert [one.optionName for one in asked.options] == ["Bread", "Cake"]
        cast = await device.message(await whatsapp.vote(alice, poll, ["Cake"]))
        assert (cast.content, cast.reply_to) == (Pressed("c", "Cake"), poll)
        both = await device.message(await whatsapp.vote(alice, poll, ["Cake", "Bread"]))
        assert both.content == Voted(poll, ("Cake", "Bread"))
        none = await device.message(await whatsapp.vote(alice, poll, []))
        assert none.content == Voted(poll)
    again = open_session(whatsapp, tmp_path)
    seen: list[str] = []

    async def find(id: str) -> Content:
        seen.append(id)
        return question

    again.session.recall_with(find)
    late = await again.message(await whatsapp.vote(alice, poll, ["Bread"]))
    assert late.content == Pressed("b", "Bread") and seen == [poll]
    strange = await again.message(await whatsapp.vote(alice, "UNKNOWN", ["Bread"], secret=b"x" * 32))
    assert strange.content == Unsupported("pollUpdateMessage")
    await again.close()


async def test_answer_and_reaction_name_the_message(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    asked = await whatsapp.say(alice, "Open today?")
    await device.message(asked)
    message = await wait_for(whatsapp, await device.send(Text("Yes"), address(alice), reply_to=asked))
    context = message.extendedTextMessage.contextInfo
    assert message.extendedTextMessage.text == "Yes"
    assert (context.stanzaID, context.participant) == (asked, f"{alice.lid}@lid")
    assert context.quotedMessage.conversation == "Open today?"
    reaction = await wait_for(whatsapp, await device.send(Reaction(asked, "👍"), address(alice)))
    assert (reaction.reactionMessage.key.ID, reaction.reactionMessage.text) == (asked, "👍")
    assert not reaction.reactionMessage.key.fromMe


OUT: list[tuple[Media, str]] = [
    (Image(url="x", mime="image/png", caption="Look"), "imageMessage"),
    (Video(url="x", mime="video/mp4"), "videoMessage"),
    (Audio(url="x", mime="audio/ogg", voice=True), "audioMessage"),
    (Document(url="x", mime="application/pdf", filename="a.pdf"), "documentMessage"),
    (Sticker(url="x", mime="image/webp"), "stickerMessage"),
]


async def test_files_arrive_whole(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    async def read(_: str) -> bytes:
        return b"%PDF\0" * 1000

    device.session.read_urls_with(read)
    for content, field in OUT:
        assert isinstance(content, Image | Video | Audio | Document | Sticker)
        part = getattr(await wait_for(whatsapp, await device.send(content, address(alice))), field)
        assert part.fileLength == 5000 and part.mimetype.startswith(content.mime)
        assert part.fileSHA256 == hashlib.sha256(b"%PDF\0" * 1000).digest()
        assert hashlib.sha256(whatsapp.media.files[part.directPath.split("?")[0]]).digest() == part.fileEncSHA256
        assert getattr(part, "caption", "") == content.caption
        assert not isinstance(content, Document) or part.fileName == "a.pdf"
        assert not isinstance(content, Audio) or (part.PTT and part.mimetype == "audio/ogg; codecs=opus")


async def test_read_mark_and_typing(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    id = await whatsapp.say(alice, "Hello")
    await device.message(id)
    await device.session.mark_read(id, typing=True)
    await whatsapp.seen("receipt", id=id, type="read")
    assert (await whatsapp.seen("typing"))["state"] == "composing"
    await device.session.mark_read("unknown", typing=False)


async def test_stranger_is_not_written_to(device: Linked) -> None:
    with pytest.raises(SendFailed) as caught:
        await device.send(Text("Buy!"), Address(phone="15557770005"))
    assert caught.value.problem.code == "web.stranger"
    assert caught.value.certain and not caught.value.temporary


async def test_stranger_is_written_to_where_it_is_allowed(whatsapp: WhatsApp, alice: Person, tmp_path: Path) -> None:
    async with linked(whatsapp, tmp_path, strangers="yes") as device:
        await wait_for(whatsapp, await device.send(Text("Hi"), Address(phone=alice.phone)))
        with pytest.raises(SendFailed) as caught:
            await device.send(Text("Hi"), Address(phone="15559990000"))
        assert caught.value.problem.code == "web.not_there" and caught.value.certain


async def test_refused_send_is_certain(whatsapp: WhatsApp, alice: Person, device: Linked) -> None:
    whatsapp.error = "479"
    with pytest.raises(SendFailed) as caught:
        await device.send(Text("Hi"), address(alice))
    assert caught.value.problem.code == "web.not_taken" and caught.value.certain


async def test_lost_acknowledgement_sends_once_more_with_the_same_id(
    whatsapp: WhatsApp, alice: Person, device: Linked
) -> None:
    await whatsapp.seen("logged in")
    whatsapp.acknowledges = False
    sending = asyncio.create_task(device.send(Text("once"), address(alice)))
    first = await whatsapp.seen("message", text="once")
    whatsapp.acknowledges = True
    await whatsapp.end()
    assert await sending == first["id"]
    await whatsapp.seen("message again", id=first["id"])


# ---- away ------------------------------------------------------------------------------------------------------------


async def test_what_was_written_long_ago_while_the_device_was_away_is_marked(
    whatsapp: WhatsApp, alice: Person, tmp_path: Path
) -> None:
    """§5.2, 7: a flood after a reconnect is not answered by itself; what is only a little late is."""
    async with linked(whatsapp, tmp_path, away="5"):
        pass
    now = int(whatsapp.now())
    old = await whatsapp.say(alice, "Yesterday", more={"t": str(now - 400)})
    new = await whatsapp.say(alice, "Just now", more={"t": str(now - 200)})
    again = open_session(whatsapp, tmp_path, away="5")
    assert (await again.message(old)).away and not (await again.message(new)).away
    await again.close()


# ---- groups ----------------------------------------------------------------------------------------------------------


async def test_group_is_heard_by_mention_quote_or_prefix_and_answered_there(
    whatsapp: WhatsApp, alice: Person, tmp_path: Path
) -> None:
    whatsapp.groups[GROUP] = [alice]

    def mention(who: str, text: str, **context: str) -> Any:
        said = e2e.ContextInfo(mentionedJID=[who] if who else [], **context)
        return e2e.Message(extendedTextMessage=e2e.ExtendedTextMessage(text=text, contextInfo=said))

    me = str(whatsapp.owner.by_lid)
    async with linked(whatsapp, tmp_path, groups="!shop") as device:
        await whatsapp.seen("logged in")
        for aside in (e2e.Message(conversation="to all"), mention(str(alice.by_lid), "@Alice?")):
            await whatsapp.send(alice, aside, group=GROUP)
        await whatsapp.say(whatsapp.owner, "!shop from the owner", group=GROUP)
        by_mention = await whatsapp.send(alice, mention(me, f"@{whatsapp.owner.lid} open?"), group=GROUP)
        found = await device.message(by_mention)
        assert (found.content, found.group, found.addressed) == (Text("open?"), GROUP, True)
        assert found.sender == Address(wa_id=alice.phone, lid=alice.lid, chat=GROUP) and found.name == "Alice"
        by_prefix = await device.message(await whatsapp.say(alice, "!Shop hours", group=GROUP))
        by_quote = mention("", "and tomorrow?", stanzaID="X", participant=me)
        assert by_prefix.content == Text("hours")
        assert (await device.message(await whatsapp.send(alice, by_quote, group=GROUP))).reply_to == "X"
        assert len([told for told in device.told if isinstance(told, Inbound)]) == 3
        for words in ("Until six", "Every day"):
            id = await device.send(Text(words), found.sender)
            seen = await whatsapp.seen("message", id=id)
            assert (seen["to"], seen["text"]) == (GROUP, words)
        reaction = await wait_for(whatsapp, await device.send(Reaction(by_mention, "👍"), found.sender))
        assert reaction.reactionMessage.key.participant == str(alice.by_lid)


# ---- pace ------------------------------------------------------------------------------------------------------------


async def test_new_link_writes_at_the_pace_of_a_person_and_keeps_to_its_budget(
    whatsapp: WhatsApp, alice: Person, tmp_path: Path
) -> None:
    """A second goes by here: the one for which "typing" is shown."""
    url = f"ws://127.1:{whatsapp.port}/ws/chat"  # by a name of this machine that counts as foreign
    async with linked(whatsapp, tmp_path, whatsapp_web_url=url, a_day="10") as device:
        await whatsapp.seen("logged in")
        await device.message(await whatsapp.say(alice, "Hi"))
        id = await device.send(Text("Hello"), address(alice))
        assert (await whatsapp.seen("typing"))["state"] == "composing"
        await whatsapp.seen("message", id=id)
        with pytest.raises(SendFailed) as caught:
            await device.send(Text("And again"), address(alice))
        failure = caught.value
        assert (failure.problem.code, failure.certain, failure.temporary) == ("web.budget", True, True)
        assert failure.retry_after is not None and failure.retry_after > 86_000
        used = device.session.allowance()
        assert (used.sent_in_a_day, used.a_day, used.an_hour) == (1, 1, 20)
