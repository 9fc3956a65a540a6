"""sse-starlette with a queue for each listener: the same events. Argument: port."""

import asyncio
import sys
from collections.abc import AsyncIterator

import uvicorn
from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

DATA = '{"conversation_id":"383434418095652864","id":"383434418095652999"}'
listeners: set[asyncio.Queue[dict[str, str]]] = set()


async def events(request: Request) -> EventSourceResponse:
    async def stream() -> AsyncIterator[dict[str, str]]:
        queue: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            listeners.discard(queue)

    return EventSourceResponse(stream())


async def ring(request: Request) -> PlainTextResponse:
    for at in range(int(request.query_params["events"])):
        for queue in listeners:
            queue.put_nowait({"id": str(at), "event": f"conversation-{at}", "data": DATA})
    return PlainTextResponse("ok")


if __name__ == "__main__":
    app = Starlette(routes=[Route("/events", events), Route("/ring", ring, methods=["POST"])])
    uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False, log_level="warning")
