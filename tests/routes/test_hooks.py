"""Webhooks from outside: signature first, on disk before the answer, nothing lost, nothing that is not ours
answered."""

import asyncio
import itertools
import json
import random
import string
from collections.abc import AsyncIterator

import httpx
import pytest

from app import connecting, housekeeping
from app.channels import Live
from app.routes.hooks import Hooks
from app.runtime import Runtime
from tests.clock import ManualClock
from tests.databases import chosen
from tests.samples import bodies, needs_samples
from tests.shop import NUMBER, SECRET, network, notification, open_shop, rows, signed, text_message

SAMPLES = bodies("cloud")
KEPT = """
select (select count(*) from message), (select count(*) from receipt), (select count(*) from raw_update),
       (select count(*) from quarantine)
"""


class Meta:
    """Meta's side of the webhook."""

    def __init__(self, client: httpx.AsyncClient, live: Live) -> None:
        self.client = client
        self.live = live
        self.path = f"/hooks/whatsapp/{live.row.key}"

    async def post(self, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        return await self.client.post(self.path, content=body, headers=signed(body) if headers is None else headers)


async def nobody(scope: object, receive: object, send: object) -> None:
    raise AssertionError("a webhook never reaches the dashboard")


class Posted(httpx.ASGITransport):
    """The server's other way: what `Hooks` takes whole is given to it by a call."""

    def __init__(self, hooks: Hooks) -> None:
        super().__init__(hooks)
        self.hooks, self.calls = hooks, 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url, body = request.url.raw_path, request.content if hasattr(request, "_content") else b""
        if request.method != "POST" or not 0 < len(body) <= 65_536 or not self.hooks.takes(url):
            return await super().handle_async_request(request)
        self.calls += 1
        told: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()
        headers = [(name.lower(), value) for name, value in request.headers.raw]

        def answer(status: int, more: list[tuple[bytes, bytes]], said: bytes) -> None:
            told.set_result(httpx.Response(status, headers=more, content=said))

        self.hooks.post(url, "127.0.0.1", headers, body, answer)
        return await told


@pytest.fixture(params=["asgi", "whole"])
async def meta(rt: Runtime, request: pytest.FixtureRequest) -> AsyncIterator[Meta]:
    live = await open_shop(rt)
    if request.param == "whole":
        await rt.channels.heard(live)

    hooks = Hooks(rt, nobody)
    transport = Posted(hooks) if request.param == "whole" else httpx.ASGITransport(hooks)
    async with httpx.AsyncClient(transport=transport, base_url="http://any.host") as client:
        yield Meta(client, live)


# What is no POST, comes in pieces or is over 64 KB has no other way.
ONE_WAY = pytest.mark.parametrize("meta", ["asgi"], indirect=True)
# How a body comes has nothing to do with where it is kept: what takes long sees each way and each database once.
LONG = pytest.mark.parametrize(
    ("database_url", "meta"),
    [pair for pair in (("sqlite", "asgi"), ("sqlite", "whole"), ("postgres", "whole")) if pair[0] in chosen()],
    indirect=True,
)


async def test_P1_a_signed_notification_is_on_disk_when_it_is_answered(rt: Runtime, meta: Meta) -> None:
    answer = await meta.post(notification(text_message(rt, "hi", wamid="wamid.1")))
    assert answer.status_code == 200
    assert await rows(rt, "select text from message where provider_id = 'wamid.1'") == [("hi",)]
    way = meta.client._transport
    assert not isinstance(way, Posted) or way.calls == 1


async def test_what_the_database_cannot_take_is_to_come_again(rt: Runtime, meta: Meta) -> None:
    rt.begin_stop()
    await rt.db.stop()
    answer = await meta.post(notification(text_message(rt, "hi")))
    assert answer.status_code == 503 and answer.headers["retry-after"] == "5"


async def test_a_channel_is_heard_once_and_then_its_notifications_are_taken_whole(rt: Runtime, meta: Meta) -> None:
    hooks = Hooks(rt, nobody)
    path = meta.path.encode()
    assert hooks.takes(path) == (meta.live.row.heard_at is not None)
    await meta.post(notification(text_message(rt, "hi")))
    assert await rows(rt, "select count(*) from channel where heard_at is not null") == [(1,)]
    assert hooks.takes(path)
    for other in (path + b"x", path + b"?a=b", path.replace(b"whatsapp", b"telegram"), b"/", b"/hooks/", b"/login"):
        assert not hooks.takes(other)


WRONG: list[dict[str, str]] = [
    {},
    {"X-Hub-Signature-256": "sha256=" + "0" * 64},
    {"X-Hub-Signature-256": "sha256="},
    {"X-Hub-Signature": "sha1=" + "0" * 40},
]


async def test_P5_S25_without_the_right_signature_nothing_is_read(rt: Runtime, meta: Meta) -> None:
    for headers in WRONG:
        answer = await meta.post(notification(text_message(rt, "hi")), headers)
        assert answer.status_code == 403, headers
        assert await rows(rt, "select count(*) from message") == [(0,)], headers


async def test_S25_the_signature_is_of_the_bytes_not_of_the_json(rt: Runtime, meta: Meta) -> None:
    body = notification(text_message(rt, "caf\u00e9 / 🎂"))
    again = json.dumps(json.loads(body), ensure_ascii=False).encode()
    assert (await meta.post(again, signed(body))).status_code == 403
    escaped = body.replace(b"/", b"\\/")
    assert (await meta.post(escaped, signed(escaped))).status_code == 200
    assert await rows(rt, "select text from message where direction = 'in'") == [("caf\u00e9 / 🎂",)]


async def test_S25_unsigned_floods_are_limited_and_signed_ones_from_elsewhere_are_not(rt: Runtime, meta: Meta) -> None:
    answers = [(await meta.post(b"{}", {})).status_code for _ in range(32)]
    assert answers.count(403) == 30 and answers[-1] == 429


async def test_a_body_that_is_not_json_is_refused_and_an_odd_one_is_kept(rt: Runtime, meta: Meta) -> None:
    assert (await meta.post(b"not json")).status_code == 400
    assert (await meta.post(b'{"object":"page","entry":[{"changes":[{"field":"x","value":7}]}]}')).status_code == 200


@ONE_WAY
async def test_a_body_over_four_megabytes_is_refused(meta: Meta) -> None:
    assert (await meta.post(b" " * (4 * 1024 * 1024 + 1))).status_code == 413


async def test_P4_one_bad_update_does_not_take_its_neighbours_along(rt: Runtime, meta: Meta) -> None:
    messages = [text_message(rt, f"number {n}", who=str(1000 + n)) for n in range(50)]
    for place in (3, 17, 40):
        messages[place] = {"id": 5, "type": ["text"], "from": {"a": 1}}
    answer = await meta.post(notification(*messages))
    assert answer.status_code == 200
    assert await rows(rt, "select count(*) from message where direction = 'in'") == [(47,)]
    assert await rows(rt, "select count(*) from quarantine where reason = 'malformed'") == [(3,)]


@ONE_WAY
async def test_P4_a_thousand_updates_in_one_body_are_all_stored(rt: Runtime, meta: Meta) -> None:
    messages = [text_message(rt, "hi", who=str(10_000 + n)) for n in range(1000)]
    assert (await meta.post(notification(*messages))).status_code == 200
    assert await rows(rt, "select count(*) from message where direction = 'in'") == [(1000,)]


async def test_P3_concurrent_repeats_are_answered_200_and_stored_once(rt: Runtime, meta: Meta) -> None:
    body = notification(*(text_message(rt, "hi", who=str(n), wamid=f"wamid.{n}") for n in range(10)))
    answers = await asyncio.gather(*(meta.post(body) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert await rows(rt, "select count(*) from message where direction = 'in'") == [(10,)]
    assert await rows(rt, "select count(*) from message where direction = 'out'") == [(10,)]


async def test_an_unknown_number_is_kept_and_shown_but_not_answered(rt: Runtime, meta: Meta) -> None:
    assert (await meta.post(notification(text_message(rt, "hi"), number="999"))).status_code == 200
    assert await rows(rt, "select count(*) from message") == [(0,)]
    assert await rows(rt, "select reason from quarantine") == [("unknown_account",)]


async def test_another_channels_number_goes_there_if_its_secret_signed_it(rt: Runtime, meta: Meta) -> None:
    values = {"phone_number_id": "222", "access_token": "EAA", "verify_token": "v"}
    same = await connecting.add(rt.channels, "whatsapp_cloud", "Second", {**values, "app_secret": SECRET})
    await connecting.add(
        rt.channels, "whatsapp_cloud", "Third", {**values, "phone_number_id": "333", "app_secret": "other"}
    )
    await meta.post(notification(text_message(rt, "for the second"), number="222"))
    await meta.post(notification(text_message(rt, "for the third"), number="333"))
    assert await rows(rt, "select channel_id, text from message where direction = 'in'") == [(same, "for the second")]
    assert await rows(rt, "select reason from quarantine") == [("unknown_account",)]


async def test_statuses_find_their_message(rt: Runtime, meta: Meta) -> None:
    edge = network(meta.live)
    meta.live.sender.start()
    await meta.post(notification(text_message(rt, "hi")))
    while not await rows(rt, "select 1 from message where status = 'accepted'"):
        await asyncio.sleep(0.005)
    [(wamid,)] = await rows(rt, "select provider_id from message where direction = 'out'")
    status = {"id": wamid, "status": "delivered", "timestamp": "1790000000", "recipient_id": "16505551234"}
    await meta.post(notification(statuses=(status,)))
    assert await rows(rt, "select status from message where direction = 'out'") == [("delivered",)]
    assert len(edge.sent) == 1


@ONE_WAY
async def test_verification_echoes_the_challenge_for_the_right_token_only(rt: Runtime, meta: Meta) -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "plum"}
    answer = await meta.client.get(meta.path, params=query)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    for wrong in (
        {"hub.verify_token": "pear"},
        {"hub.mode": "x"},
        {"hub.challenge": "<script>"},
        {"hub.verify_token": ""},
    ):
        assert (await meta.client.get(meta.path, params=query | wrong)).status_code == 403
    assert (await rows(rt, "select verified_at from channel where account = :number", number=NUMBER))[0][0]


async def test_S25_what_is_signed_is_taken_from_whoever_shares_an_address_with_a_flood(rt: Runtime, meta: Meta) -> None:
    for _ in range(40):
        await meta.post(b"{}", {})
    assert (await meta.post(notification(text_message(rt, "hi")))).status_code == 200


@ONE_WAY
async def test_a_connection_lost_half_way_is_not_a_bad_signature(rt: Runtime, meta: Meta) -> None:
    hooks, said = Hooks(rt, meta), []
    for _ in range(40):
        parts = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

        async def receive(parts: object = parts) -> object:
            return next(parts)

        async def send(message: object) -> None:
            said.append(message)

        scope = {"type": "http", "method": "POST", "path": meta.path, "headers": [], "client": ("1.2.3.4", 1)}
        await hooks(scope, receive, send)
    assert said == [] and not hooks._bad


@ONE_WAY
async def test_a_channel_removed_while_a_body_arrives_takes_nothing_in(rt: Runtime, meta: Meta) -> None:
    body = notification(text_message(rt, "hi"))

    async def slowly() -> AsyncIterator[bytes]:
        yield body[:50]
        await connecting.remove(rt.channels, meta.live.row.id)
        yield body[50:]

    answer = await meta.client.post(meta.path, content=slowly(), headers=signed(body))
    assert answer.status_code == 404
    assert await rows(rt, "select count(*) from message") == [(0,)]


ODD = [
    "a\0b", "\ud83d", "\udc00x", "\uffff", "\ufeff", "\u202eab", "👨\u200d👩\u200d👧", "e\u0301",
    "Z\u0334\u0321" * 200, "x" * 70_000,
]  # fmt: skip


FIELDS = ("text", "id", "from", "from_user_id", "type", "name", "account", "context", "button")


@LONG
async def test_odd_text_in_any_field_is_answered_200_and_leaves_a_trace(rt: Runtime, meta: Meta) -> None:
    before = await rows(rt, KEPT)
    for number, (field, odd) in enumerate(itertools.product(FIELDS, ODD)):
        message = text_message(rt, "hi", who=f"1650555{number:04}")
        body = json.loads(notification(message))
        value = body["entry"][0]["changes"][0]["value"]
        heard = value["messages"][0]
        match field:
            case "text":
                heard["text"]["body"] = odd
            case "name":
                value["contacts"][0]["profile"]["name"] = odd
            case "account":
                value["metadata"]["phone_number_id"] = odd
            case "context":
                heard["context"] = {"id": odd, "from": odd}
            case "button":
                heard |= {"type": "button", "button": {"text": odd, "payload": odd}}
            case _:
                heard[field] = odd
        assert (await meta.post(json.dumps(body).encode())).status_code == 200, (field, odd[:20])
        now = await rows(rt, KEPT)
        assert now != before, (field, odd[:20])
        before = now


@LONG
async def test_odd_text_in_a_status_is_answered_200_and_leaves_a_trace(rt: Runtime, meta: Meta) -> None:
    for odd in ODD:
        for field in ("id", "status", "recipient_id", "biz_opaque_callback_data", "errors"):
            wamid = f"wamid.{field}.{ODD.index(odd)}"
            status = {"id": wamid, "status": "failed", "timestamp": "1790000000", "recipient_id": "1650"}
            status[field] = [{"code": 1, "title": odd, "message": odd}] if field == "errors" else odd
            before = await rows(rt, KEPT)
            assert (await meta.post(notification(statuses=(status,)))).status_code == 200, (field, odd[:20])
            assert await rows(rt, KEPT) != before, (field, odd[:20])


@LONG
async def test_ids_that_are_empty_or_endless_are_answered_200_and_kept_each(rt: Runtime, meta: Meta) -> None:
    noise = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=10_000))
    for field in ("id", "from", "from_user_id"):
        for odd in ("", noise, noise[::-1]):
            before = await rows(rt, KEPT)
            message = text_message(rt, "hi") | {field: odd}
            assert (await meta.post(notification(message))).status_code == 200, (field, odd[:20])
            assert await rows(rt, KEPT) != before, (field, odd[:20])


async def test_an_unknown_key_is_not_found(meta: Meta) -> None:
    for key in ("", "x", meta.live.row.key[:-1], meta.live.row.key + "x"):
        assert (await meta.client.post(f"/hooks/whatsapp/{key}", content=b"{}")).status_code == 404


@LONG
@needs_samples
async def test_every_sample_is_answered_200_and_leaves_a_trace(rt: Runtime, meta: Meta) -> None:
    """Prints what each became (`pytest -s`)."""
    assert len(SAMPLES) > 200
    left = {"message": 0, "receipt": 0, "raw_update": 0, "quarantine": 0}
    for sample in SAMPLES:
        body = sample.read_bytes()
        assert (await meta.post(body)).status_code == 200, sample.name
        now = dict(zip(left, (await rows(rt, KEPT))[0], strict=True))
        became = ", ".join(f"{now[table] - left[table]} {table}" for table in left if now[table] > left[table])
        print(f"{sample.name:70} {became or 'a repeat'}")
        left = now
    assert sum(left.values()) > 200


async def test_P6_a_captured_notification_posted_again_after_eight_days_changes_nothing(
    rt: Runtime, meta: Meta, clock: ManualClock
) -> None:
    body = notification(text_message(rt, "hi"))
    assert (await meta.post(body)).status_code == 200
    before = await rows(rt, "select (select count(*) from message), (select count(*) from turn)")
    for seconds in (1, 8 * 86_400):
        clock.advance(seconds)
        assert (await meta.post(body)).status_code == 200
    assert await rows(rt, "select (select count(*) from message), (select count(*) from turn)") == before


async def test_what_is_past_its_time_is_cleaned_away(rt: Runtime, meta: Meta, clock: ManualClock) -> None:
    await meta.post(notification(text_message(rt, "hi"), {"id": 5, "type": ["text"], "from": {"a": 1}}))
    assert await rows(rt, "select (select count(*) from raw_update), (select count(*) from quarantine)") == [(1, 1)]
    await rt.db.settled()
    clock.advance(29 * 86_400)
    await housekeeping.clean(rt.db)
    assert await rows(rt, "select (select count(*) from raw_update), (select count(*) from quarantine)") == [(1, 1)]
    await rt.db.settled()
    clock.advance(2 * 86_400)
    await housekeeping.clean(rt.db)
    assert await rows(rt, "select (select count(*) from raw_update), (select count(*) from quarantine)") == [(0, 0)]
    assert await rows(rt, "select count(*) from event where at < :now", now=clock.now() - 7 * 86_400_000) == [(0,)]
    assert await rows(rt, "select count(*) from message where direction = 'in'") == [(1,)]
