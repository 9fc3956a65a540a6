"""SMS by a gateway: out as one POST, in as signed POSTs, with a gateway that is a server on this machine."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import bots, connecting, fetching
from app.channels import Live
from app.connectors.base import Address, Channel, Outbound, SendFailed
from app.connectors.sms import Sms, SmsSession
from app.content import Image, Text
from app.routes.hooks import Hooks
from app.runtime import Runtime
from app.security import outbound
from tests.connectors.servers import Call, server
from tests.shop import BOT, rows

SECRET = "shared with the gateway"
SAMPLES = Path(__file__).parent / "samples" / "sms"


def channel(url: str) -> Channel:
    return Channel(1, "SMS", "15550100200", {"url": url}, {"token": "t-1", "secret": SECRET})


@asynccontextmanager
async def gateway(status: int, body: bytes) -> AsyncIterator[tuple[str, list[Call], Any]]:
    async def answer(call: Call) -> None:
        await call.respond(status, body) if status else call.reset()

    async with server(answer) as (url, calls):
        yield f"{url}/send", calls, partial(fetching.post, outbound.Outbound((url.removeprefix("http://"),)))


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b'{"id": "out-1"}', "out-1"),
        (202, b'{"id": 7}', "7"),
        (200, b"thanks", "send.no_id unsure"),
        (500, b"", "send.no_id unsure"),
        (0, b"", "send.no_answer unsure"),
        (400, b"no such number", "send.refused"),
        (401, b"", "send.refused halt"),
        (429, b"", "send.busy later"),
    ],
)
async def test_what_the_gateway_answers_is_understood(status: int, body: bytes, outcome: str) -> None:
    async with gateway(status, body) as (url, calls, post):
        session = SmsSession(channel(url))
        session.post_with(post)
        try:
            sent = await session.send(Outbound("p.1", Address(phone="5511999990000"), Text("Hi")))
            assert sent.provider_id == outcome
        except SendFailed as failure:
            marks = {
                "unsure": not failure.certain,
                "halt": failure.halt,
                "later": failure.certain and failure.temporary,
            }
            assert " ".join([failure.problem.code, *(mark for mark, is_so in marks.items() if is_so)]) == outcome
        told = {"to": "+5511999990000", "from": "15550100200", "text": "Hi", "id": "p.1"}
        assert json.loads(calls[0].body) == told and calls[0].header("authorization") == "Bearer t-1"


async def test_S26_an_address_in_a_private_network_is_not_posted_to_unless_it_is_allowed() -> None:
    async with gateway(200, b"{}") as (url, calls, _):
        session = SmsSession(channel(url))
        session.post_with(partial(fetching.post, outbound.Outbound()))
        with pytest.raises(SendFailed) as caught:
            await session.send(Outbound("p.1", Address(phone="1"), Text("Hi")))
        assert caught.value.certain and not caught.value.temporary and not calls


async def test_what_cannot_go_as_a_text_or_to_nobody_is_refused_for_certain() -> None:
    session = SmsSession(channel("http://127.0.0.1:1"))
    session.post_with(partial(fetching.post, outbound.Outbound()))
    for to, said in (
        (Address(phone="1"), Image(url="https://shop.example/cake.jpg")),
        (Address(telegram="1"), Text("Hi")),
    ):
        with pytest.raises(SendFailed) as caught:
            await session.send(Outbound("p.1", to, said))
        assert caught.value.certain


async def test_a_message_is_answered_and_a_report_is_filed(rt: Runtime) -> None:
    async with gateway(200, b'{"id": "out-1"}') as (url, calls, post):
        rt.channels.post_url = post
        values = {"number": "+15550100200", "url": url, "token": "t-1", "secret": SECRET}
        channel_id = await connecting.add(rt.channels, "sms", "Texts", values)
        await bots.publish(rt, await bots.create(rt, "", BOT, None), [channel_id], "", None)
        live = rt.channels.by_id[channel_id]
        hi = json.loads((SAMPLES / "message.json").read_bytes()) | {"text": "hi"}
        assert (await posted(rt, live, hi, "wrong")).status_code == 403
        assert (await posted(rt, live, hi)).status_code == 200
        assert (await posted(rt, live, hi)).status_code == 200, "told again"
        await rt.db.settled()
        while not await rows(rt, "select 1 from message where status = 'accepted'"):
            await rt.db.settled()
        [(opaque, text)] = [(json.loads(call.body)["id"], json.loads(call.body)["text"]) for call in calls]
        assert text.startswith("Hi there!") and "Menu" in text, "buttons become lines"
        report = json.loads((SAMPLES / "report_delivered.json").read_bytes()) | {"opaque": opaque}
        assert (await posted(rt, live, report)).status_code == 200
        assert await rows(rt, "select status from message where direction = 'out'") == [("delivered",)]


async def posted(rt: Runtime, live: Live, told: dict[str, Any], secret: str = SECRET) -> httpx.Response:
    body = json.dumps(told).encode()
    headers = {"x-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
    transport = httpx.ASGITransport(Hooks(rt, None))
    async with httpx.AsyncClient(transport=transport, base_url="http://parley") as client:
        return await client.post(f"/hooks/sms/{live.row.key}", content=body, headers=headers)


def test_an_empty_secret_verifies_nothing() -> None:
    body = b"{}"
    signed = [(b"x-signature", hmac.digest(b"", body, "sha256").hex().encode())]
    assert not Sms().verify(Channel(1, "SMS", "1", {}, {"token": "", "secret": ""}), body, signed)
