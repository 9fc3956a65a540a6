"""Is this notification from Meta? Contract §1.2: HMAC-SHA256 with the app's secret over the exact bytes of the body."""

import hmac
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

HEADER: Final = b"x-hub-signature-256"


def signed_by(secrets: Iterable[str], body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """True if exactly one signature header is there, in lower-case hex, and one of the secrets made it.

    `headers`: pairs with names in lower case, as ASGI has them. An empty secret never verifies anything; the SHA-1
    header is not read.
    """
    given = [value for name, value in headers if name == HEADER]
    if len(given) != 1:
        return False
    # Every secret is tried, so that the time taken does not tell which one fits.
    matches = [hmac.compare_digest(signature(key, body), given[0]) for key in secrets if key]
    return any(matches)


def signature(secret: str, body: bytes) -> bytes:
    """The header's value as Meta writes it."""
    # Begun once a secret; short bodies are then digested without giving the interpreter to another thread in between.
    made = _begun(secret).copy()
    made.update(body)
    return b"sha256=" + made.hexdigest().encode()


@lru_cache(maxsize=256)
def _begun(secret: str) -> hmac.HMAC:
    return hmac.new(secret.encode(), digestmod="sha256")
