"""One call to the Bot API. Contract §1. The token is part of every address, so no address is ever told or kept."""

import secrets
from typing import Any, Final
from urllib.parse import quote

import msgspec

from app.connectors.base import Channel, Problem, Scope, SendFailed
from app.connectors.posting import NoAnswer, NotSent, Poster
from app.connectors.telegram.errors import Refusal, failure, read

TELEGRAM_URL: Final = "https://api.telegram.org"
HEADERS: Final = {"content-type": "application/json"}

_encoder = msgspec.json.Encoder()


class _Good(msgspec.Struct):
    ok: bool
    result: msgspec.Raw


_good = msgspec.json.Decoder(_Good)


class Part(msgspec.Struct, frozen=True):
    """A file in the body of a call, in place of the value `field`."""

    field: str
    name: str
    mime: str
    data: bytes


def multipart(values: dict[str, Any], along: Part) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a form: nested values as JSON text, then the file. The name loses what would end it."""
    line = f"parley-{secrets.token_hex(16)}"
    plain = {key: value if isinstance(value, str) else _encoder.encode(value).decode() for key, value in values.items()}
    head = f"--{line}\r\nContent-Disposition: form-data"
    pieces = [f'{head}; name="{key}"\r\n\r\n{value}\r\n' for key, value in plain.items()]
    name = "".join(" " if sign in '"\\' or not sign.isprintable() else sign for sign in along.name)
    mime = "".join(sign for sign in along.mime if sign.isascii() and sign.isprintable())
    pieces.append(f'{head}; name="{along.field}"; filename="{name}"\r\nContent-Type: {mime}\r\n\r\n')
    body = b"".join(piece.encode() for piece in pieces) + along.data + f"\r\n--{line}--\r\n".encode()
    return body, {"content-type": f"multipart/form-data; boundary={line}"}


class Refused(Exception):
    """Telegram, or something on the way to it, answered that it was not done."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.status} {refusal.text}")
        self.refusal = refusal


class Api:
    """The Bot API as one bot calls it. `poster` is the caller's to close."""

    def __init__(self, channel: Channel, poster: Poster) -> None:
        self.token = channel.secrets.get("token", "")
        self._poster = poster
        url = (channel.config.get("telegram_url") or TELEGRAM_URL).rstrip("/")
        bot = f"bot{quote(self.token, safe=':')}"
        self._methods, self._files = f"{url}/{bot}", f"{url}/file/{bot}"

    async def ask(self, method: str, values: dict[str, Any], along: Part | None = None) -> bytes:
        """The result, as JSON. Raises `Refused`, and `SendFailed` where no answer came."""
        sent, headers = multipart(values, along) if along else (_encoder.encode(values), HEADERS)
        try:
            status, body = await self._poster.post(f"{self._methods}/{method}", sent, headers)
        except NotSent as why:
            problem = Problem("send.unreachable", detail=self.bare(str(why)))
            raise SendFailed(problem, certain=True, temporary=True, scope=Scope.CHANNEL) from None
        except NoAnswer as why:
            raise SendFailed(
                Problem("send.no_answer", detail=self.bare(str(why))), certain=False, temporary=True
            ) from None
        if status != 200:
            raise Refused(read(status, body))
        try:
            return bytes(_good.decode(body).result)
        except ValueError:
            problem = Problem("send.no_answer", detail=body[:200].decode(errors="replace"))
            raise SendFailed(problem, certain=False, temporary=True) from None

    async def call(self, method: str, values: dict[str, Any]) -> bytes:
        """As `ask`, with every refusal as `SendFailed`."""
        try:
            return await self.ask(method, values)
        except Refused as refused:
            raise failure(refused.refusal, self.token) from None

    def file(self, path: str) -> str:
        """Where a file can be fetched, with the token in it: for the one who fetches, and nobody else."""
        return f"{self._files}/{quote(path)}"

    def bare(self, text: str) -> str:
        return text.replace(self.token, "…").replace(quote(self.token, safe=":"), "…") if self.token else text
