"""Files that go out from an address that an author wrote, for networks that take bytes only. The address is judged as
any that people type (`security/outbound.py`)."""

from typing import Final

from app.connectors.base import Problem, SendFailed
from app.security.outbound import Outbound, OutboundError

BIGGEST: Final = 100 * 1024 * 1024
TIMEOUT: Final = 120.0  # seconds for one file
OK: Final = 200


async def read(client: Outbound, url: str) -> bytes:
    """The bytes at this address. Raises `SendFailed`: nothing was sent then."""
    try:
        answer = await client.request("GET", url, timeout=TIMEOUT, most=BIGGEST)
    except OutboundError as error:
        temporary = error.code in ("timeout", "unreachable")
        raise SendFailed(Problem("send.file_unread", error.said), certain=True, temporary=temporary) from error
    if answer.status != OK:
        problem = Problem("send.file_unread", detail=f"HTTP {answer.status}")
        raise SendFailed(problem, certain=True, temporary=answer.status >= 500)
    return answer.body
