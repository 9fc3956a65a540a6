"""Addresses that people type, as connectors use them: files for networks that take bytes only, messages to gateways.
Each is judged as any other (`security/addresses.py`)."""

from collections.abc import Mapping
from typing import Final

from app.connectors.base import Problem, Scope, SendFailed
from app.security.addresses import OutboundError
from app.security.outbound import Outbound

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


async def post(client: Outbound, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Status and body of the answer. Raises `SendFailed`."""
    try:
        answer = await client.request("POST", url, headers=headers, body=body)
    except OutboundError as error:
        if error.sent:
            raise SendFailed(Problem("send.no_answer", error.said), certain=False, temporary=True) from error
        problem = Problem("send.unreachable", error.said)
        temporary = error.code in ("timeout", "unreachable")
        raise SendFailed(problem, certain=True, temporary=temporary, scope=Scope.CHANNEL) from error
    return answer.status, answer.body
