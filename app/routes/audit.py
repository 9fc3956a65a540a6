"""The audit log's page: who changed what, newest first, and whether the log itself is whole."""

from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from app import audit
from app.routes.respond import page
from app.store import audits as store

if TYPE_CHECKING:
    from app.runtime import Runtime

ROWS: Final = 100
LAST: Final = 2**62


async def show(request: Request) -> Response:
    """`before` is the number of the last line of the page before; `action` chooses one kind."""
    rt: Runtime = request.state.rt
    before, action = request.query_params.get("before", ""), request.query_params.get("action", "")
    start = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else LAST
    if action in audit.ACTIONS:
        found = await rt.db.reader.all(store.BY_ACTION, action=action, before=start, limit=ROWS + 1)
    else:
        found = await rt.db.reader.all(store.NEWEST, before=start, limit=ROWS + 1)
    more = len(found) > ROWS
    return await page(
        request, "settings/audit.html", lines=found[:ROWS], more=more, action=action, actions=audit.ACTIONS
    )


async def check(request: Request) -> Response:
    """Follow the chain from end to end."""
    rt: Runtime = request.state.rt
    found = await rt.db.read(audit.verify)
    return await page(request, "settings/audit.html", verdict=found)
