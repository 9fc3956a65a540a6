"""Requests that change something must come from our own pages (S8).

First the browser's own word (`Sec-Fetch-Site`), else `Origin` against the host asked; neither means no. On top of it
the token of the session, from the header `X-CSRF-Token` (htmx) or the field `csrf` (plain forms).
"""

import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from app.errors import Forbidden
from app.said import N_

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD: Final = "csrf"
HEADER: Final = "x-csrf-token"
REFUSED: Final = N_("This did not come from a page of this dashboard. Open the page again and repeat it there.")
STALE: Final = N_("This page is from an earlier session. Open it again and repeat what you did.")


def check_origin(headers: Mapping[str, str], origins: frozenset[str]) -> None:
    """`origins`: what counts as ourselves, as `scheme://host[:port]`. Raises Forbidden."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise Forbidden(REFUSED, code="cross_site")
    elif headers.get("origin", "").lower() not in origins:
        raise Forbidden(REFUSED, code="cross_site")


def origins(scheme: str, host: str, public_url: str) -> frozenset[str]:
    """The page's own address as the browser sees it, and the configured public one."""
    found = {f"{scheme}://{host}".lower()}
    if public_url:
        parts = urlsplit(public_url)
        found.add(f"{parts.scheme}://{parts.netloc}".lower())
    return frozenset(found)


def check_token(expected: str, given: str) -> None:
    """Raises Forbidden unless the token is the session's own."""
    if not given or not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise Forbidden(STALE, code="stale_page")
