"""How large a body may be. Starlette's own limit answers in plain text; here it is an error like any other, so that
page and program are told in their own way."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEY = "parley.body"


class BodyLimit:
    """At most `most` bytes (S15), told before the first of them is read where the head says so. Around the whole
    application and around an address that takes more: the inner one holds."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        outer, scope[KEY] = KEY in scope, self.most
        if outer or scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        told = [value for name, value in scope["headers"] if name == b"content-length"]
        declared, taken = int(told[0]) if told and told[0].isdigit() else 0, 0

        async def limited() -> Message:
            nonlocal taken
            if declared > scope[KEY]:
                raise HTTPException(413)
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > scope[KEY]:
                raise HTTPException(413)
            return message

        await self.app(scope, limited, send)
