"""Templates over the API: as the network has them, and drafts."""

from typing import Annotated, Any, Literal

import msgspec

from app import message_templates
from app.connectors.account import Draft
from app.errors import NotFound
from app.i18n import tell
from app.routes.api.endpoint import Body, Call, Page, Paging, key_of, page
from app.said import N_
from app.sending import live_channel
from app.store import message_templates as store
from app.store.message_templates import Row
from app.template import slots
from app.views import Id, Time

Components = Annotated[tuple[dict[str, Any], ...], msgspec.Meta(min_length=1, max_length=10)]
ChannelName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Value(msgspec.Struct, frozen=True):
    """What has to be given when it is sent. `key`: `body.1`, `body.first_name`, `header`, `button.0`…; `kind`: text,
    number, or file for an address."""

    key: str
    label: str
    kind: str
    example: str


class Template(msgspec.Struct, frozen=True):
    """A text that the network approves. `status` and `category` are the network's words, or DRAFT; `coming_category` is
    what it announced; `components` as in its contract; `values` is what has to be given when it is sent."""

    id: Id
    channel_id: Id
    provider_id: str | None
    name: str
    language: str
    category: str
    coming_category: str | None
    status: str
    quality: str | None
    reason: str | None
    parameter_format: str
    components: list[dict[str, Any]]
    values: list[Value]
    created_at: Time
    changed_at: Time


class Listing(Paging, frozen=True):
    """`channel` is a name or an id; without one, the templates of all channels."""

    channel: Annotated[str, msgspec.Meta(max_length=100)] = ""


class NewTemplate(Body, frozen=True):
    """`submit`: hand it in for review at once; otherwise it stays a draft."""

    channel: ChannelName
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
    language: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    category: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    components: Components
    parameter_format: Literal["POSITIONAL", "NAMED"] = "POSITIONAL"
    submit: bool = False


class Change(Body, frozen=True):
    """What is left out stays. Of a template that is not a draft, this is handed in for review at once."""

    components: Components | None = None
    category: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] | None = None
    parameter_format: Literal["POSITIONAL", "NAMED"] | None = None


class Fetching(Body, frozen=True):
    channel: ChannelName


class Fetched(msgspec.Struct, frozen=True):
    templates: int


async def index(call: Call, query: Listing) -> Page[Template]:
    """By id; of one channel by name."""
    reader = call.rt.db.reader
    if not query.channel:
        key = key_of(query.cursor, 1) or (0,)
        rows, cursor = page(
            await reader.all(store.ALL, after=key[0], limit=query.limit + 1), query.limit, lambda row: (row.id,)
        )
        return Page([shown(row) for row in rows], cursor)
    channel = (await live_channel(call.rt, query.channel)).row
    key = key_of(query.cursor, 1) or (0,)
    after = await reader.one(store.BY_ID, id=key[0]) if key[0] else None
    if key[0] and after is None:
        raise NotFound(N_("The template at which this page ends is not there any more; begin anew."))
    found = await reader.all(
        store.LIST, channel_id=channel.id, name=after.name if after else "",
        language=after.language if after else "", limit=query.limit + 1,
    )  # fmt: skip
    rows, cursor = page(found, query.limit, lambda row: (row.id,))
    return Page([shown(row) for row in rows], cursor)


async def create(call: Call, body: NewTemplate) -> Template:
    live = await live_channel(call.rt, body.channel)
    draft = Draft(body.name, body.language, body.category, body.components, body.parameter_format == "NAMED")
    template_id = await message_templates.create(call.rt, live.row.id, draft)
    if body.submit:
        await message_templates.submit(call.rt, template_id)
    return await _read(call, template_id)


async def fetch(call: Call, body: Fetching) -> Fetched:
    """Ask the network for all of a channel's templates; answered once they are stored."""
    live = await live_channel(call.rt, body.channel)
    return Fetched(await message_templates.fetch(call.rt, live.row.id))


async def show(call: Call) -> Template:
    return await _read(call, call.id)


async def change(call: Call, body: Change) -> Template:
    old = message_templates.draft_of(await message_templates.get(call.rt.db.reader, call.id))
    draft = Draft(
        old.name, old.language, old.category if body.category is None else body.category,
        old.components if body.components is None else body.components,
        old.named if body.parameter_format is None else body.parameter_format == "NAMED",
    )  # fmt: skip
    await message_templates.change(call.rt, call.id, draft)
    return await _read(call, call.id)


async def submit(call: Call) -> Template:
    """Hand a draft in for review."""
    await message_templates.submit(call.rt, call.id)
    return await _read(call, call.id)


async def delete(call: Call) -> None:
    """At the network and here."""
    await message_templates.delete(call.rt, call.id)


async def _read(call: Call, template_id: int) -> Template:
    return shown(await message_templates.get(call.rt.db.reader, template_id))


def shown(row: Row) -> Template:
    draft, parts = message_templates.draft_of(row), message_templates.parts_of(row)
    return Template(
        str(row.id), str(row.channel_id), row.provider_id or None, row.name, row.language, row.category,
        row.coming or None, row.status, row.quality or None, row.reason or None,
        "NAMED" if row.named else "POSITIONAL", list(draft.components),
        [Value(slot.key, tell(slot.label), slot.kind, slot.example) for slot in slots(parts)],
        row.created_at, row.changed_at,
    )  # fmt: skip
