"""How one request of a program is answered: who asks, not too often, may they, what did they send, and the answer.

The only way in is `Authorization: Bearer` with an access token or an API key; cookies count for nothing here, so no
other site can use a browser that is logged in.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app import i18n, tokens, within
from app.audit import Actor, acting
from app.errors import ParleyError
from app.routes.api import reading
from app.routes.api.callers import count, identify, refusal
from app.routes.api.endpoint import Call, Caller, Endpoint, Once, Shape, Upload, is_upload, tag_of
from app.routes.guard import check_ids
from app.routes.site import Handler
from app.said import N_


def handle(endpoint: Endpoint, shown: Endpoint | None = None) -> Handler:
    """The handler of one line of the API. `shown`: the line that shows what it changes."""
    shape = endpoint.shape()

    async def answer(request: Request) -> Response:
        check_ids(request)
        i18n.speak("en", "UTC")
        caller = await identify(request)
        acting.set(Actor(caller.user.email if caller.user else caller.name, caller.user_id, request.state.origin.ip))
        limit = count(request, caller)
        if endpoint.may is not None and endpoint.may not in caller.actions:
            raise refusal(caller)
        id = request.path_params.get("id")
        await within.enter(request.state.rt.db.reader, caller.channels, endpoint.path, None if id is None else int(id))
        given = await read(request, endpoint, shape)
        call = Call(request, caller, asked(request, caller, endpoint, shape))
        async with unchanged(call, endpoint, shown):
            response = send(request, endpoint, await endpoint.handler(call, **given))
        response.headers.update(limit)
        return response

    return answer


# ---- only as it was seen --------------------------------------------------------------------------------------------


class Changed(ParleyError):
    """The thing is not what the program saw."""

    status = 412
    code = "changed"


_changing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


@asynccontextmanager
async def unchanged(call: Call, endpoint: Endpoint, shown: Endpoint | None) -> AsyncIterator[None]:
    """With `If-Match`, only while the thing is as its ETag says; programs that change one thing so take turns. Raises
    `Changed`, and `BadRequest` where nothing has a tag."""
    wanted = call.request.headers.get("if-match")
    if wanted is None or not endpoint.changes_one:
        yield
        return
    if shown is None:
        raise reading.BadRequest(N_("This has no ETag, so If-Match cannot be kept to."))
    path = call.request.scope["path"]
    async with _changing.setdefault(path, asyncio.Lock()):
        now = tag_of(msgspec.json.encode(await shown.handler(call)))
        if wanted.strip() != "*" and now not in [tag.strip() for tag in wanted.split(",")]:
            raise Changed(N_("It was changed since. Get it again, and look at what is different."))
        yield


# ---- what was sent --------------------------------------------------------------------------------------------------


async def read(request: Request, endpoint: Endpoint, shape: Shape) -> dict[str, Any]:
    """The arguments of the handler."""
    given: dict[str, Any] = {}
    if shape.query is not None:
        given["query"] = read_query(request, shape.query)
    elif request.query_params:
        raise reading.BadRequest(N_("This address takes nothing behind the “?”."))
    if is_upload(shape.body):
        given["body"] = upload(request, shape.body)
    elif shape.body is not None:
        async with request.app.state.bodies:
            body = await request.body()
        given["body"] = reading.read(body, request.headers.get("content-type", ""), shape.body)
    return given


def upload(request: Request, kind: type[Upload]) -> Upload:
    found = kind(request)
    if "*/*" not in kind.kinds and found.kind not in kind.kinds:
        raise reading.WrongKind(N_("Send the file itself as the body, with Content-Type: {kind}.", kind=kind.kinds[0]))
    return found


def read_query(request: Request, kind: Any) -> Any:
    pairs = request.query_params.multi_items()
    found = dict(pairs)
    if len(found) != len(pairs):
        raise reading.BadRequest(N_("A name stands behind the “?” twice."))
    if any("\0" in value for value in found.values()):
        raise reading.BadRequest(reading.NOT_TEXT)
    return reading.fit(found, kind, loose=True)


def asked(request: Request, caller: Caller, endpoint: Endpoint, shape: Shape) -> tokens.Asked | None:
    """What makes the request known again. Raises `BadRequest` where something would be made twice all the same."""
    name = request.headers.get("idempotency-key")
    if name is None or not shape.idempotent:
        if name is not None and endpoint.method == "POST" and endpoint.status == 201:
            raise reading.BadRequest(
                N_("An Idempotency-Key is not kept to here. Look whether it is there before you ask again without one.")
            )
        return None
    # Starlette keeps the body that was read.
    body: bytes = getattr(request, "_body", b"")
    digest = tokens.digest(b"\0".join([request.method.encode(), request.scope["path"].encode(), body]))
    return tokens.Asked(caller.name, tokens.check_name(name), digest)


# ---- the answer -----------------------------------------------------------------------------------------------------


def send(request: Request, endpoint: Endpoint, answer: Any) -> Response:
    if isinstance(answer, Response):
        return answer
    headers = {"Cache-Control": "no-store"}
    if answer is None:
        return Response(status_code=204, headers=headers)
    if isinstance(answer, Once):
        body = answer.answer.encode()
        headers |= {"Idempotent-Replayed": "true"} if answer.replayed else {}
    else:
        body = msgspec.json.encode(answer)
    if endpoint.has_tag:
        headers |= {"ETag": tag_of(body), "Cache-Control": "private, no-cache"}
        if headers["ETag"] in [
            tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")
        ]:
            return Response(status_code=304, headers=headers)
    return Response(body, endpoint.status, headers, media_type="application/json")
