"""What a program shows to get in: a short access token (JWT, S10) or an API key (S12).

An access token is signed with HS256 only, under a key that is derived from the installation's own; it says who, with
which scopes and until when, and nothing in its header is ever followed. An API key is random and kept as its SHA-256;
its last six characters are a check sum, so that a scanner for leaked secrets can tell one.

PyJWT brings X.509 along and is imported with the first token.
"""

import secrets
import string
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import msgspec

from app.errors import Unauthenticated
from app.said import N_
from app.security.permissions import POLICY, Action

if TYPE_CHECKING:
    from jwt.types import Options

SCOPES: Final[dict[str, frozenset[Action]]] = {
    "read": frozenset({Action.READ}),
    "send": frozenset({Action.ANSWER}),
    "manage": frozenset({Action.BUILD, Action.CONNECT}),
    "admin": frozenset({Action.ADMINISTER, Action.OWN}),
}
LIFETIME: Final = 15 * 60_000
REFRESH_LIFETIME: Final = 30 * 86_400_000
KEY_LIFETIME: Final = 365 * 86_400_000
LONGEST: Final = 4096
AUDIENCE: Final = "parley"
KEY_PREFIX: Final = "pk_"
KID: Final = "1"
DIGITS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
REQUIRED: Final = ["iss", "aud", "sub", "jti", "iat", "exp", "scope", "tv"]
REFUSED: Final = N_("The token is not valid or no longer valid. Ask for a new one.")


class Claims(msgspec.Struct, frozen=True):
    """What a valid access token says. `expires_at` in ms UTC; `version` is the user's when it was given."""

    user_id: int
    scopes: frozenset[str]
    jti: str
    expires_at: int
    version: int


class Signer:
    """Gives and reads access tokens of this installation: `keys` have 256 bits each, the last one signs; `install` is
    the issuer."""

    def __init__(self, keys: Callable[[], list[bytes]], install: str) -> None:
        self._keys = keys
        self._install = install

    def give(self, user_id: int, version: int, scopes: frozenset[str], now: int) -> str:
        """A token that is good for 15 minutes from `now` (ms UTC)."""
        import jwt

        claims = {
            "iss": self._install,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "jti": secrets.token_hex(16),
            "iat": now // 1000,
            "exp": (now + LIFETIME) // 1000,
            "scope": text_of(scopes),
            "tv": version,
        }
        return jwt.encode(claims, self._keys()[-1], "HS256", headers={"typ": "at+jwt", "kid": KID})

    def read(self, token: str, now: int) -> Claims:
        """Raises Unauthenticated on anything that this installation did not sign, or whose time is over."""
        import jwt

        if len(token) > LONGEST:
            raise Unauthenticated(REFUSED)
        try:
            header = jwt.get_unverified_header(token)
            if (header.get("typ"), header.get("kid")) != ("at+jwt", KID):
                raise Unauthenticated(REFUSED)
            if "crit" in header or header.get("b64", True) is not True:
                raise Unauthenticated(REFUSED)
            claims = self._claims(token)
            found = Claims(
                int(claims["sub"]), scopes_of(claims["scope"]), claims["jti"], int(claims["exp"]) * 1000,
                int(claims["tv"]),
            )  # fmt: skip
            given_at = int(claims["iat"]) * 1000
        except (jwt.PyJWTError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise Unauthenticated(REFUSED) from error
        if not given_at - 60_000 <= now < found.expires_at:
            raise Unauthenticated(REFUSED)
        return found

    def _claims(self, token: str) -> dict[str, Any]:
        """By the key that signs, else by one that was replaced lately. Raises `jwt.PyJWTError`."""
        import jwt

        # The clock is ours, so its claims are looked at by the caller.
        options: Options = {"require": REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
        *older, current = self._keys()
        for key in older:
            with suppress(jwt.InvalidSignatureError):
                return jwt.decode(token, key, ["HS256"], audience=AUDIENCE, issuer=self._install, options=options)
        return jwt.decode(token, current, ["HS256"], audience=AUDIENCE, issuer=self._install, options=options)


def text_of(scopes: frozenset[str]) -> str:
    """Scopes as one text, in the order of the table."""
    return " ".join(scope for scope in SCOPES if scope in scopes)


def scopes_of(text: str) -> frozenset[str]:
    return frozenset(text.split()) & SCOPES.keys()


def actions(role: str, scopes: frozenset[str]) -> frozenset[Action]:
    """What somebody of this role may do with these scopes."""
    wanted: frozenset[Action] = frozenset().union(*(SCOPES[scope] for scope in scopes))
    return wanted & POLICY.get(role, frozenset())


def scopes_for(role: str) -> frozenset[str]:
    """The scopes of which this role may do anything."""
    return frozenset(scope for scope, allowed in SCOPES.items() if allowed & POLICY.get(role, frozenset()))


def new_key() -> str:
    """A new API key; whoever asked sees it once."""
    body = _base62(int.from_bytes(secrets.token_bytes(32)), 43)
    return f"{KEY_PREFIX}{body}{_check(body)}"


def is_key(text: str) -> bool:
    """Is this shaped like one of our keys, check sum included."""
    body = text[len(KEY_PREFIX) : -6]
    return text.startswith(KEY_PREFIX) and len(text) == len(KEY_PREFIX) + 49 and _check(body) == text[-6:]


def digest(secret: str) -> str:
    """How a key or a refresh token is kept."""
    return sha256(secret.encode()).hexdigest()


def _check(body: str) -> str:
    return _base62(crc32(body.encode()), 6)


def _base62(number: int, length: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 62)
        text = DIGITS[digit] + text
    return text.rjust(length, "0")
