"""The nouns as rows: frozen structs whose field order is the column order of the queries that make them."""

from typing import Any, Literal

import msgspec

Mode = Literal["bot", "waiting", "person"]


class Found(msgspec.Struct, frozen=True):
    """A contact and, if there is one, its conversation on a channel: all that a turn needs, in one read. `merges`: of
    how many others it was made."""

    contact_id: int
    name: str
    phone: str
    username: str
    language: str
    tags: str
    fields: str
    created_at: int
    conversation_id: int | None
    address: str
    state: str
    version_id: int | None
    mode: str
    places: int
    pending: int
    budget: str
    known: int
    heard_at: int
    closed_at: int | None
    opted_out_at: int | None
    merges: int


class Stranger(Found, frozen=True):
    """Somebody who was never heard before. `row`: the conversation as it will be written, empty once it is written
    (`Tx.later`)."""

    row: dict[str, Any]


class Conversation(msgspec.Struct, frozen=True):
    """One chat on one channel. `address` is JSON of `connectors.base.Address`; `state` the bot's memory as JSON."""

    id: int
    channel_id: int
    contact_id: int
    thread: str
    address: str
    mode: str
    taken_by: int | None
    waiting_since: int | None
    closed_at: int | None
    places: int
    heard_at: int


class Message(msgspec.Struct, frozen=True):
    """One message as the outbox and receipts need it."""

    id: int
    conversation_id: int
    channel_id: int
    direction: str
    status: str
    provider_id: str | None


class Queued(msgspec.Struct, frozen=True):
    """An outbox row with what is needed to send it."""

    message_id: int
    conversation_id: int
    place: int
    attempts: int
    content: str
    reply_to: str
    address: str
    heard_at: int


class ChannelRow(msgspec.Struct, frozen=True):
    """A configured account of a connector. `config` and `secrets` are JSON objects; secrets are sealed one by one."""

    id: int
    key: str
    name: str
    connector: str
    account: str
    config: str
    secrets: str
    rate: float
    version_id: int | None
    state: str
    state_code: str
    state_detail: str
    state_at: int
    halted_at: int | None
    verified_at: int | None
    heard_at: int | None
    created_at: int


class Job(msgspec.Struct, frozen=True):
    """Durable work. `subject` makes it unique within its kind; `payload` is JSON; `host` is whom a call goes to."""

    id: int
    kind: str
    subject: str
    payload: str
    attempts: int
    conversation_id: int | None = None
    host: str | None = None


class MediaRow(msgspec.Struct, frozen=True):
    """A file of a message: wanted, stored, failed or expired. Stored files lie under their hash (`storage`)."""

    id: int
    channel_id: int
    message_id: int | None
    provider_id: str
    url: str
    mime: str
    filename: str
    sha256: str
    size: int
    state: str
    problem: str
    created_at: int
