"""In front of the API: whoever is known and asks too often is refused before anything else is done for the request
(S14), so that a flood costs next to nothing. Whoever is not known yet is counted where they are recognised."""

import msgspec
from starlette.datastructures import State
from starlette.types import Scope

from app.clock import Clock
from app.i18n import tell
from app.routes.api.callers import Callers, bucket, pace
from app.routes.api.endpoint import Caller
from app.routes.api.openapi import PREFIX
from app.security import access, headers
from app.security.limits import TOO_MANY


def excess(scope: Scope, shared: State, clock: Clock) -> tuple[Caller, float] | None:
    """Who asks too often, and for how many seconds they have to wait; None for every other request. `shared`: the
    application's."""
    if not scope["path"].startswith(PREFIX):
        return None
    shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    callers: Callers = shared.callers
    caller = callers.find(access.digest(shown[7:].decode("latin-1").strip()), clock.now()) if shown else None
    if caller is None:
        return None
    wait = shared.limits.wait(bucket(caller), pace(caller)[0])
    return (caller, wait) if wait else None


def refusal(caller: Caller, wait: float, request_id: str, https: bool) -> tuple[headers.Headers, bytes]:
    """Headers and body of a 429."""
    said = {"code": "too_many", "message": tell(TOO_MANY), "request_id": request_id}
    body = msgspec.json.encode({"error": said})
    own = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"%d" % max(1, round(wait + 0.5))),
        (b"ratelimit-policy", f'"api";q={pace(caller)[1]}'.encode()),
        (b"ratelimit", b'"api";r=0;t=1'),
    ]
    return headers.complete(own, status=429, nonce="", request_id=request_id, https=https), body
