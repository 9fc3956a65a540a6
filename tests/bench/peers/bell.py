"""The product's own event stream without its log-in: the same bus, responder and server. Argument: port.

`GET /events` opens a stream, `POST /ring?events=N` rings N topics that all streams listen to.
"""

import asyncio
import sys
import time
from types import SimpleNamespace
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app import server
from app.bus import Bus, Subscription
from app.events import StoredEvent
from app.routes.stream import Stream

TOPICS = [f"conversation-{number}" for number in range(50)]
heard = SimpleNamespace(listen=lambda listener: None)


class Open(Stream):
    """For everybody, and nobody looks whether a session is over."""

    async def open(self, request: Request) -> Subscription:
        subscription: Subscription = self.rt.bus.subscribe(TOPICS)
        return subscription

    async def watch_sessions(self) -> None:
        await asyncio.Event().wait()


async def main(port: int) -> None:
    # The bus alone is measured: of the database it only wants to be told, of the runtime a stream only wants the bus.
    bus = Bus(heard)

    async def ring(request: Request) -> PlainTextResponse:
        count = int(request.query_params["events"])
        now = time.time_ns() // 1_000_000
        data = b'{"conversation_id":"383434418095652864","id":"383434418095652999"}'
        bus.ring([StoredEvent(bus.seq + 1 + at, now, "message.created", (TOPICS[at],), data) for at in range(count)])
        return PlainTextResponse("ok")

    stream: Any = Open(SimpleNamespace(bus=bus))
    app = Starlette(routes=[Route("/events", stream), Route("/ring", ring, methods=["POST"])])

    async def close() -> None:
        return None

    await server.serve(app, server.listen("127.0.0.1", port), on_stop=bus.close, close=close)


if __name__ == "__main__":
    server.run(main(int(sys.argv[1])))
