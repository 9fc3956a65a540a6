"""Channels over the API: secrets go in and never come out."""

from typing import Annotated, Any, Literal

import msgspec

from app import connecting, health
from app.commands.channels import webhook
from app.connectors.states import sentence
from app.errors import NotFound
from app.i18n import tell
from app.models import ChannelRow
from app.routes.api.endpoint import Body, Call, Page, Paging, key_of, page
from app.said import N_
from app.store import channels as store
from app.views import Id, Time

Rate = Annotated[float, msgspec.Meta(ge=0, le=100_000, description="Messages a second; 0 is not paced.")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Values = dict[str, str]


class Channel(msgspec.Struct, frozen=True):
    """An account of a network. `secrets` names those that are set; `webhook` is what to enter at the network, null for
    one that does not call."""

    id: Id
    name: str
    kind: str
    account: str
    state: str
    state_text: str
    state_at: Time
    rate: float
    version_id: Id | None
    settings: dict[str, Any]
    secrets: list[str]
    webhook: str | None
    created_at: Time


class NewChannel(Body, frozen=True):
    """`values` are the settings and secrets of the kind: see `parley channel kinds`."""

    kind: Annotated[str, msgspec.Meta(max_length=50)]
    name: Name
    values: Values = msgspec.field(default_factory=dict)
    rate: Rate | None = None


class Change(Body, frozen=True):
    """What is left out stays; so does a secret that is not named."""

    name: Name | None = None
    values: Values = msgspec.field(default_factory=dict)
    rate: Rate | None = None


class Finding(msgspec.Struct, frozen=True):
    """One thing that was tried: `ok` null where it is not known yet."""

    name: str
    ok: bool | None
    remedy: str


class Findings(msgspec.Struct, frozen=True):
    findings: list[Finding]


async def index(call: Call, query: Paging) -> Page[Channel]:
    key = key_of(query.cursor, 1)
    rows = sorted(await call.rt.db.reader.all(store.ALL), key=lambda row: row.id)
    found = [row for row in rows if key is None or row.id > key[0]][: query.limit + 1]
    shown, cursor = page(found, query.limit, lambda row: (row.id,))
    return Page([_shown(call, row) for row in shown], cursor)


async def create(call: Call, body: NewChannel) -> Channel:
    return await _read(call, await connecting.add(call.rt.channels, body.kind, body.name, body.values, rate=body.rate))


async def show(call: Call) -> Channel:
    return await _read(call, call.id)


async def change(call: Call, body: Change) -> Channel:
    await connecting.change(call.rt.channels, call.id, body.values, name=body.name, rate=body.rate)
    return await _read(call, call.id)


async def delete(call: Call) -> None:
    await connecting.remove(call.rt.channels, call.id)


async def test(call: Call) -> Findings:
    return Findings(
        [Finding(each.name, each.ok, each.remedy) for each in await connecting.examine(call.rt.channels, call.id)]
    )


class Reason(msgspec.Struct, frozen=True):
    """What lowers the health by so many points, and what helps."""

    points: int
    text: str
    remedy: str


class Health(msgspec.Struct, frozen=True):
    """Of a linked phone: `score` from 0 to 100, and how much of the day's and the hour's messages is used."""

    score: int
    level: Literal["good", "fair", "poor"]
    reasons: list[Reason]
    sent_in_a_day: int
    a_day: int
    sent_in_an_hour: int
    an_hour: int


async def show_health(call: Call) -> Health:
    """How likely the network is to close the number, as far as that can be told."""
    call.rt.channels.get(call.id)
    found = await health.of(call.rt, call.id)
    if found is None:
        raise NotFound(N_("Only a linked phone has a health."))
    reasons = [Reason(one.points, tell(one.said), tell(one.remedy)) for one in found.findings]
    used = found.allowance
    return Health(found.score, found.level, reasons, used.sent_in_a_day, used.a_day, used.sent_in_an_hour, used.an_hour)


async def _read(call: Call, channel_id: int) -> Channel:
    row = await call.rt.db.reader.one(store.BY_ID, id=channel_id)
    if row is None:
        raise NotFound(N_("There is no such channel."))
    return _shown(call, row)


def _shown(call: Call, row: ChannelRow) -> Channel:
    return Channel(
        str(row.id), row.name, row.connector, row.account, row.state, tell(sentence(row.state_code)),
        row.state_at, row.rate, None if row.version_id is None else str(row.version_id),
        msgspec.json.decode(row.config), sorted(msgspec.json.decode(row.secrets)), webhook(call.rt, row),
        row.created_at,
    )  # fmt: skip
