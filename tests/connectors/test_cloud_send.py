"""Content → request, answer → outcome. Contract §7 and §9."""

import json
from typing import Any

import msgspec
import pytest

from app.connectors.base import Address, Outbound, Problem, Scope, SendFailed, Sent
from app.connectors.posting import NoAnswer, NotSent
from app.connectors.whatsapp_cloud import limits
from app.connectors.whatsapp_cloud.outbound import FORMS
from app.connectors.whatsapp_cloud.session import CloudSession
from app.content import (
    Ask,
    Audio,
    Buttons,
    Card,
    Choice,
    ChoiceList,
    Contacts,
    Content,
    Delete,
    Document,
    Flow,
    Image,
    Link,
    Location,
    Note,
    Reaction,
    Section,
    Sticker,
    Template,
    Text,
    Video,
)
from tests.connectors.cloud import ACCOUNT, ANNA, ANNA_ID, channel

TO_ANNA = Address(phone=ANNA, wa_id=ANNA, user_id=ANNA_ID)
ACCEPTED = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "+1", "wa_id": ANNA}],
    "messages": [{"id": "wamid.1"}],
}


class Wire:
    """Stands where the network is: keeps what was posted and answers as told."""

    def __init__(self, status: int = 200, answer: bytes | Exception | None = None) -> None:
        self.posted: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.status = status
        self.answer = json.dumps(ACCEPTED).encode() if answer is None else answer

    async def post(self, url: str, body: bytes, headers: Any) -> tuple[int, bytes]:
        self.posted.append((url, json.loads(body), dict(headers)))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.status, self.answer

    async def close(self) -> None:
        pass


async def posted(content: Content, *, to: Address = TO_ANNA, reply_to: str = "") -> dict[str, Any]:
    wire = Wire()
    await CloudSession(channel(), wire).send(Outbound("p.42", to, content, reply_to))
    return wire.posted[0][1]


async def payload(content: Content) -> Any:
    """What lies under the type's own key; the content is within the limits, too."""
    assert limits.check(content) is None
    body = await posted(content)
    return body[body["type"]]


async def failed(status: int = 200, answer: bytes | Exception | None = None, to: Address = TO_ANNA) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        await CloudSession(channel(), Wire(status, answer)).send(Outbound("p.42", to, Text("Hi")))
    return caught.value


def graph_error(code: int, **members: Any) -> bytes:
    error = {"message": f"(#{code}) Words", "type": "OAuthException", "code": code, "fbtrace_id": "x"} | members
    return json.dumps({"error": error}).encode()


# ---- the request -----------------------------------------------------------------------------------------------------


async def test_text_goes_to_the_number_with_our_mark() -> None:
    wire = Wire()
    sent = await CloudSession(channel(), wire).send(Outbound("p.42", TO_ANNA, Text("Grüße 😀")))
    url, body, headers = wire.posted[0]
    assert url == f"http://127.0.0.1:1/v25.0/{ACCOUNT}/messages"
    assert headers == {"authorization": "Bearer EAAfakeToken0001", "content-type": "application/json"}
    assert body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": f"+{ANNA}",
        "type": "text",
        "text": {"body": "Grüße 😀"},
        "biz_opaque_callback_data": "p.42",
    }
    assert sent == Sent("wamid.1", Address(wa_id=ANNA))


async def test_P10_user_id_goes_into_recipient_and_never_into_to() -> None:
    body = await posted(Text("Hi"), to=Address(user_id=ANNA_ID))
    assert body["recipient"] == ANNA_ID
    assert "to" not in body
    parent = await posted(Text("Hi"), to=Address(parent_user_id="US.ENT.1"))
    assert parent["recipient"] == "US.ENT.1"


async def test_whatsapp_id_is_preferred_to_the_dialled_number() -> None:
    body = await posted(Text("Hi"), to=Address(phone="5511987654321", wa_id="551187654321", user_id="BR.1"))
    assert body["to"] == "+551187654321"
    assert "recipient" not in body


async def test_reply_quotes_but_a_reaction_cannot() -> None:
    assert (await posted(Text("Hi"), reply_to="wamid.IN"))["context"] == {"message_id": "wamid.IN"}
    assert "context" not in await posted(Reaction("wamid.IN", "👍"), reply_to="wamid.IN")


async def test_files_by_id_and_by_address() -> None:
    assert await payload(Image(provider_id="9", caption="Look")) == {"id": "9", "caption": "Look"}
    assert await payload(Video(url="https://x.org/v.mp4")) == {"link": "https://x.org/v.mp4"}
    assert await payload(Image(provider_id="9", url="https://x.org/a.png")) == {"id": "9"}
    assert await payload(Audio(provider_id="9", voice=True)) == {"id": "9", "voice": True}
    assert await payload(Document(provider_id="9", filename="a.pdf")) == {"id": "9", "filename": "a.pdf"}
    assert await payload(Sticker(provider_id="9")) == {"id": "9"}


async def test_text_with_preview_location_and_reaction() -> None:
    assert await payload(Text("https://x.org", preview=True)) == {"body": "https://x.org", "preview_url": True}
    assert await payload(Location(52.5, 13.4, name="Office")) == {"latitude": 52.5, "longitude": 13.4, "name": "Office"}
    assert await payload(Reaction("wamid.IN", "👍")) == {"message_id": "wamid.IN", "emoji": "👍"}
    assert await payload(Reaction("wamid.IN")) == {"message_id": "wamid.IN", "emoji": ""}


async def test_contact_cards() -> None:
    card = Card("Ben Stone", phones=(("+1 650", "CELL"),), emails=(("b@x.org", ""),), more={"org": {"company": "X"}})
    assert await payload(Contacts((card,))) == [
        {
            "name": {"formatted_name": "Ben Stone", "first_name": "Ben", "last_name": "Stone"},
            "org": {"company": "X"},
            "phones": [{"phone": "+1 650", "type": "CELL"}],
            "emails": [{"email": "b@x.org"}],
        }
    ]


async def test_buttons_with_header_and_footer() -> None:
    choices = (Choice("y", "Yes"), Choice("n", "No"))
    assert await payload(Buttons("Sure?", choices, header="Order", footer="Shop")) == {
        "type": "button",
        "header": {"type": "text", "text": "Order"},
        "body": {"text": "Sure?"},
        "footer": {"text": "Shop"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": "y", "title": "Yes"}},
                {"type": "reply", "reply": {"id": "n", "title": "No"}},
            ]
        },
    }
    with_file = await payload(Buttons("Sure?", choices, header=Image(provider_id="9")))
    assert with_file["header"] == {"type": "image", "image": {"id": "9"}}


async def test_list() -> None:
    sections = (Section((Choice("a", "A", "First"),), "One"), Section((Choice("b", "B"),), "Two"))
    assert await payload(ChoiceList("Pick", "Menu", sections)) == {
        "type": "list",
        "body": {"text": "Pick"},
        "action": {
            "button": "Menu",
            "sections": [
                {"title": "One", "rows": [{"id": "a", "title": "A", "description": "First"}]},
                {"title": "Two", "rows": [{"id": "b", "title": "B"}]},
            ],
        },
    }


async def test_link_form_and_requests() -> None:
    assert await payload(Link("See", "Open", "https://x.org")) == {
        "type": "cta_url",
        "body": {"text": "See"},
        "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://x.org"}},
    }
    form = await payload(Flow("Fill", {"flow_id": "1", "flow_cta": "Go", "flow_token": "t"}))
    assert form["action"]["name"] == "flow"
    assert form["action"]["parameters"]["flow_message_version"] == "3"
    where = await payload(Ask("Where?", "location"))
    assert (where["type"], where["action"]) == ("location_request_message", {"name": "send_location"})
    who = await payload(Ask("Your number?", "contact_info"))
    assert (who["type"], who["action"]) == ("request_contact_info", {"name": "request_contact_info"})


async def test_template() -> None:
    component = {"type": "body", "parameters": [{"type": "text", "text": "Anna"}]}
    assert await payload(Template("hello_world", "en_US", (component,))) == {
        "name": "hello_world",
        "language": {"code": "en_US"},
        "components": [component],
    }
    assert await payload(Template("hello_world", "en_US")) == {"name": "hello_world", "language": {"code": "en_US"}}


def test_every_content_that_has_a_form_has_limits() -> None:
    assert set(limits.RULES) == set(FORMS) | {Text}


async def test_mark_as_read_with_and_without_typing() -> None:
    wire = Wire(answer=b'{"success":true}')
    session = CloudSession(channel(), wire)
    await session.mark_read("wamid.IN", typing=False)
    await session.mark_read("wamid.IN", typing=True)
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.IN"}
    assert [body for _, body, _ in wire.posted] == [read, read | {"typing_indicator": {"type": "text"}}]


# ---- what became of it -----------------------------------------------------------------------------------------------


async def test_nobody_to_send_to_and_no_form_fail_for_certain_before_anything_is_sent() -> None:
    wire = Wire()
    session = CloudSession(channel(), wire)
    for outbound in (Outbound("o", Address(username="anna"), Text("Hi")), Outbound("o", TO_ANNA, Delete("wamid.1"))):
        with pytest.raises(SendFailed) as caught:
            await session.send(outbound)
        assert caught.value.certain and not caught.value.temporary
    assert wire.posted == []


async def test_P18_not_sent_is_certain_and_worth_another_try() -> None:
    failure = await failed(answer=NotSent("refused"))
    assert (failure.certain, failure.temporary, failure.problem.code) == (True, True, "send.unreachable")


async def test_P18_no_answer_is_not_certain() -> None:
    failure = await failed(answer=NoAnswer("reset"))
    assert (failure.certain, failure.problem.code) == (False, "send.no_answer")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{",
        b"<html>",
        b"{}",
        b"[]",
        b'{"messages":[]}',
        b'{"messages":[{}]}',
        b'{"messages":[{"id":""}]}',
        b"\xff",
    ],
)
async def test_P18_success_without_an_id_is_not_certain(answer: bytes) -> None:
    failure = await failed(200, answer)
    assert not failure.certain


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_P18_server_error_without_graphs_json_is_not_certain(status: int) -> None:
    for answer in (b"<html>Bad gateway</html>", b"", b"{}", b'{"error":"words"}'):
        assert not (await failed(status, answer)).certain


async def test_P18_server_error_with_graphs_json_is_certain() -> None:
    failure = await failed(500, graph_error(131000))
    assert (failure.certain, failure.temporary) == (True, True)


@pytest.mark.parametrize(
    ("status", "temporary", "halt"),
    [
        (400, False, False),
        (404, False, False),
        (401, True, True),
        (403, True, True),
        (429, True, False),
        (307, False, False),
    ],
)
async def test_other_answers_without_a_readable_body_go_by_their_status(
    status: int, temporary: bool, halt: bool
) -> None:
    failure = await failed(status, b"<html>")
    assert (failure.certain, failure.temporary, failure.halt) == (True, temporary, halt)


@pytest.mark.parametrize(
    ("code", "status", "temporary", "scope", "halt"),
    [
        (131000, 500, True, Scope.MESSAGE, False),
        (130429, 400, True, Scope.CHANNEL, False),
        (131056, 400, True, Scope.PAIR, False),
        (131048, 400, True, Scope.CHANNEL, False),
        (131047, 400, False, Scope.MESSAGE, False),
        (190, 401, True, Scope.CHANNEL, True),
        (10, 403, True, Scope.CHANNEL, True),
        (210, 403, True, Scope.CHANNEL, True),
        (131031, 403, True, Scope.CHANNEL, True),
        (131042, 400, True, Scope.CHANNEL, True),
        (133010, 400, True, Scope.CHANNEL, True),
        (132001, 404, False, Scope.MESSAGE, False),
        (131026, 400, False, Scope.MESSAGE, False),
        (100, 400, False, Scope.MESSAGE, False),
        (999_001, 400, False, Scope.MESSAGE, False),
        (999_001, 500, True, Scope.MESSAGE, False),
        (999_001, 429, True, Scope.CHANNEL, False),
        (999_001, 401, True, Scope.CHANNEL, True),
    ],
)
async def test_codes_of_the_contract(code: int, status: int, temporary: bool, scope: Scope, halt: bool) -> None:
    failure = await failed(status, graph_error(code, error_data={"details": "Why"}))
    assert failure.certain
    assert (failure.temporary, failure.scope, failure.halt) == (temporary, scope, halt)
    assert failure.problem == Problem(str(code), f"(#{code}) Words", "Why")


async def test_unknown_code_that_meta_calls_transient_is_tried_again() -> None:
    assert (await failed(400, graph_error(999_001, is_transient=True))).temporary


async def test_waits_that_the_contract_names() -> None:
    assert (await failed(400, graph_error(133015))).retry_after == 300
    assert (await failed(400, graph_error(131056))).retry_after is None


async def test_error_data_may_be_a_text() -> None:
    assert (await failed(400, graph_error(132012, error_data="Wrong format"))).problem.detail == "Wrong format"


async def test_closed_session_sends_nothing() -> None:
    wire = Wire()
    session = CloudSession(channel(), wire)
    await session.close()
    with pytest.raises(SendFailed) as caught:
        await session.send(Outbound("o", TO_ANNA, Text("Hi")))
    assert (caught.value.certain, caught.value.temporary, wire.posted) == (True, True, [])


# ---- limits ----------------------------------------------------------------------------------------------------------


def choices(count: int) -> tuple[Choice, ...]:
    return tuple(Choice(f"id{n}", f"Title {n}") for n in range(count))


FITS: list[Content] = [
    Text("x" * 4096),
    Image(provider_id="1", caption="x" * 1024, mime="image/png", size=5 * limits.MB),
    Buttons("x" * 1024, choices(3), header="x" * 60, footer="x" * 60),
    Buttons("x", (Choice("x" * 256, "x" * 20),)),
    ChoiceList("x" * 4096, "x" * 20, (Section(choices(10)),)),
    ChoiceList("x", "Menu", (Section((Choice("x" * 200, "x" * 24, "x" * 72),), "x" * 24),)),
    Ask("x" * 1024, "location"),
    Template("order_1", "pt_BR"),
    Reaction("wamid.1", ""),
    Audio(provider_id="1", mime="audio/ogg; codecs=opus", voice=True),
]
BREAKS: list[tuple[Content, str]] = [
    (Text(""), "text"),
    (Text(" \n"), "text"),
    (Text("x" * 4097), "text"),
    (Image(), "file"),
    (Image(url="ftp://x.org/a"), "address"),
    (Image(url="https:///a"), "address"),
    (Image(provider_id="1", caption="x" * 1025), "caption"),
    (Image(provider_id="1", mime="image/tiff"), "image/tiff"),
    (Image(provider_id="1", mime="image/png", size=5 * limits.MB + 1), "bytes"),
    (Sticker(provider_id="1", mime="image/webp", size=200 * 1024), "bytes"),
    (Audio(provider_id="1", caption="Hm"), "caption"),
    (Audio(provider_id="1", mime="audio/mpeg", voice=True), "voice"),
    (Location(91, 0), "latitude"),
    (Location(0, float("nan")), "longitude"),
    (Contacts(()), "contact cards"),
    (Contacts((Card(""),)), "name"),
    (Reaction(""), "react"),
    (Buttons("x", ()), "buttons"),
    (Buttons("x", choices(4)), "buttons"),
    (Buttons("", choices(1)), "text"),
    (Buttons("x" * 1025, choices(1)), "text"),
    (Buttons("x", (Choice("a", "x" * 21),)), "title of a button"),
    (Buttons("x", (Choice("x" * 257, "A"),)), "id of a button"),
    (Buttons("x", (Choice(" a", "A"),)), "space"),
    (Buttons("x", (Choice("a", "A"), Choice("b", "A"))), "twice"),
    (Buttons("x", (Choice("a", "A"), Choice("a", "B"))), "twice"),
    (Buttons("x", choices(1), header="x" * 61), "header"),
    (Buttons("x", choices(1), header=Image()), "header"),
    (Buttons("x", choices(1), footer="x" * 61), "footer"),
    (ChoiceList("x" * 4097, "Menu", (Section(choices(1)),)), "text"),
    (ChoiceList("x", "", (Section(choices(1)),)), "label"),
    (ChoiceList("x", "x" * 21, (Section(choices(1)),)), "label"),
    (ChoiceList("x", "Menu", ()), "sections"),
    (ChoiceList("x", "Menu", (Section(choices(11)),)), "rows"),
    (ChoiceList("x", "Menu", (Section(choices(1)), Section(choices(1)))), "title of a section"),
    (ChoiceList("x", "Menu", (Section((Choice("a", "x" * 25),)),)), "title of a row"),
    (ChoiceList("x", "Menu", (Section((Choice("x" * 201, "A"),)),)), "id of a row"),
    (ChoiceList("x", "Menu", (Section((Choice("a", "A", "x" * 73),)),)), "description"),
    (ChoiceList("x", "Menu", (Section((Choice("a", "A"), Choice("a", "B"))),)), "twice"),
    (Link("x", "x" * 21, "https://x.org"), "label"),
    (Link("x", "Open", "x.org"), "address"),
    (Flow("x", {"flow_cta": "Go"}), "flow_id"),
    (Flow("x", {"flow_id": "1"}), "flow_cta"),
    (Ask("x", "shoe_size"), "shoe_size"),
    (Template("Order", "en"), "name of the template"),
    (Template("order", "english"), "language"),
    (Template("order", "en", ({"type": "body", "parameters": [{"type": "text", "text": "a\nb"}]},)), "line break"),
    (Note("x"), "kind"),
]


@pytest.mark.parametrize("content", FITS, ids=lambda content: type(content).__name__)
def test_content_at_the_limit_passes(content: Content) -> None:
    assert limits.check(content) is None


@pytest.mark.parametrize(("content", "named"), BREAKS, ids=lambda part: part if isinstance(part, str) else "")
def test_content_over_a_limit_is_refused_with_the_field_named(content: Content, named: str) -> None:
    problem = limits.check(content)
    assert problem is not None
    assert named in problem.title
    assert str(problem.title).endswith(".")


def test_capabilities_agree_with_the_limits() -> None:
    """The composer and the bot read the capabilities; what they allow passes, one more does not."""
    able = limits.CAPABILITIES
    assert limits.check(Text("x" * able.text)) is None
    assert limits.check(Text("x" * (able.text + 1)))
    assert limits.check(Buttons("x" * able.button_text, choices(able.buttons))) is None
    assert limits.check(Buttons("x", choices(able.buttons + 1)))
    rows = msgspec.structs.replace(Section(()), choices=choices(able.list_rows))
    assert limits.check(ChoiceList("x" * able.list_text, "x" * able.list_label, (rows,))) is None
