"""What assistants may use, by the Model Context Protocol: tools made from the API's own description, so that a tool
takes and gives what its operation does, and is allowed to whom its operation is.

The SDK brings pydantic along and is loaded only where an assistant connects (extra `mcp`).
"""

import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import httpx
import msgspec

from app.errors import Misconfigured, Unavailable
from app.said import N_
from app.version import VERSION

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

Json = dict[str, Any]
# What an assistant needs to look after a business's chats and to build its bots; people, keys and channels are no
# business of one.
OFFERED: Final = frozenset(
    "listConversations getConversation listMessages getMessage sendMessage takeConversation giveBackConversation "
    "closeConversation assignConversation trigger listContacts getContact createContact changeContact listChannels "
    "listBots getBot createBot getDraft saveDraft lintBot testBot publishBot listVersions getVersion listStarters "
    "getStatistics getHours".split()
)
DESCRIPTION: Final = "/api/v1/openapi.json"
ACCESS: Final = "/api/v1/auth/access"
PATIENCE: Final = 60.0
ABOUT: Final = (
    "Parley answers a business's WhatsApp. Conversations are chats with customers; a bot answers in them until a person"
    " takes one. Bots are YAML documents: read the draft, save it, lint it, test it, then publish it. Ids are texts."
)
MISSING: Final = N_("Assistants need the package mcp: pip install parley[mcp]")


class Tool(msgspec.Struct, frozen=True):
    """An operation of the API. `place` is its address with `{id}`, `query` the names that stand behind the `?`; what
    else is given is its `body`, if it takes one."""

    name: str
    about: str
    method: str
    place: str
    query: tuple[str, ...]
    schema: Json
    takes_body: bool


class Request(msgspec.Struct, frozen=True):
    """What a tool's call asks of the API."""

    method: str
    address: str
    query: dict[str, str]
    body: Any


Ask = Callable[[Any, Request], Awaitable[httpx.Response]]  # given the request's context of the SDK


def tools(document: Json) -> dict[str, Tool]:
    """From the OpenAPI document, by name."""
    lines = [each for each in operations(document) if each[2]["operationId"] in OFFERED]
    return {line["operationId"]: tool_of(place, method, line, document) for place, method, line in lines}


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for place, methods in document["paths"].items():
        for method, line in methods.items():
            yield place, method, line


def tool_of(place: str, method: str, line: Json, document: Json) -> Tool:
    known = [each for each in line.get("parameters", []) if each["in"] in ("path", "query")]
    properties = {each["name"]: each["schema"] for each in known}
    required = [each["name"] for each in known if each["required"]]
    body = line.get("requestBody")
    if body is not None:
        properties["body"] = body["content"]["application/json"]["schema"]
        required.append("body")
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    text = msgspec.json.encode(schema).replace(b"#/components/schemas/", b"#/$defs/")
    schema = msgspec.json.decode(text) | definitions(text, document)
    about = f"{line['summary']}. {line.get('description', '')}".strip()
    query = tuple(each["name"] for each in known if each["in"] == "query")
    return Tool(line["operationId"], about, method.upper(), place, query, schema, body is not None)


def definitions(text: bytes, document: Json) -> Json:
    """The named shapes that a schema refers to, and those that these refer to."""
    named, wanted, found = document["components"]["schemas"], [text], dict[str, Json]()
    while wanted:
        text = wanted.pop()
        for name in named.keys() - found.keys():
            if b'"#/$defs/%b"' % name.encode() in text:
                inner = msgspec.json.encode(named[name]).replace(b"#/components/schemas/", b"#/$defs/")
                found[name] = msgspec.json.decode(inner)
                wanted.append(inner)
    return {"$defs": found} if found else {}


def request_of(tool: Tool, given: Json) -> Request:
    address = tool.place
    for name, value in given.items():
        address = address.replace(f"{{{name}}}", quote(str(value), safe=""))
    query = {name: plain(given[name]) for name in tool.query if given.get(name) is not None}
    return Request(tool.method, address, query, given.get("body", {}) if tool.takes_body else None)


def plain(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def server(document: Json, ask: Ask) -> "Server[Any]":
    """What answers assistants; `ask` makes the requests as whoever the assistant acts for."""
    from mcp import types
    from mcp.server.lowlevel import Server

    known = tools(document)
    listed = [
        types.Tool(
            name=tool.name, description=tool.about, input_schema=tool.schema,
            annotations=types.ToolAnnotations(read_only_hint=tool.method == "GET"),
        )
        for tool in known.values()
    ]  # fmt: skip

    async def list_tools(context: Any, params: Any) -> types.ListToolsResult:
        """Those that whoever the assistant acts for may use now."""
        answer = await ask(context, Request("GET", ACCESS, {}, None))
        allowed = frozenset(answer.json()["operations"]) if answer.is_success else frozenset()
        return types.ListToolsResult(tools=[tool for tool in listed if tool.name in allowed])

    async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = known.get(params.name)
        if tool is None:
            return said(f"There is no tool {params.name}.", wrong=True)
        answer = await ask(context, request_of(tool, params.arguments or {}))
        return said(answer.text or "Done.", wrong=answer.is_error)

    def said(text: str, *, wrong: bool) -> types.CallToolResult:
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=wrong)

    return Server(
        "parley", version=VERSION, title="Parley", instructions=ABOUT, on_list_tools=list_tools, on_call_tool=call_tool
    )


async def over_stdio(url: str, key: str) -> None:
    """Until stdin ends: an assistant on this machine, at a Parley anywhere. Raises `Misconfigured`, `Unavailable`."""
    try:
        from mcp.server.stdio import stdio_server
    except ImportError:
        raise Misconfigured(MISSING) from None
    head = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=head, timeout=PATIENCE, trust_env=False) as client:
        try:
            document = (await client.get(DESCRIPTION)).raise_for_status().json()
        except httpx.HTTPError as error:
            raise Unavailable(N_("Parley does not answer at {url}: {why}", url=url, why=str(error))) from None

        async def ask(context: Any, wanted: Request) -> httpx.Response:
            return await send(client, wanted)

        answering = server(document, ask)
        async with stdio_server() as (reading, writing):
            await answering.run(reading, writing, answering.create_initialization_options())


async def send(client: httpx.AsyncClient, wanted: Request, **more: Any) -> httpx.Response:
    body = {} if wanted.body is None else {"json": wanted.body}
    return await client.request(wanted.method, wanted.address, params=wanted.query, **body, **more)


def key_of_environment() -> str:
    """Raises `Misconfigured`."""
    key = os.environ.get("PARLEY_API_KEY", "").strip()
    if not key:
        raise Misconfigured(N_("Set PARLEY_API_KEY to an API key: parley token create --name Assistant --scopes read"))
    return key


def is_here() -> bool:
    """Is the SDK installed, without loading it."""
    from importlib.util import find_spec

    return "mcp" in sys.modules or find_spec("mcp") is not None
