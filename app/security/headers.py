"""Headers of every answer (S20) and the content policy of pages (§2.3): scripts run by nonce only, never inline."""

import secrets
from typing import Final

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types htmx"
)
OTHER_POLICY: Final = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
COMMON: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
HSTS: Final = (b"strict-transport-security", b"max-age=31536000")

Headers = list[tuple[bytes, bytes]]


def new_nonce() -> str:
    """128 bits, new for every answer."""
    return secrets.token_urlsafe(16)


def complete(headers: Headers, *, status: int, nonce: str, request_id: str, https: bool) -> Headers:
    """The answer's own headers with what is missing. A 304 carries no policy: the browser keeps the stored answer's
    body, whose nonces belong to the stored answer's policy."""
    present = {name.lower(): value for name, value in headers}
    added = [pair for pair in COMMON if pair[0] not in present]
    if status != 304 and b"content-security-policy" not in present:
        is_page = present.get(b"content-type", b"").startswith(b"text/html")
        policy = PAGE_POLICY.format(nonce=nonce).encode() if is_page else OTHER_POLICY
        added.append((b"content-security-policy", policy))
    if b"cache-control" not in present or b"set-cookie" in present:
        headers = [pair for pair in headers if pair[0].lower() != b"cache-control"]
        added.append((b"cache-control", b"no-store"))
    if https:
        added.append(HSTS)
    added.append((b"x-request-id", request_id.encode()))
    return headers + added
