"""Sending over the API, what became of a message, and who has a conversation."""

import asyncio
import json
from typing import Any

import pytest

from app import search
from app.db import Query, Statement, Tx
from tests.api.conftest import Program

pytestmark = pytest.mark.anyio
MESSAGES = "/api/v1/messages"
TO = {"channel": "Shop", "to": "+5511999990000"}
COUNT = Query("select count(*) from outbox", int)
PLACES = Query("select conversation_id, place from outbox order by place", lambda *row: row)


async def sent(api: Program, head: dict[str, str], **body: Any) -> dict[str, Any]:
    answer = await api.post(MESSAGES, json=TO | body, headers=head)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_message_is_queued_and_can_be_looked_at(api: Program) -> None:
    head = await api.key("read", "send")
    told = await sent(api, head, text="Hi")
    assert told["status"] == "queued"
    shown = (await api.get(f"{MESSAGES}/{told['id']}", headers=head)).json()
    assert shown["content"] == {"kind": "text", "text": "Hi"} and shown["author"] == "program"
    assert shown["direction"] == "out" and shown["status"] == "queued" and shown["problem"] is None
    thread = (await api.get(f"/api/v1/conversations/{told['conversation_id']}/messages", headers=head)).json()
    assert [each["id"] for each in thread["items"]] == [told["id"]] and thread["next_cursor"] is None


async def test_the_same_person_keeps_one_conversation(api: Program) -> None:
    head = await api.key("send")
    first = await sent(api, head, text="one")
    for to in ("+55 (11) 99999-0000", "5511999990000", first["contact_id"]):
        assert (await sent(api, head, to=to, text="more"))["conversation_id"] == first["conversation_id"]
    other = await sent(api, head, to={"user_id": "BR.123"}, text="hello")
    assert other["conversation_id"] != first["conversation_id"]


async def test_sends_that_come_at_once_leave_what_each_alone_does(api: Program) -> None:
    """They are written together: to somebody known, to strangers, twice to one, twice the same, and some refused."""
    head = await api.key("read", "send")
    known = [await sent(api, head, to=f"+55119999900{n:02}", text="before") for n in range(4)]
    await api.rt.db.write(_heard, known[3]["conversation_id"])
    once = head | {"Idempotency-Key": "the order"}
    posts: list[tuple[dict[str, str], dict[str, Any]]] = [
        *((head, {"to": f"+55119999900{n:02}"}) for n in (0, 1, 2)),
        (head, {"to": "+5511999990000", "text": "another"}),
        (head, {"to": known[1]["contact_id"]}),
        (head, {"to": "+5511999990077"}),
        (once, {"to": "+5511999990002", "text": "order"}),
        (once, {"to": "+5511999990002", "text": "order"}),
        (once, {"to": "+5511999990002", "text": "another order"}),
        (head, {"to": "+5511999990003"}),
        (head, {"to": "1" + "0" * 16}),
    ]
    answers = await asyncio.gather(*(api.post(MESSAGES, json=TO | {"text": "hi"} | b, headers=h) for h, b in posts))
    assert [each.status_code for each in answers[:8]] == [202] * 8
    codes = [each.json()["error"]["code"] for each in answers[8:]]
    assert codes == ["key_reused", "window_closed", "not_found"]
    assert answers[6].json() == answers[7].json()
    assert [answers[n].json()["conversation_id"] for n in (0, 1, 2)] == [each["conversation_id"] for each in known[:3]]
    places = await api.rt.db.reader.all(PLACES)
    counts = [[place for owner, place in places if str(owner) == each["conversation_id"]] for each in known]
    assert counts == [[1, 2, 3], [1, 2, 3], [1, 2, 3], [1]]


def _heard(tx: Tx, conversation_id: str) -> None:
    """Two days ago."""
    sql = "update conversation set heard_at = :at where id = :id"
    tx.run(Statement(sql), id=int(conversation_id), at=tx.now - 172_800_000)


KINDS: list[dict[str, Any]] = [
    {"image": {"url": "https://shop.example/cake.jpg", "caption": "Cake"}},
    {"document": {"media_id": "123", "filename": "menu.pdf"}},
    {"buttons": {"text": "Pick", "choices": [{"title": "Bread"}, {"title": "Cake", "id": "cake"}]}},
    {"list": {"text": "Pick", "label": "Open", "sections": [{"choices": [{"title": "Bread"}]}]}},
    {"location": {"latitude": -23.56, "longitude": -46.65, "name": "Shop"}},
    {"contacts": [{"name": "Rosa", "phones": ["+551144556677"]}]},
    {"reaction": {"target": "wamid.X", "emoji": "👍"}},
    {"template": {"name": "hello_world", "language": "en_US"}},
]


async def test_every_kind_is_taken(api: Program) -> None:
    head = await api.key("read", "send")
    for part in KINDS:
        told = await sent(api, head, **part)
        shown = (await api.get(f"{MESSAGES}/{told['id']}", headers=head)).json()
        assert shown["content"]["kind"] == next(iter(part))


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("nothing", {}, "text"),
    ("two things", {"text": "a", "image": {"url": "https://x.example/a.jpg"}}, "text"),
    ("no number", {"to": "abc", "text": "a"}, "to"),
    ("a number as a number", {"to": 5511, "text": "a"}, "to"),
    ("a file of two places", {"image": {"url": "https://x.example/a", "media_id": "1"}}, "image.url"),
    ("an unknown field", {"text": "a", "nonsense": 1}, ""),
    ("too many buttons", {"buttons": {"text": "a", "choices": [{"title": "x"}] * 31}}, "buttons.choices"),
    ("four buttons", {"buttons": {"text": "a", "choices": [{"title": "x"}] * 4}}, "content"),
    ("a longitude off the earth", {"location": {"latitude": 1, "longitude": 181}}, "location.longitude"),
]  # fmt: skip


async def test_what_cannot_be_sent_is_refused_by_its_field(api: Program) -> None:
    head = await api.key("send")
    for what, body, field in WRONG:
        answer = await api.post(MESSAGES, json=TO | body, headers=head)
        error = answer.json()["error"]
        assert answer.status_code == 422 and error["code"] == "invalid" and error["message"], what
        assert not field or field in error["fields"], (what, error)
        assert await api.rt.db.reader.one(COUNT) == 0, what


async def test_unknown_channels_and_contacts_are_not_found(api: Program) -> None:
    head = await api.key("send")
    for body in ({"channel": "Nowhere"}, {"channel": "²"}, {"to": "9100000000000000000"}):
        answer = await api.post(MESSAGES, json={**TO, "text": "a", **body}, headers=head)
        assert answer.status_code == 404, answer.text


async def test_with_a_key_of_its_own_a_request_is_done_once(api: Program) -> None:
    head = await api.key("send") | {"Idempotency-Key": "order-17"}
    first = await api.post(MESSAGES, json=TO | {"text": "Hi"}, headers=head)
    second = await api.post(MESSAGES, json=TO | {"text": "Hi"}, headers=head)
    assert first.status_code == second.status_code == 202 and first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true" and "idempotent-replayed" not in first.headers
    assert await api.rt.db.reader.one(COUNT) == 1
    other = await api.post(MESSAGES, json=TO | {"text": "Bye"}, headers=head)
    assert other.status_code == 422 and other.json()["error"]["code"] == "key_reused"
    strangers = await api.post(
        MESSAGES, json=TO | {"text": "Bye"}, headers=await api.key("send") | {"Idempotency-Key": "order-17"}
    )
    assert strangers.status_code == 202


# Nearly a megabyte of names, one of them twice: found in a moment, not in the square of their number.
MANY = b"{" + b",".join(b'"%d": 1' % number for number in [*range(70_000), 69_999]) + b"}"


ODD = [
    (b"{", 400),
    (b'{"a": NaN}', 400),
    (b'{"a": 1, "a": 2}', 400),
    (b"[" * 100_000, 400),
    (b'{"a": ' + b"9" * 5000 + b"}", 400),
    (b'{"a": 9999999999999999999}', 422),
    (b'{"a": 1e999}', 422),
    (MANY, 400),
    (b"\xff\xfe", 400),
    (b'{"a": "\\u0000"}', 400),
    (b'{"a": "\\ud800"}', 400),
    (b'{"a": "\\\\u0000 \\ud83d\\ude00"}', 422),
    (b"[]", 422),
    (b"null", 422),
    (b"", 400),
]


async def test_json_that_two_readers_would_take_differently_is_refused(api: Program) -> None:
    head = await api.key("send") | {"Content-Type": "application/json"}
    for body, status in ODD:
        answer = await api.post(MESSAGES, content=body, headers=head)
        assert answer.status_code == status and answer.json()["error"]["message"], body[:40]


async def test_another_kind_of_body_is_refused(api: Program) -> None:
    answer = await api.post(MESSAGES, data={"a": "b"}, headers=await api.key("send"))
    assert answer.status_code == 415


async def test_a_conversation_is_taken_given_back_and_closed(api: Program) -> None:
    key = await api.key("read", "send")
    told = await sent(api, key, text="Hi")
    place = f"/api/v1/conversations/{told['conversation_id']}"
    assert (await api.post(f"{place}/take", headers=key)).json()["error"]["code"] == "nobody"
    person = api.bearing((await api.log_in())["access_token"])
    assert (await api.post(f"{place}/take", headers=person)).json()["mode"] == "person"
    assert (await api.post(f"{place}/give-back", headers=person)).json()["mode"] == "bot"
    assert (await api.post(f"{place}/close", headers=person)).json()["closed_at"] is not None
    assert (await api.post("/api/v1/conversations/17/close", headers=person)).status_code == 404


async def test_lists_page_by_key_and_miss_nothing(api: Program) -> None:
    head = await api.key("read", "send")
    ids = [(await sent(api, head, to=f"+55119{n:08d}", text="Hi"))["conversation_id"] for n in range(7)]
    seen, cursor = [], ""
    while True:
        answer = (await api.get(f"/api/v1/conversations?limit=3&cursor={cursor}", headers=head)).json()
        seen += [each["id"] for each in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(ids) and len(seen) == 7
    for wrong in ("limit=0", "limit=x", "cursor=abc", "nonsense=1", "limit=1&limit=2"):
        answer = await api.get(f"/api/v1/conversations?{wrong}", headers=head)
        assert answer.status_code in (400, 422), wrong


async def test_an_unchanged_thing_is_not_sent_again(api: Program) -> None:
    head = await api.key("read", "send")
    told = await sent(api, head, text="Hi")
    place = f"{MESSAGES}/{told['id']}"
    first = await api.get(place, headers=head)
    again = await api.get(place, headers=head | {"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content


async def test_a_channel_s_secrets_never_come_out(api: Program) -> None:
    head = await api.key("read", "manage")
    values = {"phone_number_id": "99", "access_token": "EAAsecret", "app_secret": "hush", "verify_token": "vvv"}
    body = {"kind": "whatsapp_cloud", "name": "Second", "values": values}
    made = await api.post("/api/v1/channels", json=body, headers=head)
    assert made.status_code == 201 and made.json()["secrets"] == ["access_token", "app_secret", "verify_token"]
    assert "EAAsecret" not in made.text and "hush" not in made.text
    place = f"/api/v1/channels/{made.json()['id']}"
    changed = await api.patch(place, json={"name": "Third", "rate": 5}, headers=head)
    assert changed.json()["name"] == "Third" and changed.json()["rate"] == 5
    assert (await api.delete(place, headers=head)).status_code == 204
    assert (await api.get(place, headers=head)).status_code == 404


async def test_the_openapi_document_names_every_endpoint(api: Program) -> None:
    document = (await api.get("/api/v1/openapi.json")).json()
    assert document["openapi"] == "3.1.0" and "/api/v1/messages/{id}" in document["paths"]
    names = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(names) == len(set(names))
    page = await api.get("/api/docs")
    assert page.status_code == 200 and all(name in page.text for name in names)
    assert json.dumps(document).count('"$ref": "#/components/schemas/') > 10


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/conversations?contact=9999999999999999999",
        "/api/v1/conversations?cursor=9999999999999999999.1",
        "/api/v1/contacts?cursor=9999999999999999999",
    ],
)
async def test_an_id_that_no_database_can_hold_is_refused(api: Program, path: str) -> None:
    answer = await api.get(path, headers=await api.key("read"))
    assert answer.status_code == 422, answer.text


async def test_messages_are_searched_by_page_and_filter(api: Program) -> None:
    head = await api.key("read", "send")
    for number in range(5):
        told = await sent(api, head, text=f"Your crème brûlée {number} is ready")
    await search.keep(api.rt.db)
    first = (await api.get(MESSAGES, params={"q": "BRULEE read", "limit": 3}, headers=head)).json()
    then = (await api.get(MESSAGES, params={"q": "brulee", "cursor": first["next_cursor"]}, headers=head)).json()
    texts = [each["message"]["content"]["text"] for each in first["items"] + then["items"]]
    assert [text.split()[3] for text in texts] == list("43210") and then["next_cursor"] is None
    hit = first["items"][0]
    assert hit["message"]["id"] == told["id"] and hit["contact_id"] == told["contact_id"]
    assert [piece["text"] for piece in hit["excerpt"] if piece["hit"]] == ["brûlée", "ready"]
    for more, count in ({"author": "program"}, 5), ({"author": "bot"}, 0), ({"contact": told["contact_id"]}, 5):
        found = await api.get(MESSAGES, params={"q": "brulee", **more}, headers=head)
        assert len(found.json()["items"]) == count
    refused = await api.get(MESSAGES, params={"q": "🎂"}, headers=head)
    assert refused.status_code == 422 and "Type a word" in refused.json()["error"]["message"]
    assert (await api.get(MESSAGES, params={"q": "x"}, headers=await api.key("send"))).status_code == 403
