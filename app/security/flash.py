"""One sentence that the next page shows, carried by the browser in a signed cookie: nothing is stored for it."""

from collections.abc import Callable
from hashlib import sha256
from urllib.parse import quote, unquote

from itsdangerous import BadSignature, TimestampSigner

MAX_AGE = 60


class Flash:
    def __init__(self, keys: Callable[[], list[bytes]]) -> None:
        self._keys = keys

    @property
    def signer(self) -> TimestampSigner:
        return TimestampSigner(self._keys(), salt="flash", digest_method=sha256)

    def write(self, sentence: str) -> str:
        return self.signer.sign(quote(sentence)).decode("ascii")

    def read(self, value: str) -> str:
        """The sentence, or '' where there is none, it is old or not ours."""
        try:
            return unquote(self.signer.unsign(value, max_age=MAX_AGE).decode("ascii")) if value else ""
        except (BadSignature, UnicodeError):
            return ""
