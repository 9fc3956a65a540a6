"""The server: which bot asks for what, how its values came, and what the mode makes of the answer (contract §1)."""

import asyncio
import email
import email.policy
import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from ..graph.faults import Mode
from ..graph.wire import Answer, Connection, Request, answer
from . import admin
from .config import Settings
from .errors import ApiError, bad, slow_down
from .methods import Done, Upload, answered
from .truth import Sent, Truth
from .world import World

TOKEN = re.compile(r"[1-9][0-9]*:[^/]{1,80}")
PROXY_ERROR = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
GARBAGE = b'{"ok":true,"result":{"message_id":1'
JSON = b"application/json"


class BotApi:
    """One listening fake. `world` is all of its state."""

    def __init__(self, settings: Settings | None = None, truth: str | None = None) -> None:
        self.world = World(settings or Settings(), Truth(truth))
        self.connections: set[Connection] = set()
        self.server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return self.world.base

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(
            lambda: Connection(self.serve, self.connections), host, port, backlog=4096
        )
        self.world.base = f"http://{host}:{self.server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        if self.server:
            self.server.close()
        for connection in list(self.connections):
            connection.transport.abort()
        await self.world.close()
        await asyncio.sleep(0)

    def serve(self, request: Request) -> Answer:
        return self._serve(request)

    async def _serve(self, request: Request) -> bytes | None:
        parts = [unquote(part) for part in request.path.split("/") if part]
        if parts and parts[0] == "_fake":
            return await self._admin(request, "/".join(parts[1:]))
        method = parts[-1] if parts else ""
        try:
            if parts and parts[0] == "file":
                return self._download(parts[1:])
            if len(parts) != 2 or not parts[0].startswith("bot"):
                raise ApiError(404)
            self._known(parts[0][3:])
            if method.lower() == "getupdates":
                return await self.world.queue.get(values_of(request), request)
            return await self._call(method, values_of(request), request)
        except ApiError as error:
            self.world.refuse(method, error)
            return error.reply()

    def _known(self, token: str) -> None:
        if not TOKEN.fullmatch(token):
            raise ApiError(401, "invalid token specified")
        if token != self.world.settings.token:
            raise ApiError(401)

    def _download(self, parts: list[str]) -> bytes:
        if not parts or not parts[0].startswith("bot"):
            raise ApiError(404)
        self._known(parts[0][3:])
        path = "/".join(parts[1:])
        file = next((file for file in self.world.files.values() if file.path == path), None)
        if file is None or self.world.now() > file.expires:
            return answer(404, b'{"ok":false,"error_code":404,"description":"Not Found"}', JSON)
        return answer(200, file.data, b"application/octet-stream")

    async def _call(self, method: str, values: dict[str, Any], request: Request) -> bytes | None:
        """A fault is chosen for calls that people would see something of, which name a chat."""
        shown = "chat_id" in values and method.lower() != "sendchataction"
        mode = self.world.faults.pick(str(values["chat_id"])) if shown else Mode()
        if mode.answer == "cut":
            request.connection.reset()
            return None
        if mode.refuses:
            raise slow_down(1) if mode.answer == "429" else ApiError(mode.code, "by request")
        result = await answered(self.world, method.lower(), values)
        if isinstance(result, Done):
            self._accept(method, result, values, mode)
            result = result.result
        return await _misbehave(request, mode, answer(200, msgspec.json.encode({"ok": True, "result": result}), JSON))

    def _accept(self, method: str, done: Done, values: dict[str, Any], mode: Mode) -> None:
        plain = {key: value.name if isinstance(value, Upload) else value for key, value in values.items()}
        self.world.accept(
            Sent(
                n=len(self.world.sent) + 1, at=int(self.world.now() * 1000), method=method, chat_id=done.chat,
                message_id=done.message, text=done.text, values=plain, mode=mode.text,
            )
        )  # fmt: skip

    async def _admin(self, request: Request, verb: str) -> bytes:
        given: dict[str, Any] = dict(request.query)
        try:
            if request.body:
                given |= json.loads(request.body)
            return answer(200, msgspec.json.encode(await admin.call(self.world, request.method.decode(), verb, given)))
        except TimeoutError:
            return answer(408, b'{"error":"not in time"}')
        except LookupError as error:
            return answer(404, msgspec.json.encode({"error": str(error)}))
        except ValueError as error:
            return answer(400, msgspec.json.encode({"error": str(error)}))


async def _misbehave(request: Request, mode: Mode, reply: bytes) -> bytes | None:
    if mode.slow:
        await asyncio.sleep(mode.slow)
    match mode.answer:
        case "accept-then-timeout":
            await request.connection.gone.wait()
            return None
        case "accept-then-rst":
            request.connection.reset()
            return None
        case "accept-then-502":
            return answer(502, PROXY_ERROR, b"text/html")
        case "garbage":
            return answer(200, GARBAGE, JSON)
    return reply


def values_of(request: Request) -> dict[str, Any]:
    """The values of a call: query, then body, in whichever of the three forms it is."""
    found: dict[str, Any] = dict(request.query)
    kind = request.headers.get(b"content-type", b"").decode("latin-1")
    if not request.body:
        return found
    if kind.startswith("application/json"):
        try:
            body = msgspec.json.decode(request.body)
        except msgspec.DecodeError:
            raise bad("can't parse JSON object") from None
        if not isinstance(body, dict):
            raise bad("can't parse JSON object")
        return found | body
    if kind.startswith("multipart/form-data"):
        return found | _multipart(kind, request.body)
    return found | dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def _multipart(kind: str, body: bytes) -> dict[str, Any]:
    message = email.message_from_bytes(
        b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + body, policy=email.policy.HTTP
    )
    found: dict[str, Any] = {}
    for part in message.iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        data = part.get_payload(decode=True)
        content = data if isinstance(data, bytes) else b""
        filename = part.get_filename()
        found[name] = Upload(filename, part.get_content_type(), content) if filename else content.decode()
    return {key: value for key, value in found.items()}
