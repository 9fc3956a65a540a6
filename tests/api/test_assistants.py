"""Assistants, with the SDK's own client against the real server: over HTTP, and over stdio of `parley mcp`."""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from app import assistants, bots, tokens
from tests.api.conftest import Program
from tests.shop import BOT

pytest.importorskip("mcp")
import httpx2
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),  # the API below knows both
]


@asynccontextmanager
async def over_http(place: str, head: dict[str, str]) -> AsyncIterator[Client]:
    async with httpx2.AsyncClient(headers=head, timeout=30) as http:
        async with Client(streamable_http_client(f"http://{place}/mcp", http_client=http)) as client:
            yield client


@asynccontextmanager
async def over_stdio(place: str, head: dict[str, str]) -> AsyncIterator[Client]:
    key = head["Authorization"].removeprefix("Bearer ")
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "app", "mcp", "--url", f"http://{place}"],
        env=dict(os.environ) | {"PARLEY_API_KEY": key},
    )  # fmt: skip
    async with Client(stdio_client(command)) as client:
        yield client


async def use(client: Client, name: str, **given: Any) -> Any:
    answer = await client.call_tool(name, given)
    [content] = answer.content
    text = getattr(content, "text", "")
    return json.loads(text) if text.startswith(("{", "[")) else text


@pytest.mark.parametrize("way", [over_http, over_stdio])
async def test_an_assistant_reads_writes_and_builds_as_its_key_may(api: Program, place: str, way: Any) -> None:
    await bots.create(api.rt, "", BOT, None)
    head = await api.key("read", "send", "manage")
    async with way(place, head) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert listed.keys() == assistants.OFFERED
        assert listed["listMessages"].input_schema["required"] == ["id"]
        sent = await use(client, "sendMessage", body={"channel": "Shop", "to": "+5511999990000", "text": "Hi"})
        [chat] = (await use(client, "listConversations"))["items"]
        assert chat["id"] == sent["conversation_id"]
        [message] = (await use(client, "listMessages", id=chat["id"], limit=5))["items"]
        assert message["content"] == {"kind": "text", "text": "Hi"}
        [bot] = (await use(client, "listBots"))["items"]
        draft = await use(client, "getDraft", id=bot["id"])
        linted = await use(client, "lintBot", id=bot["id"], body={"document": "bot: X\nrules: 5"})
        assert draft["document"] == BOT and linted["problems"]
        assert (await use(client, "getStatistics", days=7))["received"] == 0
        wrong = await client.call_tool("getConversation", {"id": "5"})
        assert wrong.is_error and "no such conversation" in str(wrong.content)


async def test_an_assistant_does_no_more_than_its_key(api: Program, place: str) -> None:
    async with over_http(place, await api.key("read")) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert "listConversations" in names and not names & {"sendMessage", "publishBot", "saveDraft", "createContact"}
        refused = await client.call_tool(
            "sendMessage", {"body": {"channel": "Shop", "to": "+5511999990000", "text": "Hi"}}
        )
        assert refused.is_error and "scope" in str(refused.content)
    limited = await tokens.create(api.rt, name="far", scopes=["read"], channels=frozenset(), days=0)
    async with over_http(place, api.bearing(limited.secret)) as client:
        assert (await use(client, "listChannels"))["items"] == []


async def test_without_a_key_or_from_a_page_nobody_gets_in(api: Program, place: str) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    head = await api.key("read")
    async with httpx.AsyncClient(base_url=f"http://{place}") as client:
        assert (await client.post("/mcp", json=hello)).status_code == 401
        page = await client.post("/mcp", json=hello, headers=head | {"Origin": "http://evil.example"})
        assert page.status_code == 401
