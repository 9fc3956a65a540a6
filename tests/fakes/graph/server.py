"""The server: who asks, for what, and who answers. The path of a send is kept short, since benchmarks live on it."""

import asyncio
import json
import re
from typing import Any

import msgspec

from . import admin, manage
from .config import Config, Number
from .errors import GraphError, not_found
from .send import messages
from .truth import Truth
from .wire import Answer, Connection, Request, answer
from .world import World

VERSION = re.compile(r"v\d+\.\d+")
BASIC = b'OAuth "Facebook Platform" "invalid_token" "'


class Graph:
    """One listening fake. `world` is all of its state."""

    def __init__(self, config: Config | None = None, truth: str | None = None) -> None:
        self.world = World(config or Config(), Truth(truth))
        self.connections: set[Connection] = set()
        self.sends: dict[bytes, Number] = {}
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
        for number in self.world.numbers.values():
            self.world.endpoint(number)

    async def close(self) -> None:
        if self.server:
            self.server.close()
        for connection in list(self.connections):
            connection.transport.abort()
        await self.world.close()
        await asyncio.sleep(0)

    def serve(self, request: Request) -> Answer:
        try:
            number = self.sends.get(request.url)
            if number is not None and request.method == b"POST":
                auth = request.headers.get(b"authorization", b"")
                if auth[7:].decode("latin-1") == number.token and self.world.numbers[number.phone_number_id] is number:
                    return messages(self.world, number, request)
            return self._route(request)
        except GraphError as error:
            return self._error(error)

    def _error(self, error: GraphError) -> bytes:
        headers: tuple[tuple[bytes, bytes], ...] = ((b"facebook-api-version", self._version()),)
        if error.status in (400, 401) and error.code in (102, 104, 190):
            headers += ((b"WWW-Authenticate", BASIC + error.message.encode("latin-1", "replace") + b'"'),)
        return answer(error.status, error.body(), headers=headers)

    def _version(self) -> bytes:
        return self.world.settings.version.encode()

    def _route(self, request: Request) -> Answer:
        method = request.method.decode()
        parts = [part for part in request.path.split("/") if part]
        if parts and parts[0] == "_fake":
            return self._admin(method, "/".join(parts[1:]), request)
        if parts and VERSION.fullmatch(parts[0]):
            parts = parts[1:]
        mine = self._who(request)
        if parts and parts[0] == "whatsapp_business":
            return self._download(mine, request)
        if not parts:
            raise not_found("", method)
        number = next((each for each in mine if each.phone_number_id == parts[0]), None)
        if number and method == "POST" and parts[1:] in (["messages"], ["marketing_messages"]):
            if "whatsapp_business_messaging" not in number.scopes:
                raise GraphError(10)
            if parts[1] == "messages" and b"?" not in request.url:
                self.sends[request.url] = number
            return messages(self.world, number, request, marketing=parts[1] == "marketing_messages")
        return self._manage(mine, method, parts, request)

    def _who(self, request: Request) -> list[Number]:
        """The numbers that the token may use. Raises 104 or 190."""
        auth = request.headers.get(b"authorization", b"").decode("latin-1")
        scheme, _, token = auth.partition(" ")
        if not token or scheme.lower() not in ("bearer", "oauth"):
            token = request.query.get("access_token", "")
        if not token:
            raise GraphError(104, message="An access token is required to request this resource.")
        mine = [number for number in self.world.numbers.values() if number.token == token]
        if not mine:
            raise GraphError(190, message="Invalid OAuth access token - Cannot parse access token")
        return mine

    def _manage(self, mine: list[Number], method: str, parts: list[str], request: Request) -> bytes:
        world = self.world
        if not world.management.take(mine[0].waba, world.now()):
            raise GraphError(80007, "too many calls to this WhatsApp Business account")
        found = manage.handle(world, mine, method, parts, request)
        used = {"call_count": 1, "total_cputime": 1, "total_time": 1}
        usage = {mine[0].waba: [{"type": "whatsapp", **used, "estimated_time_to_regain_access": 0}]}
        headers = (
            (b"facebook-api-version", self._version()),
            (b"X-App-Usage", msgspec.json.encode(used)),
            (b"X-Business-Use-Case-Usage", msgspec.json.encode(usage)),
        )
        return answer(200, msgspec.json.encode(found), headers=headers)

    def _download(self, mine: list[Number], request: Request) -> bytes:
        """A file by its short-lived address. Gone, expired or not of this token: 404. A nameless client is refused."""
        if not request.headers.get(b"user-agent"):
            return answer(400, b"Bad request", b"text/plain")
        file = self.world.media.at(request.query, self.world.now())
        if file is None or file.number not in [number.phone_number_id for number in mine]:
            return answer(404, b"Not found", b"text/plain")
        return answer(200, file.data, file.mime.encode())

    async def _admin(self, method: str, verb: str, request: Request) -> bytes:
        given: dict[str, Any] = dict(request.query)
        try:
            if request.body:
                given |= json.loads(request.body)
            return answer(200, msgspec.json.encode(await admin.call(self.world, method, verb, given)))
        except TimeoutError:
            return answer(408, b'{"error":"not in time"}')
        except LookupError as error:
            return answer(404, msgspec.json.encode({"error": str(error)}))
        except ValueError as error:
            return answer(400, msgspec.json.encode({"error": str(error)}))
