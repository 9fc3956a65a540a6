"""What single updates become. Contract §2.3 to §2.5."""

import json
from typing import Any

import pytest

from app.connectors.base import Arrival, Inbound, Malformed, Notice
from app.connectors.telegram.update import parse_update
from app.content import (
    Audio,
    Contacts,
    Delete,
    Document,
    Edit,
    Image,
    Location,
    Picked,
    Pressed,
    Reaction,
    Sticker,
    System,
    Text,
    Unsupported,
    Video,
)
from tests.connectors.bot_api import ME
from tests.fakes.telegram.entities import noticed

ANNA = {"id": 7001, "is_bot": False, "first_name": "Anna", "last_name": "Berg", "username": "annab"}
PRIVATE = {"id": 7001, "type": "private", "first_name": "Anna", "last_name": "Berg", "username": "annab"}
GROUP = {"id": -1001234, "type": "supergroup", "title": "Bakers"}
BOT = {"id": 123456789, "is_bot": True, "first_name": "Luna", "username": "luna_bakery_bot"}
FILE = {"file_id": "FILE", "file_unique_id": "U", "file_size": 12}


def update(kind: str = "message", /, **payload: Any) -> list[Arrival]:
    usual: dict[str, Any] = {"message_id": 5, "from": ANNA, "chat": PRIVATE, "date": 1_700_000_000}
    whole = {key: value for key, value in (usual | payload).items() if value is not None}
    return parse_update(json.dumps({"update_id": 900, kind: whole}).encode(), ME)


def message(kind: str = "message", /, **payload: Any) -> Inbound:
    (arrival,) = update(kind, **payload)
    assert isinstance(arrival, Inbound)
    return arrival


def said(text: str, **payload: Any) -> list[Arrival]:
    """In a group."""
    return update(chat=GROUP, text=text, entities=noticed(text), **payload)


def test_a_text() -> None:
    found = message(text="Hello")
    assert found.content == Text("Hello")
    assert (found.provider_id, found.name, found.at) == ("7001.5", "Anna Berg", 1_700_000_000_000)
    assert (found.sender.telegram, found.sender.username, found.sender.chat) == ("7001", "annab", "")
    assert not (found.group or found.echo or found.forwarded or found.referral)


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"photo": [FILE | {"width": 90}, FILE | {"file_id": "BIG", "width": 900}, FILE | {"width": 320}]},
         Image("BIG", mime="image/jpeg", size=12)),
        ({"video": FILE | {"mime_type": "video/mp4"}, "caption": "look"},
         Video("FILE", mime="video/mp4", caption="look", size=12)),
        ({"animation": FILE, "document": FILE}, Video("FILE", mime="video/mp4", size=12)),
        ({"video_note": FILE}, Video("FILE", mime="video/mp4", size=12)),
        ({"voice": FILE}, Audio("FILE", mime="audio/ogg", voice=True, size=12)),
        ({"audio": FILE | {"mime_type": "audio/mpeg"}}, Audio("FILE", mime="audio/mpeg", size=12)),
        ({"document": FILE | {"file_name": "a.pdf", "mime_type": "application/pdf"}},
         Document("FILE", mime="application/pdf", filename="a.pdf", size=12)),
        ({"sticker": FILE | {"is_animated": False, "is_video": False}}, Sticker("FILE", mime="image/webp", size=12)),
        ({"sticker": FILE | {"is_video": True}}, Sticker("FILE", mime="video/webm", size=12, animated=True)),
        ({"location": {"latitude": -8.05, "longitude": -34.88}}, Location(-8.05, -34.88)),
        ({"location": {"latitude": 1, "longitude": 2},
          "venue": {"location": {"latitude": 1, "longitude": 2}, "title": "Luna", "address": "Rua"}},
         Location(1, 2, "Luna", "Rua")),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)  # fmt: skip
def test_contents(fields: dict[str, Any], content: Any) -> None:
    assert message(**fields).content == content


@pytest.mark.parametrize(
    "kind", ["poll", "dice", "game", "story", "checklist", "invoice", "paid_media", "something_new"]
)
def test_what_has_no_form_here_is_kept_by_its_name(kind: str) -> None:
    content = message(**{kind: {"a": 1}}).content
    assert isinstance(content, Unsupported) and content.what == kind and content.raw[kind] == {"a": 1}


def test_a_number_that_is_the_sender_s_own_names_them_and_another_s_does_not() -> None:
    own = message(contact={"phone_number": "+55 11 98765-4321", "first_name": "Anna", "user_id": 7001})
    assert isinstance(own.content, Contacts) and own.content.requested
    assert ("phone", "5511987654321") in own.sender.aliases()
    other = message(contact={"phone_number": "+55 11 98765-4321", "first_name": "Bela", "user_id": 7002})
    assert isinstance(other.content, Contacts) and not other.content.requested
    assert other.sender.aliases() == (("telegram", "7001"),)


def test_a_start_link_is_a_referral() -> None:
    assert message(text="/start summer-sale").referral == {"source_type": "link", "ref": "summer-sale"}
    assert message(text="/start").referral is None


def test_quotes_and_forwards() -> None:
    quoted = {"message_id": 3, "chat": PRIVATE, "date": 1, "text": "before"}
    found = message(text="yes", reply_to_message=quoted, forward_origin={"type": "user"})
    assert found.reply_to == "7001.3" and found.forwarded


def test_an_edit_changes_the_message_and_every_edit_is_told_once() -> None:
    first = message("edited_message", text="Hello!", edit_date=1_700_000_100)
    assert first.content == Edit("7001.5", Text("Hello!"))
    assert (first.provider_id, first.at) == ("7001.5.edit.900", 1_700_000_100_000)
    moved = message("edited_message", location={"latitude": 1, "longitude": 2})
    assert moved.content == Edit("7001.5", Location(1, 2)), "a live location moves"


def test_presses() -> None:
    keyboard = {
        "inline_keyboard": [[{"text": "Menu", "callback_data": "b|menu"}, {"text": "Row", "callback_data": "l|r"}]]
    }
    shown = {"message_id": 4, "chat": PRIVATE, "date": 1, "text": "?", "reply_markup": keyboard}
    for data, content in (
        ("b|menu", Pressed("menu", "Menu")),
        ("l|r", Picked("r", "Row")),
        ("odd", Pressed("odd", "odd")),
    ):
        found = message("callback_query", id="77", message=shown, data=data, chat=None, message_id=None, date=None)
        assert found.content == content
        assert (found.provider_id, found.reply_to) == ("7001.4.callback.77", "7001.4")


def test_reactions() -> None:
    fire = {"type": "emoji", "emoji": "🔥"}
    put = message("message_reaction", user=ANNA, old_reaction=[], new_reaction=[fire])
    assert put.content == Reaction("7001.5", "🔥")
    taken = message("message_reaction", user=ANNA, old_reaction=[fire], new_reaction=[])
    assert taken.content == Reaction("7001.5", "")


def test_blocking_is_told_of_the_person() -> None:
    for status, what in (("kicked", "person_blocked"), ("member", "person_unblocked")):
        found = message("my_chat_member", new_chat_member={"status": status})
        assert found.content == System(what) and found.sender.telegram == "7001"
    (notice,) = update("my_chat_member", chat=GROUP, new_chat_member={"status": "kicked"})
    assert isinstance(notice, Notice)


# ---- groups ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("@luna_bakery_bot menu", "menu"),
        ("🍞🍞 hello @Luna_Bakery_Bot", "🍞🍞 hello @Luna_Bakery_Bot"),
        ("/menu@luna_bakery_bot now", "/menu now"),
        ("/menu", "/menu"),
        ("@luna_bakery_bot", "@luna_bakery_bot"),
    ],
)
def test_in_a_group_a_mention_or_a_command_is_for_the_bot(text: str, left: str) -> None:
    (found,) = said(text)
    assert isinstance(found, Inbound) and found.addressed
    assert found.content == Text(left)
    assert (found.group, found.sender.chat, found.provider_id) == ("-1001234", "-1001234", "-1001234.5")


@pytest.mark.parametrize("text", ["menu please", "/menu@other_bot", "@luna_bakery_bot2 hi", "mail@luna_bakery_bot.x"])
def test_in_a_group_the_rest_is_not_for_the_bot(text: str) -> None:
    (found,) = said(text)
    assert isinstance(found, Notice) and found.field == "group_message"


def test_in_a_group_an_answer_to_the_bot_is_for_it() -> None:
    (found,) = said("yes", reply_to_message={"message_id": 3, "from": BOT, "chat": GROUP, "date": 1})
    assert isinstance(found, Inbound) and found.reply_to == "-1001234.3"


def test_a_topic_is_a_chat_of_its_own_and_its_first_message_no_quote() -> None:
    first = {"message_id": 33, "from": BOT, "chat": GROUP, "date": 1, "forum_topic_created": {"name": "x"}}
    (found,) = said("/menu", message_thread_id=33, is_topic_message=True, reply_to_message=first)
    assert isinstance(found, Inbound) and (found.group, found.reply_to) == ("-1001234/33", "")


def test_what_happens_to_a_group_is_kept_by_its_name() -> None:
    (notice,) = update(chat=GROUP, new_chat_members=[ANNA])
    assert isinstance(notice, Notice) and notice.field == "new_chat_members"


# ---- business connections --------------------------------------------------------------------------------------------


def test_a_business_chat_is_apart_from_the_bot_s_own() -> None:
    found = message("business_message", business_connection_id="C1", text="hi")
    assert (found.group, found.provider_id, found.addressed) == ("7001@C1", "7001.5@C1", True)
    owner = {"id": 1, "is_bot": False, "first_name": "Rosa"}
    echo = message("business_message", business_connection_id="C1", text="hello", **{"from": owner})
    assert echo.echo and echo.sender.telegram == "7001"


def test_deletions_of_a_business_are_told_one_by_one() -> None:
    found = update("deleted_business_messages", business_connection_id="C1", message_ids=[5, 6])
    assert [one.content for one in found if isinstance(one, Inbound)] == [Delete("7001.5@C1"), Delete("7001.6@C1")]


# ---- what cannot be read ---------------------------------------------------------------------------------------------


def test_unknown_kinds_are_kept() -> None:
    (notice,) = update("hologram", text="hi")
    assert isinstance(notice, Notice) and notice.field == "hologram"
    assert isinstance(parse_update(b'{"update_id": 1}', ME)[0], Notice)


def test_an_update_without_an_id_is_quarantined() -> None:
    assert isinstance(parse_update(b'{"message": {}}', ME)[0], Malformed)
    assert isinstance(parse_update(b'{"update_id": 1, "message": {"text": "hi"}}', ME)[0], Malformed)
    with pytest.raises(ValueError, match="object"):
        parse_update(b"[]", ME)
