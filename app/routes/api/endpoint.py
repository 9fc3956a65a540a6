"""What a line of the API is, and what a handler is given.

A handler's signature is its contract: `query` and `body` are msgspec structs and its return type is what is answered.
From it come the checks of a request, the answer, and the OpenAPI document; nothing is said twice.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Final,
    Generic,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from app import tokens
from app.errors import Invalid
from app.routes.site import BODY
from app.said import N_
from app.security.permissions import Action
from app.store import users
from app.store.users import User
from app.views import ID
from app.within import Channels

if TYPE_CHECKING:
    from app.db import Tx
    from app.runtime import Runtime

T = TypeVar("T")

Limit = Annotated[int, msgspec.Meta(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[str, msgspec.Meta(max_length=200, description="`next_cursor` of the page before.")]


class Caller(msgspec.Struct, frozen=True):
    """Who asks. `name` is unique among callers and safe to log; `user` is None for a key that was made on the
    machine; `jti` is of the access token, if it is one; `expires_at` when the credential ends (ms UTC, 0 never);
    `rate` of a key, None as everybody; `channels` are all that it sees, None: every one."""

    name: str
    actions: frozenset[Action]
    scopes: frozenset[str]
    user: User | None = None
    key_id: int | None = None
    user_id: int | None = None
    rate: float | None = None
    jti: str = ""
    expires_at: int = 0
    channels: Channels = None

    def sees(self, channel_id: int) -> bool:
        """May it know of this channel."""
        return self.channels is None or channel_id in self.channels


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may stand behind the `?` of an address; anything else is refused by name."""


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a program sends."""


class Paging(Query, frozen=True):
    limit: Limit = 50
    cursor: Cursor = ""


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some of a list. `next_cursor` asks for what follows; null at the end."""

    items: list[T]
    next_cursor: str | None


class Once(Generic[T]):
    """An answer that is kept as JSON; `replayed`: it was given before."""

    def __init__(self, answer: str, replayed: bool) -> None:
        self.answer, self.replayed = answer, replayed


class Csv(StreamingResponse):
    """A list as a file that is sent while it is read."""

    media_type = "text/csv"

    @staticmethod
    def attachment(name: str) -> dict[str, str]:
        return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}


class Rows(Csv):
    """A list as a file in the form that the program chose."""

    media_types: ClassVar[dict[str, str]] = {"csv": "text/csv", "ndjson": "application/x-ndjson"}

    def __init__(self, name: str, format: str, pieces: AsyncIterator[str]) -> None:
        super().__init__(pieces, headers=self.attachment(f"{name}.{format}"), media_type=self.media_types[format])


class Binary(FileResponse):
    """A file as it was stored."""


class Upload:
    """A body that is read piece by piece while it comes, whatever its size. `kinds`: how it may be named."""

    kinds: ClassVar[tuple[str, ...]] = ("application/octet-stream",)

    def __init__(self, request: Request) -> None:
        self.pieces = request.stream()
        self.kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()


class AnyUpload(Upload):
    """What it is, its first bytes say, and not its name."""

    kinds = ("application/octet-stream", "*/*")


class CsvUpload(Upload):
    kinds = ("text/csv",)


def is_file(kind: Any) -> bool:
    """An answer that is no JSON."""
    return isinstance(kind, type) and issubclass(kind, Response)


def is_upload(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Upload)


class Call:
    """One request of a program: who asks, by which address, and what may be used to answer."""

    def __init__(self, request: Request, caller: Caller, asked: tokens.Asked | None = None) -> None:
        self.request, self.caller, self.asked = request, caller, asked
        self.rt: Runtime = request.state.rt

    @property
    def id(self) -> int:
        """The id in the address."""
        return int(self.request.path_params["id"])

    async def person(self) -> User | None:
        """The user for whom this is done, None for a key that belongs to nobody."""
        caller = self.caller
        if caller.user is None and caller.user_id is not None:
            return await self.rt.db.reader.one(users.BY_ID, id=caller.user_id)
        return caller.user

    async def once(self, unit: "Callable[..., T]", *args: Any) -> "Once[T]":
        """Run a unit of work; with an `Idempotency-Key`, once for all requests that have it (P24)."""
        return Once(*await self.rt.db.write(_once, self.asked, unit, args))


def _once(tx: "Tx", asked: tokens.Asked | None, unit: Callable[..., Any], args: tuple[Any, ...]) -> tuple[str, bool]:
    return tokens.once(tx, asked, unit, *args)


class Shape(msgspec.Struct, frozen=True):
    """What a handler takes and gives, read from its signature. `answer` None: nothing."""

    query: Any
    body: Any
    answer: Any
    idempotent: bool


class Endpoint(msgspec.Struct, frozen=True):
    """One line of the API. `may` None: without any credential; `status` is that of success; `largest` is the most bytes
    of a body; `summary` says in the docs what it does."""

    method: str
    path: str
    handler: Callable[..., Awaitable[Any]]
    name: str
    may: Action | None
    summary: str
    status: int = 200
    largest: int = BODY

    @property
    def tag(self) -> str:
        return self.path.split("/")[1]

    @property
    def has_tag(self) -> bool:
        """Is the answer one thing, with an `ETag`."""
        return self.method == "GET" and "{" in self.path and not is_file(get_type_hints(self.handler)["return"])

    @property
    def changes_one(self) -> bool:
        """Does it change, or end, one thing: then `If-Match` may say which state of it is meant."""
        return self.method in ("PATCH", "PUT", "DELETE") and "{" in self.path

    def shape(self) -> Shape:
        hints = get_type_hints(self.handler, include_extras=True)
        answer = hints["return"]
        idempotent = get_origin(answer) is Once
        if idempotent:
            (answer,) = get_args(answer)
        return Shape(hints.get("query"), hints.get("body"), None if answer is type(None) else answer, idempotent)


# ---- pages of a list ------------------------------------------------------------------------------------------------


FIRST: Final = 2**62


def key_of(cursor: str, length: int) -> tuple[int, ...] | None:
    """The key behind a cursor, None for the first page. Raises `Invalid` for what is none of ours."""
    if not cursor:
        return None
    parts = cursor.split(".")
    if len(parts) != length or not all(re.fullmatch(ID, part) for part in parts):
        raise Invalid(N_("This cursor is not one that was given out."), fields={"cursor": N_("Take next_cursor.")})
    return tuple(int(part) for part in parts)


def page(found: list[T], limit: int, key: Callable[[T], tuple[int, ...]]) -> tuple[list[T], str | None]:
    """A page of rows of which one more than `limit` was read, and the cursor of the next."""
    shown = found[:limit]
    more = len(found) > limit
    return shown, ".".join(str(part) for part in key(shown[-1])) if more else None


def tag_of(body: bytes) -> str:
    """The ETag of an answer."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
