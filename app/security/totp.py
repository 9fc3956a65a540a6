"""One-time codes by time (TOTP, RFC 6238) as authenticator apps make them: SHA-1, six digits, 30 seconds. Pure.

A code is right for its own half minute and the ones before and after it, because clocks of phones differ. Whoever
calls keeps the step of the last code that was taken: an earlier or equal one is never taken again.
"""

import hmac
import secrets
from base64 import b32decode, b32encode
from typing import Final
from urllib.parse import quote, urlencode

PERIOD: Final = 30_000  # ms
DIGITS: Final = 6
DRIFT: Final = 1  # steps before and after the present one
SEED: Final = 20  # bytes, as long as the hash (RFC 4226, 4)


def new_seed() -> str:
    """A secret for an app, as base32 without padding."""
    return b32encode(secrets.token_bytes(SEED)).decode()


def code_at(seed: str, step: int) -> str:
    """The code of a time step (RFC 4226, 5.3)."""
    mac = hmac.digest(b32decode(seed), step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(seed: str, code: str, now: int, after: int) -> int | None:
    """The time step later than `after` to which this code belongs at `now` (ms UTC), or None. Every step is compared,
    each in constant time."""
    given, found = code.encode("utf-8", "replace"), None
    for step in range(now // PERIOD - DRIFT, now // PERIOD + DRIFT + 1):
        if hmac.compare_digest(code_at(seed, step).encode(), given) and step > after:
            found = step
    return found


def address(seed: str, email: str, issuer: str) -> str:
    """What the QR code says: an `otpauth:` address."""
    values = {"secret": seed, "issuer": issuer, "algorithm": "SHA1", "digits": DIGITS, "period": PERIOD // 1000}
    return f"otpauth://totp/{quote(f'{issuer}:{email}')}?{urlencode(values, quote_via=quote)}"
