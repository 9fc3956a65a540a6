"""Limits, states of a number, templates, media, read marks and management: each refusal with the contract's code."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from .graph import FakeGraph
from .graph.caller import ANNA, BELA, Caller, text
from .graph.listener import Listener

PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)
MEGA = 1024 * 1024


@contextlib.asynccontextmanager
async def quiet(**settings: Any) -> AsyncIterator[tuple[FakeGraph, Caller]]:
    """Without statuses."""
    async with FakeGraph(statuses=False, **settings) as graph:
        caller = Caller(graph)
        try:
            yield graph, caller
        finally:
            caller.client.close()


# --- rates


async def test_P22_a_number_sends_80_a_second_and_no_more() -> None:
    async with quiet(throughput=80) as (graph, caller):
        codes = [await caller.code(text(f"1650555{n:04}")) for n in range(400)]
        first = codes.index(130429)
        assert first >= 80 and set(codes[:first]) == {0}
        assert graph.total == codes.count(0)
        graph.advance(1)
        assert await caller.code(text(BELA)) == 0


async def test_the_status_of_a_rate_refusal_can_be_429() -> None:
    async with quiet(throughput=1, rate_status=429) as (_, caller):
        await caller.send(text())
        status, answer = await caller.send(text(BELA))
        assert (status, answer["error"]["code"]) == (429, 130429)


async def test_P22_a_pair_may_burst_to_45_and_then_gets_one_per_6_seconds() -> None:
    async with quiet(throughput=0) as (graph, caller):
        assert [await caller.code(text()) for _ in range(46)] == [0] * 45 + [131056]
        assert await caller.code(text(BELA)) == 0
        graph.advance(6)
        assert [await caller.code(text()) for _ in range(2)] == [0, 131056]
        graph.advance(45 * 6)
        assert [await caller.code(text()) for _ in range(46)] == [0] * 45 + [131056]


async def test_a_user_is_one_pair_however_addressed() -> None:
    async with quiet(pair_burst=1) as (graph, caller):
        bsuid = graph.person(ANNA)["bsuid"]
        assert await caller.code(text()) == 0
        assert await caller.code(text(None, recipient=bsuid)) == 131056


async def test_a_refused_send_counts_against_no_limit() -> None:
    async with quiet(pair_burst=1) as (graph, caller):
        assert await caller.code(text(body="")) == 131009
        assert await caller.code(text()) == 0
        assert (await graph.call("GET", "state"))["refused"] == {"131009": 1}


async def test_limits_can_be_off() -> None:
    async with quiet(throughput=0, pair_every=0) as (_, caller):
        assert {await caller.code(text()) for _ in range(200)} == {0}


async def test_too_many_management_calls_are_refused() -> None:
    async with quiet(management_per_hour=2) as (graph, caller):
        path = f"/{graph.number.phone_number_id}"
        found = [(await caller.ask("GET", path))[1].get("error", {}).get("code", 0) for _ in range(3)]
        assert found == [0, 0, 80007]


# --- the number


@pytest.mark.parametrize(("code", "status"), [(133010, 400), (131031, 403), (131042, 400), (368, 403)])
async def test_a_number_in_trouble_refuses_every_send(code: int, status: int) -> None:
    async with quiet() as (graph, caller):
        graph.change_number(refuses=code)
        found, answer = await caller.send(text())
        assert (found, answer["error"]["code"]) == (status, code)
        assert await caller.code(text(body="")) == 131009  # the content is looked at before the number


async def test_a_test_number_sends_to_its_list_only() -> None:
    async with quiet(allowed=[ANNA]) as (_, caller):
        assert await caller.code(text()) == 0
        assert await caller.code(text(BELA)) == 131030


async def test_who_asks_is_looked_at_first() -> None:
    async with quiet() as (graph, caller):
        path = f"/v25.0/{graph.number.phone_number_id}/messages"
        wrong = await caller.ask("POST", path, {}, {"Authorization": "Bearer EAAwrong"})
        none = await caller.ask("POST", path, {}, {"Authorization": ""})
        assert (wrong[0], wrong[1]["error"]["code"]) == (401, 190)
        assert (none[0], none[1]["error"]["code"]) == (401, 104)
        unknown = await caller.ask("POST", "/v25.0/999/messages", {})
        assert (unknown[0], unknown[1]["error"]["code"], unknown[1]["error"]["error_subcode"]) == (400, 100, 33)
        assert unknown[1]["error"]["type"] == "GraphMethodException"
        in_query = await caller.ask("POST", f"{path}?access_token={caller.token}", text(), {"Authorization": ""})
        assert in_query[0] == 200


async def test_a_token_that_was_taken_away_is_refused_at_once() -> None:
    async with quiet() as (graph, caller):
        assert await caller.code(text()) == 0
        graph.change_number(token="EAAnew")
        assert await caller.code(text()) == 190
        caller.token = "EAAnew"
        assert await caller.code(text()) == 0


async def test_a_token_without_the_scope_may_not_send() -> None:
    async with quiet(scopes=["whatsapp_business_management"]) as (_, caller):
        status, answer = await caller.send(text())
        assert (status, answer["error"]["code"]) == (403, 10)


@pytest.mark.parametrize("prefix", ["", "/v19.0", "/v25.0", "/v99.0"])
async def test_any_version_and_none_will_do(prefix: str) -> None:
    async with quiet() as (graph, caller):
        assert (await caller.ask("POST", f"{prefix}/{graph.number.phone_number_id}/messages", text()))[0] == 200


# --- templates


def template(name: str, *components: dict[str, Any], language: str = "en_US", **more: Any) -> dict[str, Any]:
    content = {"name": name, "language": {"code": language}, "components": list(components)}
    return text(**more) | {"type": "template", "template": content}


def body(*values: str, **named: str) -> dict[str, Any]:
    found = [{"type": "text", "text": value} for value in values]
    found += [{"type": "text", "text": value, "parameter_name": name} for name, value in named.items()]
    return {"type": "body", "parameters": found}


URL = {"type": "button", "sub_type": "url", "index": 0, "parameters": [{"type": "text", "text": "x"}]}
PICTURE = {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://example.com/a"}}]}
MOVIE = {"type": "header", "parameters": [{"type": "video", "video": {"link": "https://example.com/a"}}]}
TEMPLATE_CASES = [
    (template("hello_world"), 0),
    (template("hello_world", body("too many")), 132000),
    (template("hello_world", language="fr"), 132001),
    (template("nobody_made_this"), 132001),
    (template("order_confirmation", body("Anna", "7")), 0),
    (template("order_confirmation", body("Anna")), 132000),
    (template("order_confirmation"), 132000),
    (template("order_confirmation", body("Anna", "x" * 1000)), 132005),
    (template("order_confirmation", body("Anna", "two\nlines")), 132018),
    (template("order_confirmation", body("Anna", "five     spaces")), 132018),
    (template("order_confirmation", body("Anna", "four    spaces")), 0),
    (template("spring_sale", PICTURE, body("20%"), URL, language="en"), 0),
    (template("spring_sale", MOVIE, body("20%"), URL, language="en"), 132012),
    (template("spring_sale", body("20%"), URL, language="en"), 132012),
    (template("spring_sale", PICTURE, body("20%"), language="en"), 131008),
    (template("named", body(first="Anna")), 0),
    (template("named", body(last="Anna")), 132012),
    (template("named", body("Anna")), 132012),
    (template("paused"), 132015),
    (template("disabled"), 132016),
    (template("rejected"), 132001),
]


@pytest.mark.parametrize(("sent", "code"), TEMPLATE_CASES)
async def test_a_message_must_fit_its_template(sent: dict[str, Any], code: int) -> None:
    async with quiet(strict_templates=True) as (graph, caller):
        named = [{"type": "BODY", "text": "Hello {{first}}"}]
        await graph.call("POST", "templates", name="named", components=named, parameter_format="NAMED")
        for status in ("PAUSED", "DISABLED", "REJECTED"):
            await graph.call("POST", "templates", name=status.lower(), status=status)
        assert await caller.code(sent) == code


async def test_a_user_id_cannot_take_an_authentication_template() -> None:
    async with quiet() as (graph, caller):
        await graph.call("POST", "templates", name="login_code", category="AUTHENTICATION")
        sent = template("login_code")
        assert await caller.code(sent) == 0
        del sent["to"]
        assert await caller.code(sent | {"recipient": graph.person(ANNA)["bsuid"]}) == 131062


async def test_the_marketing_endpoint_takes_marketing_templates_only() -> None:
    async with quiet() as (graph, caller):
        path = f"/v25.0/{graph.number.phone_number_id}/marketing_messages"
        sale = template("spring_sale", PICTURE, body("20%"), URL, language="en")
        assert (await caller.ask("POST", path, sale))[0] == 200
        assert (await caller.ask("POST", path, template("hello_world")))[1]["error"]["code"] == 134100
        assert (await caller.ask("POST", path, text()))[1]["error"]["code"] == 134100


# --- media


def form(mime: str, data: bytes, product: bytes = b"whatsapp") -> tuple[bytes, dict[str, str]]:
    parts = [
        b'Content-Disposition: form-data; name="messaging_product"\r\n\r\n' + product,
        b'Content-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: '
        + mime.encode()
        + b"\r\n\r\n"
        + data,
    ]
    content = b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + b"--edge--\r\n"
    return content, {"Content-Type": "multipart/form-data; boundary=edge"}


async def uploaded(graph: FakeGraph, caller: Caller, mime: str, data: bytes, **more: Any) -> dict[str, Any]:
    content, headers = form(mime, data, **more)
    status, answer = await caller.raw("POST", f"/v25.0/{graph.number.phone_number_id}/media", content, headers)
    found = json.loads(answer)
    return {"id": found["id"]} if status == 200 else {"code": found["error"]["code"]}


UPLOADS = [
    ("image/png", PNG, 0),
    ("image/jpeg", bytes(5 * MEGA), 0),
    ("image/jpeg", bytes(5 * MEGA + 1), 131053),
    ("image/gif", PNG, 131053),
    ("image/webp", bytes(100 * 1024), 0),
    ("image/webp", bytes(100 * 1024 + 1), 131053),
    ("image/webp", b"RIFF____WEBPVP8X__________ANIM" + bytes(400 * 1024), 0),
    ("audio/ogg; codecs=opus", bytes(16 * MEGA), 0),
    ("audio/mpeg", bytes(16 * MEGA + 1), 131053),
    ("video/mp4", bytes(16 * MEGA + 1), 131053),
    ("application/pdf", bytes(17 * MEGA), 0),
    ("application/zip", b"PK", 131053),
    ("text/plain", b"", 131053),
]


@pytest.mark.parametrize(("mime", "data", "code"), UPLOADS, ids=[f"{mime}-{len(data)}" for mime, data, _ in UPLOADS])
async def test_an_upload_is_judged_by_kind_and_size(mime: str, data: bytes, code: int) -> None:
    async with quiet() as (graph, caller):
        assert (await uploaded(graph, caller, mime, data)).get("code", 0) == code


async def test_an_upload_without_product_is_refused() -> None:
    async with quiet() as (graph, caller):
        assert await uploaded(graph, caller, "image/png", PNG, product=b"") == {"code": 100}


async def test_a_file_is_fetched_by_an_address_that_lives_five_minutes() -> None:
    async with quiet() as (graph, caller):
        media_id = (await uploaded(graph, caller, "image/png", PNG))["id"]
        _, found = await caller.ask("GET", f"/v25.0/{media_id}?phone_number_id={graph.number.phone_number_id}")
        assert (found["mime_type"], found["file_size"], found["id"]) == ("image/png", len(PNG), media_id)
        assert await caller.raw("GET", found["url"]) == (200, PNG)
        assert (await caller.raw("GET", found["url"], headers={"Authorization": ""}))[0] == 401
        assert (await caller.raw("GET", found["url"], headers={"User-Agent": ""}))[0] == 400
        graph.advance(300)
        assert (await caller.raw("GET", found["url"]))[0] == 404
        _, again = await caller.ask("GET", f"/v25.0/{media_id}")
        assert await caller.raw("GET", again["url"]) == (200, PNG)


@pytest.mark.parametrize("how", ["delete", "30 days", "other number"])
async def test_a_file_that_is_gone_is_an_unknown_object(how: str) -> None:
    async with quiet() as (graph, caller):
        media_id = (await uploaded(graph, caller, "image/png", PNG))["id"]
        path = f"/v25.0/{media_id}"
        if how == "delete":
            assert (await caller.ask("DELETE", path))[1] == {"success": True}
        elif how == "30 days":
            graph.advance(30 * 86_400)
        else:
            path += "?phone_number_id=999"
        status, answer = await caller.ask("GET", path)
        assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (400, 100, 33)


async def test_what_a_user_sends_can_be_fetched_for_seven_days() -> None:
    async with Listener("s") as hook, FakeGraph(webhook=hook.url, app_secret="s") as graph:
        caller = Caller(graph)
        await graph.inbound(ANNA, document={"filename": "a.pdf", "data": "aGVsbG8="})
        (message,) = await hook.wait("messages", 1)
        assert await caller.raw("GET", message["document"]["url"]) == (200, b"hello")
        graph.advance(7 * 86_400 - 1)
        assert (await caller.raw("GET", message["document"]["url"]))[0] == 404
        assert (await caller.ask("GET", f"/{message['document']['id']}"))[0] == 200
        graph.advance(2)
        assert (await caller.ask("GET", f"/{message['document']['id']}"))[0] == 400
        caller.client.close()


async def test_an_unknown_file_or_a_dead_link_fails_after_it_was_accepted() -> None:
    async with Listener("s") as hook, FakeGraph(webhook=hook.url, app_secret="s") as graph:
        caller = Caller(graph)
        await graph.inbound(ANNA, "Hi")
        media_id = (await uploaded(graph, caller, "image/png", PNG))["id"]
        contents = [{"id": "1"}, {"link": "https://gone.invalid/a.png"}, {"id": media_id}]
        wamids = [await caller.accepted(text() | {"type": "image", "image": content}) for content in contents]
        statuses = await hook.wait("statuses", 5)
        failed = {status["id"]: status["errors"][0]["code"] for status in statuses if status["status"] == "failed"}
        assert failed == {wamids[0]: 131053, wamids[1]: 131053}
        caller.client.close()


# --- read marks, facts


async def test_reading_and_typing_name_a_message_of_the_last_30_days() -> None:
    async with quiet() as (graph, caller):
        wamid = await graph.inbound(ANNA, "Hi")
        mark = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
        assert (await caller.send(mark | {"typing_indicator": {"type": "text"}})) == (200, {"success": True})
        assert (await graph.call("GET", "state"))["read"][0]["message_id"] == wamid
        assert await caller.code(mark | {"typing_indicator": {"type": "voice"}}) == 131009
        assert await caller.code(mark | {"message_id": "wamid.none"}) == 131009
        graph.advance(30 * 86_400 + 1)
        assert await caller.code(mark) == 131009
        assert graph.total == 0


async def test_a_channel_can_be_checked() -> None:
    async with quiet() as (graph, caller):
        number = graph.number
        fields = "display_phone_number,verified_name,quality_rating,status,throughput,name_status,health_status"
        _, facts = await caller.ask("GET", f"/v25.0/{number.phone_number_id}?fields={fields}")
        assert facts["display_phone_number"] == "+1 555-078-3881" and facts["status"] == "CONNECTED"
        assert set(facts) == {*fields.split(","), "id"}
        _, apps = await caller.ask("GET", f"/v25.0/{number.waba}/subscribed_apps")
        assert apps["data"][0]["whatsapp_business_api_data"]["id"] == number.app_id
        _, token = await caller.ask("GET", f"/v25.0/debug_token?input_token={number.token}")
        assert token["data"]["is_valid"] and "whatsapp_business_messaging" in token["data"]["scopes"]
        _, other = await caller.ask("GET", "/v25.0/debug_token?input_token=EAAother")
        assert not other["data"]["is_valid"]
        _, numbers = await caller.ask("GET", f"/v25.0/{number.waba}/phone_numbers")
        assert [each["id"] for each in numbers["data"]] == [number.phone_number_id]
        _, account = await caller.ask("GET", f"/v25.0/{number.waba}?fields=id,name,currency")
        assert account == {"id": number.waba, "name": number.verified_name, "currency": "USD"}
        status, unknown = await caller.ask("GET", f"/v25.0/{number.phone_number_id}?fields=shoe_size")
        assert (status, unknown["error"]["code"]) == (400, 100)


async def test_templates_come_in_pages_and_by_status() -> None:
    async with quiet() as (graph, caller):
        for n in range(30):
            await graph.call("POST", "templates", name=f"made_{n}", status="PENDING" if n % 2 else "APPROVED")
        path, names, after = f"/v25.0/{graph.number.waba}/message_templates?limit=10", [], ""
        while True:
            _, page = await caller.ask("GET", path + after)
            names += [each["name"] for each in page["data"]]
            if "next" not in page["paging"]:
                break
            after = f"&after={page['paging']['cursors']['after']}"
        assert len(names) == len(set(names)) == 33
        _, pending = await caller.ask("GET", path.replace("limit=10", "limit=100&status=PENDING"))
        assert len(pending["data"]) == 15


async def test_registering_brings_a_number_back() -> None:
    async with quiet() as (graph, caller):
        path = f"/v25.0/{graph.number.phone_number_id}"
        await caller.ask("POST", f"{path}/deregister")
        assert await caller.code(text()) == 133010
        assert (await caller.ask("POST", f"{path}/register", {"pin": "12"}))[0] == 400
        assert (await caller.ask("POST", f"{path}/register", {"messaging_product": "whatsapp", "pin": "123456"}))[
            0
        ] == 200
        assert await caller.code(text()) == 0
