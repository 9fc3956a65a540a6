"""What a network or its session may be able to do beyond the contract of `base.py`: asked with `isinstance`."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol, runtime_checkable

import msgspec

from app.connectors.base import Arrival, Channel, Check
from app.content import Content
from app.said import Sentence


class MediaFile(msgspec.Struct, frozen=True):
    """Where a file of the network can be fetched now, and what it should be. `headers` go to that host only."""

    url: str
    mime: str = ""
    sha256: str = ""
    size: int = 0
    headers: dict[str, str] = {}


class Linking(msgspec.Struct, frozen=True):
    """What links a device: the text of the QR code that the phone is to scan now, the code that its owner may type
    instead, and the number that is linked. Each is '' while there is none. Never stored and never logged. `note`: a key
    of `SENTENCES` with what its owner should know while it works."""

    qr: str = ""
    code: str = ""
    number: str = ""
    note: str = ""


Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[tuple[int, bytes]]]  # address, body, headers


@runtime_checkable
class MarksRead(Protocol):
    """Optional: the network can be told that a message was read, with "typing" shown at the same time."""

    async def mark_read(self, provider_id: str, *, typing: bool) -> None: ...


@runtime_checkable
class FetchesMedia(Protocol):
    """Optional: the network hands out files by id. Raises `SendFailed` (same meaning of certain and temporary)."""

    async def locate_media(self, provider_id: str) -> MediaFile: ...


@runtime_checkable
class DeliversMedia(Protocol):
    """Optional: only the session itself can read the network's files. Raises `SendFailed` as above."""

    async def fetch_media(self, provider_id: str) -> bytes: ...


@runtime_checkable
class ReadsUrls(Protocol):
    """Optional: files go out as bytes only, so the session is told how to read an address. Reading raises
    `SendFailed`."""

    def read_urls_with(self, read: Callable[[str], Awaitable[bytes]]) -> None: ...


@runtime_checkable
class PostsUrls(Protocol):
    """Optional: messages go to an address that a person typed, so the session is told how to post there. Posting raises
    `SendFailed`, which says whether anything can have arrived."""

    def post_with(self, post: Post) -> None: ...


@runtime_checkable
class KeepsKeys(Protocol):
    """Optional: the network's client has tables of its own, whose place the installation knows: `find` makes it if it
    is missing and tells its URL, '' for a file in the data folder; `drop` empties it for good."""

    def keep_keys_with(self, find: Callable[[], Awaitable[str]], drop: Callable[[], Awaitable[None]]) -> None: ...


@runtime_checkable
class Links(Protocol):
    """Optional: the account is a phone, to which this device is linked."""

    def linking(self) -> Linking: ...

    async def ask_code(self) -> str:
        """A code to be typed on the phone. Raises `SendFailed` where none can be had now."""

    async def unlink(self) -> None:
        """End the link on both sides, as far as the phone can be reached, and forget its keys. Closes the session."""

    def retry(self) -> None:
        """A person wants it tried again, whatever stopped it: the next session of this channel does."""


@runtime_checkable
class Recalls(Protocol):
    """Optional, of a session: what comes in names messages of long ago (votes, quotes), so it is told how to find what
    was said under an id of the network."""

    def recall_with(self, find: Callable[[str], Awaitable[Content | None]]) -> None: ...


class Past(msgspec.Struct, frozen=True):
    """What an account did lately. Times in ms UTC, oldest first: `sent` of each message and `opened` of each first
    message to somebody who never wrote, both of the last day; `linked_at` 0 if that is not known; `closed_until`: the
    network closed the account for a while, until then."""

    sent: tuple[int, ...] = ()
    opened: tuple[int, ...] = ()
    linked_at: int = 0
    closed_until: int = 0


class Allowance(msgspec.Struct, frozen=True):
    """How many messages went out in the last day and hour, and how many may."""

    sent_in_a_day: int
    a_day: int
    sent_in_an_hour: int
    an_hour: int


@runtime_checkable
class Paces(Protocol):
    """Optional, of a session: the account has to be used as a person would, so what it did is remembered."""

    def recall(self, past: Past) -> None:
        """Called once, before it runs."""

    def allowance(self) -> Allowance: ...


@runtime_checkable
class LinksPhones(Protocol):
    """Optional, of a connector: its sessions are `Links`. `risk` is what its user has to know before linking."""

    risk: str


@runtime_checkable
class ChecksSettings(Protocol):
    """Optional, of a connector: what its settings must be, beyond being there."""

    def check_settings(self, values: Mapping[str, str]) -> dict[str, Sentence]:
        """A sentence for each setting that cannot be, by its name."""


@runtime_checkable
class Examines(Protocol):
    """Optional: the set-up can be examined ("test it")."""

    async def examine(self) -> list[Check]: ...


@runtime_checkable
class Webhook(Protocol):
    """Optional: the network calls us at `/hooks/<place>/<key>`. Verification looks at raw bytes before anything is
    parsed. `by_hand`: a person enters the address at the network, which then asks whether it is right."""

    place: str
    by_hand: bool

    def verify(self, channel: Channel, body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """`headers` as ASGI has them: pairs, names in lower case, repeated ones repeated."""

    def parse(self, body: bytes) -> list[Arrival]:
        """Raises `ValueError` if the body is not the network's JSON at all."""


@runtime_checkable
class Reads(Protocol):
    """Optional, of a session: updates can be read only by who knows what the network tells of the account, such as its
    name in a group. Then this is called instead of the webhook's `parse`."""

    def parse(self, body: bytes) -> list[Arrival]: ...


@runtime_checkable
class Acknowledges(Protocol):
    """Optional, of a session: the network waits for a word on what it told. Called once it is on disk; never raises,
    and does not wait for the network."""

    def acknowledge(self, arrivals: Iterable[Arrival]) -> None: ...
