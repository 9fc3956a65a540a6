"""Notifications → arrivals, update by update. Contract §2 to §6."""

import base64
import hashlib
import json
from typing import Any

import pytest

from app.connectors.base import Address, Arrival, Inbound, Malformed, Notice, Receipt, Status
from app.connectors.whatsapp_cloud.notification import parse_notification
from app.content import (
    Audio,
    Contacts,
    Content,
    Delete,
    Document,
    Edit,
    FlowReply,
    Image,
    Location,
    Order,
    Picked,
    Pressed,
    Reaction,
    Sticker,
    System,
    Text,
    Unsupported,
    Video,
)
from tests.connectors.cloud import ACCOUNT, ANNA, ANNA_ID, NUMBER, contact, escaped, message, notification, status, text


def only(body: bytes) -> Arrival:
    arrivals = parse_notification(body)
    assert len(arrivals) == 1, arrivals
    return arrivals[0]


def inbound(*messages: dict[str, Any], field: str = "messages", **value: Any) -> Inbound:
    found = only(notification({"contacts": [contact()], "messages": list(messages)} | value, field=field))
    assert isinstance(found, Inbound), found
    return found


def content(**members: Any) -> Content:
    return inbound(message(**members)).content


# ---- one message ---------------------------------------------------------------------------------------------------


def test_text_message() -> None:
    found = inbound(text("Does it come in green?"))
    assert found.account == ACCOUNT
    assert found.provider_id == "wamid.A"
    assert found.at == 1749416383000
    assert found.content == Text("Does it come in green?")
    assert found.name == "Anna Berg"
    assert found.sender == Address(phone=ANNA, wa_id=ANNA, user_id=ANNA_ID)


def test_a_text_with_more_around_it_reads_the_same() -> None:
    plain = inbound(text("Hello"))
    richer = inbound(text("Hello", identity={"hash": "x"}, something_new=[1]))
    assert (richer.content, richer.sender, richer.at, richer.name) == (
        plain.content,
        plain.sender,
        plain.at,
        plain.name,
    )


def test_long_text_is_not_cut() -> None:
    assert inbound(text("x" * 65_536)).content == Text("x" * 65_536)


def test_reply_forward_referral_and_group() -> None:
    referral = {"source_url": "https://fb.me/x", "source_type": "ad", "ctwa_clid": "abc"}
    found = inbound(text(context={"from": NUMBER, "id": "wamid.OUT"}, referral=referral, group_id="Z3JvdXA"))
    assert found.reply_to == "wamid.OUT"
    assert found.referral == referral
    assert found.group == "Z3JvdXA"
    assert not found.forwarded
    assert inbound(text(context={"forwarded": True})).forwarded
    assert inbound(text(context={"frequently_forwarded": True})).forwarded


def test_files() -> None:
    digest = hashlib.sha256(b"file").digest()
    file = {
        "id": "1003383421387256",
        "mime_type": "image/jpeg",
        "sha256": base64.b64encode(digest).decode(),
        "url": "https://x/y",
    }
    base = {"provider_id": "1003383421387256", "url": "https://x/y", "mime": "image/jpeg", "sha256": digest.hex()}
    assert content(type="image", image=file | {"caption": "Look"}) == Image(**base, caption="Look")
    assert content(type="video", video=file) == Video(**base)
    assert content(type="audio", audio=file | {"voice": True}) == Audio(**base, voice=True)
    assert content(type="voice", voice=file) == Audio(**base, voice=True)
    assert content(type="document", document=file | {"filename": "a.pdf"}) == Document(**base, filename="a.pdf")
    assert content(type="sticker", sticker=file | {"animated": True}) == Sticker(**base, animated=True)


def test_digest_in_hex_and_in_base64_is_the_same() -> None:
    digest = hashlib.sha256(b"file").digest()
    for written in (digest.hex(), digest.hex().upper(), base64.b64encode(digest).decode()):
        found = content(type="image", image={"id": "1", "sha256": written})
        assert isinstance(found, Image)
        assert found.sha256 == digest.hex()
    found = content(type="image", image={"id": "1", "sha256": "nonsense"})
    assert isinstance(found, Image)
    assert found.sha256 == ""


def test_file_that_meta_could_not_fetch_keeps_the_reason() -> None:
    errors = [{"code": 131052, "title": "Media download error", "error_data": {"details": "Too large"}}]
    found = content(type="video", errors=errors)
    assert isinstance(found, Unsupported)
    assert (found.what, found.reason) == ("video", "Too large")


def test_location_and_contacts() -> None:
    place = {"latitude": 52.5, "longitude": "13.4", "name": "Office", "address": "Main St 1"}
    assert content(type="location", location=place) == Location(52.5, 13.4, "Office", "Main St 1")
    card = {"name": {"formatted_name": "Ben", "first_name": "Ben"}, "phones": [{"phone": "+1 650", "type": "CELL"}]}
    found = content(type="contacts", contacts=[card, {"phones": [{"wa_id": "1650"}], "origin": "contact_request"}])
    assert isinstance(found, Contacts)
    assert [one.name for one in found.cards] == ["Ben", "1650"]
    assert found.cards[0].phones == (("+1 650", "CELL"),)
    assert found.requested


def test_reaction_and_its_removal() -> None:
    assert content(type="reaction", reaction={"message_id": "wamid.OUT", "emoji": "👍"}) == Reaction("wamid.OUT", "👍")
    assert content(type="reaction", reaction={"message_id": "wamid.OUT"}) == Reaction("wamid.OUT", "")
    assert content(type="reaction", reaction={"message_id": "wamid.OUT", "emoji": ""}) == Reaction("wamid.OUT", "")


def test_answers_to_buttons_lists_and_templates() -> None:
    pressed = {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}}
    picked = {"type": "list_reply", "list_reply": {"id": "r1", "title": "Row", "description": "First"}}
    assert content(type="interactive", interactive=pressed) == Pressed("yes", "Yes")
    assert content(type="interactive", interactive=picked) == Picked("r1", "Row", "First")
    assert content(type="button", button={"payload": "P", "text": "Stop"}) == Pressed("P", "Stop")
    assert content(type="button", button={"text": "Stop"}) == Pressed("Stop", "Stop")


def test_form_is_decoded_and_kept_if_it_cannot_be() -> None:
    reply = {"name": "flow", "body": "Sent", "response_json": '{"flow_token":"t","size":"M"}'}
    form = {"type": "nfm_reply", "nfm_reply": reply}
    assert content(type="interactive", interactive=form) == FlowReply("flow", "Sent", {"flow_token": "t", "size": "M"})
    form["nfm_reply"] = reply | {"response_json": "not json"}
    assert content(type="interactive", interactive=form) == FlowReply("flow", "not json", {})


def test_order() -> None:
    items = [{"product_retailer_id": "sku1", "quantity": 2, "item_price": 1.5, "currency": "USD"}]
    found = content(type="order", order={"catalog_id": "C", "text": "Fast", "product_items": items})
    assert found == Order("C", tuple(items), "Fast")


def test_edit_and_revoke() -> None:
    new = {"context": {"id": "M0"}, "type": "text", "text": {"body": "Better"}}
    assert content(type="edit", edit={"original_message_id": "wamid.1", "message": new}) == Edit(
        "wamid.1", Text("Better")
    )
    assert content(type="revoke", revoke={"original_message_id": "wamid.1"}) == Delete("wamid.1")


def test_edit_to_something_that_cannot_be_edited_keeps_its_payload() -> None:
    new = {"type": "location", "location": {"latitude": 1, "longitude": 2}}
    found = content(type="edit", edit={"original_message_id": "wamid.1", "message": new})
    assert isinstance(found, Edit)
    assert isinstance(found.content, Unsupported)
    assert found.content.raw == new


def test_unsupported_says_what_and_why() -> None:
    errors = [{"code": 131051, "title": "Message type unknown", "error_data": {"details": "Not supported."}}]
    found = content(type="unsupported", errors=errors, unsupported={"type": "poll_creation"})
    assert isinstance(found, Unsupported)
    assert (found.what, found.reason) == ("poll_creation", "Not supported.")
    old = content(type="unknown", errors=[{"code": 501, "title": "Unsupported message type", "details": "Old shape"}])
    assert isinstance(old, Unsupported)
    assert (old.what, old.reason) == ("unknown", "Old shape")


def test_type_from_the_future_is_kept_whole() -> None:
    found = content(type="hologram", hologram={"beams": 3})
    assert isinstance(found, Unsupported)
    assert found.what == "hologram"
    assert found.raw["hologram"] == {"beams": 3}


# ---- who -----------------------------------------------------------------------------------------------------------


def test_P10_user_without_a_number_is_known_by_the_business_scoped_id() -> None:
    person = {"profile": {"name": "Anna", "username": "anna.b"}, "user_id": ANNA_ID, "parent_user_id": "US.ENT.1"}
    for absent in (None, ""):
        found = inbound(text(**{"from": absent}), contacts=[person | ({"wa_id": ""} if absent == "" else {})])
        assert found.sender == Address(user_id=ANNA_ID, parent_user_id="US.ENT.1", username="anna.b")


def test_P10_contact_is_matched_by_id_and_never_by_place() -> None:
    ben = {"profile": {"name": "Ben"}, "wa_id": "4915112345678", "user_id": "DE.2"}
    body = notification(
        {
            "contacts": [ben, contact()],
            "messages": [text(), text(id="wamid.B", **{"from": "4915112345678", "from_user_id": "DE.2"})],
        }
    )
    first, second = parse_notification(body)
    assert isinstance(first, Inbound) and isinstance(second, Inbound)
    assert (first.name, second.name) == ("Anna Berg", "Ben")


def test_contact_of_somebody_else_lends_no_name() -> None:
    found = inbound(text(), contacts=[{"profile": {"name": "Ben"}, "wa_id": "4915112345678", "user_id": "DE.2"}])
    assert found.name == ""
    assert found.sender.wa_id == ANNA


def test_number_and_whatsapp_id_may_differ() -> None:
    found = inbound(text(**{"from": "5511987654321"}), contacts=[contact(wa_id="551187654321")])
    assert (found.sender.phone, found.sender.wa_id) == ("5511987654321", "551187654321")


def test_change_of_number_tells_both_addresses() -> None:
    system = {"type": "user_changed_number", "wa_id": "16505559999", "body": "User changed from 1 to 2"}
    new = {"user_id": "US.NEW", "previous_user_id": ANNA_ID}
    found = inbound(message(type="system", system=system | new), contacts=[])
    assert found.sender == Address(phone="16505559999", wa_id="16505559999", user_id="US.NEW")
    assert found.previous is not None
    assert (found.previous.wa_id, found.previous.user_id) == (ANNA, ANNA_ID)
    assert isinstance(found.content, System)
    assert found.content.what == "user_changed_number"


@pytest.mark.parametrize("wa_id", [{}, {"wa_id": ""}, {"wa_id": "US.NEW"}])
def test_change_of_id_that_is_only_told_in_the_sentence(wa_id: dict[str, str]) -> None:
    system = {"type": "user_changed_user_id", "body": "User Anna changed from US.OLD to US.NEW"} | wa_id
    found = inbound(message(type="system", system=system, **{"from": None, "from_user_id": None}), contacts=[])
    assert found.sender == Address(user_id="US.NEW")
    assert found.previous == Address(user_id="US.OLD")


def test_message_that_names_nobody_is_quarantined_and_the_rest_goes_on() -> None:
    nobody = text(**{"from": None, "from_user_id": None})
    arrivals = parse_notification(notification({"messages": [nobody, text(id="wamid.B")]}))
    assert isinstance(arrivals[0], Malformed)
    assert isinstance(arrivals[1], Inbound)


# ---- reports -------------------------------------------------------------------------------------------------------


def test_report_with_our_mark() -> None:
    report = status("read", biz_opaque_callback_data="p.42", recipient_user_id=ANNA_ID)
    found = only(notification({"statuses": [report]}))
    assert isinstance(found, Receipt)
    assert (found.provider_id, found.status, found.opaque, found.at) == (
        "wamid.OUT",
        Status.READ,
        "p.42",
        1749416383000,
    )
    assert found.recipient == Address(wa_id=ANNA, user_id=ANNA_ID)
    assert found.problem is None


def test_failed_report_says_why() -> None:
    error = {"code": 131026, "title": "Message undeliverable", "error_data": {"details": "Unable to deliver."}}
    found = only(notification({"statuses": [status("failed", errors=[error])]}))
    assert isinstance(found, Receipt)
    assert found.problem is not None
    assert (found.problem.code, found.problem.detail) == ("131026", "Unable to deliver.")


def test_report_of_a_group_names_the_participant() -> None:
    report = status(recipient_type="group", recipient_id="group", recipient_participant_id="4915112345678")
    found = only(notification({"statuses": [report]}))
    assert isinstance(found, Receipt)
    assert found.recipient == Address(wa_id="4915112345678")


@pytest.mark.parametrize("word", ["deleted", "warning", "captured"])
def test_state_that_is_not_about_delivery_is_a_notice(word: str) -> None:
    assert isinstance(only(notification({"statuses": [status(word)]})), Notice)


# ---- other fields --------------------------------------------------------------------------------------------------


def test_echo_belongs_to_the_person_it_was_written_to() -> None:
    echo = {
        "from": NUMBER,
        "to": ANNA,
        "id": "wamid.E",
        "timestamp": "1749416383",
        "type": "text",
        "text": {"body": "Yes"},
    }
    found = only(notification({"message_echoes": [echo]}, field="smb_message_echoes"))
    assert isinstance(found, Inbound)
    assert found.echo
    assert found.sender.wa_id == ANNA
    assert found.content == Text("Yes")


def test_standby_is_marked_and_its_echo_found() -> None:
    inner = {
        "to": ANNA,
        "recipient": ANNA,
        "recipient_type": "individual",
        "type": "text",
        "text": {"body": "By the agent"},
    }
    standby = {
        "contacts": [contact()],
        "messages": [text()],
        "statuses": [status()],
        "message_echoes": [{"id": "wamid.E", "timestamp": "1749416383", "message": inner}],
    }
    heard, report, echo = parse_notification(notification({"standby": standby}, field="standby"))
    assert isinstance(heard, Inbound) and heard.standby and heard.name == "Anna Berg"
    assert isinstance(report, Receipt)
    assert isinstance(echo, Inbound) and echo.standby and echo.echo
    assert (echo.sender.wa_id, echo.at) == (ANNA, 1749416383000)


def test_history_tells_who_wrote_what() -> None:
    thread = {
        "id": ANNA,
        "context": {"wa_id": ANNA, "user_id": ANNA_ID},
        "messages": [text(id="wamid.1"), text(id="wamid.2", **{"from": NUMBER})],
    }
    chunk = {"metadata": {"phase": 0}, "threads": [thread]}
    theirs, ours = parse_notification(
        notification({"history": [chunk, {"errors": [{"code": 2593109}]}]}, field="history")
    )[:2]
    assert isinstance(theirs, Inbound) and isinstance(ours, Inbound)
    assert theirs.history and not theirs.echo
    assert ours.history and ours.echo
    assert theirs.sender == ours.sender == Address(phone=ANNA, wa_id=ANNA, user_id=ANNA_ID)


def test_declined_history_is_a_notice_with_and_without_envelope() -> None:
    declined = {"history": [{"errors": [{"code": 2593109, "title": "Declined"}]}]}
    for body in (notification(declined, field="history"), escaped(declined)):
        found = only(body)
        assert isinstance(found, Notice)
        assert found.field == "history"
        assert b"2593109" in found.raw


def test_marketing_stop_is_told_about_the_person() -> None:
    stop = {
        "wa_id": ANNA,
        "user_id": ANNA_ID,
        "detail": "User requested to stop",
        "category": "marketing_messages",
        "value": "stop",
        "timestamp": 1731705721,
    }
    body = notification({"contacts": [contact()], "user_preferences": [stop]}, field="user_preferences")
    found = only(body)
    assert isinstance(found, Inbound)
    assert found.sender.user_id == ANNA_ID
    assert isinstance(found.content, System)
    assert (found.content.what, found.content.data["value"]) == ("user_preferences", "stop")
    again = only(body)
    assert isinstance(again, Inbound)
    assert again.provider_id == found.provider_id


def test_handover_finds_its_number_without_metadata() -> None:
    value = {
        "type": "control_passed",
        "sender": {"phone_number": ANNA},
        "recipient": {"phone_number_id": ACCOUNT},
        "timestamp": "1789056499",
    }
    body = escaped(
        {
            "object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [{"field": "messaging_handovers", "value": value}]}],
        }
    )
    found = only(body)
    assert isinstance(found, Inbound)
    assert (found.account, found.sender.wa_id, found.at) == (ACCOUNT, ANNA, 1789056499000)
    assert isinstance(found.content, System)


def test_unknown_field_is_a_notice_with_everything() -> None:
    found = only(notification({"surprise": {"a": [1, 2]}}, field="tea_party", time=1749416383))
    assert isinstance(found, Notice)
    assert (found.field, found.at) == ("tea_party", 1749416383000)
    assert json.loads(found.raw)["value"]["surprise"] == {"a": [1, 2]}


def test_problem_of_the_account_is_a_notice_beside_messages() -> None:
    body = notification({"messages": [text()], "errors": [{"code": 131000}, {"code": 130429}]})
    assert [type(arrival) for arrival in parse_notification(body)] == [Inbound, Notice, Notice]


# ---- broken, hostile, odd ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"hello", b"[]", b"1", b'"x"', b"null", b"{", b"\xff\xfe", b"[" * 100_000])
def test_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        parse_notification(body)


def test_P4_bad_updates_do_not_take_their_neighbours_along() -> None:
    bad: list[Any] = [1, "x", None, [], {}, {"id": 5}, {"id": "wamid.X", "type": "text", "text": 1e999}]
    messages = [text(id=f"wamid.{n}") for n in range(993)]
    for place, update in enumerate(bad):
        messages.insert(place * 100, update)
    arrivals = parse_notification(notification({"messages": messages}).replace(b"Infinity", b"1e999"))
    assert len(arrivals) == 1000
    assert sum(isinstance(arrival, Inbound) for arrival in arrivals) == 993
    assert sum(isinstance(arrival, Malformed) for arrival in arrivals) == 7


def test_several_entries_and_numbers_in_one_post() -> None:
    other = {"metadata": {"display_phone_number": "1", "phone_number_id": "777"}, "messages": [text(id="wamid.B")]}
    arrivals = parse_notification(notification({"messages": [text()]}, other, {"statuses": [status()]}))
    assert [arrival.account for arrival in arrivals if not isinstance(arrival, str)] == [ACCOUNT, "777", ACCOUNT]


def test_nul_and_lone_surrogates_become_the_replacement_sign_and_stay_in_the_raw_form() -> None:
    body = notification(
        {"contacts": [contact(profile={"name": "A\x00"})], "messages": [text("a\x00b\ud800c\udc00\U0001f600")]}
    )
    found = only(body)
    assert isinstance(found, Inbound)
    assert found.content == Text("a\ufffdb\ufffdc\ufffd\U0001f600")
    assert found.name == "A\ufffd"
    assert rb"a\u0000b\ud800c\udc00\ud83d\ude00" in found.raw


def test_backslash_before_u0000_is_text() -> None:
    found = inbound(text("a\\u0000b"))
    assert found.content == Text("a\\u0000b")


def test_bytes_that_are_no_utf8_cost_only_themselves() -> None:
    found = only(notification({"messages": [text("caf#")]}).replace(b"caf#", b"caf\xe9"))
    assert isinstance(found, Inbound)
    assert found.content == Text("caf\ufffd")


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("1749416383", 1749416383000),
        (1749416383, 1749416383000),
        ("-5", 0),
        ("", 0),
        ("soon", 0),
        (True, 0),
        ("1749416383000", 1749416383000),
        ("9" * 30, 4_102_444_800_000),
        (None, 0),
    ],
)
def test_times_stay_within_bounds(written: object, at: int) -> None:
    assert inbound(text(timestamp=written)).at == at
    report = only(notification({"statuses": [status(timestamp=written)]}))
    assert isinstance(report, Receipt)
    assert report.at == at


def test_raw_form_is_what_came() -> None:
    written = escaped(text("Grüße / 😀"))
    found = only(notification({"contacts": [contact()], "messages": [text("Grüße / 😀")]}))
    assert isinstance(found, Inbound)
    assert found.raw.endswith(b'"message":' + written + b"}")
    assert json.loads(found.raw)["contact"] == contact()
