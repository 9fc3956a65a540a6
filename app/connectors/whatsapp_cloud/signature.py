"""Is this notification from Meta? Contract §1.2: HMAC-SHA256 with the app's secret over the exact bytes of the body."""

import hmac
import re
from collections.abc import Iterable
from typing import Final

HEADER: Final = b"x-hub-signature-256"
_FORM = re.compile(rb"sha256=([0-9a-f]{64})")


def signed_by(secrets: Iterable[str], body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """True if exactly one signature header is there, in lower-case hex, and one of the secrets made it.

    `headers`: pairs with names in lower case, as ASGI has them. An empty secret never verifies anything; the SHA-1
    header is not read.
    """
    values = [value for name, value in headers if name == HEADER]
    form = _FORM.fullmatch(values[0]) if len(values) == 1 else None
    if form is None:
        return False
    given = bytes.fromhex(form[1].decode())
    # Every secret is tried, so that the time taken does not tell which one fits.
    matches = [hmac.compare_digest(hmac.digest(key.encode(), body, "sha256"), given) for key in secrets if key]
    return any(matches)
