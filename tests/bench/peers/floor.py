"""The floor: uvicorn with uvloop and httptools, a Starlette route that reads the body and says ok."""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def hook(request: Request) -> PlainTextResponse:
    await request.body()
    return PlainTextResponse("ok")


if __name__ == "__main__":
    app = Starlette(routes=[Route("/hook", hook, methods=["POST"])])
    uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False, log_level="warning")
