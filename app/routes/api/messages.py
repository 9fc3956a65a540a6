"""Messages over the API: the one call everybody makes, and what became of it."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from app import content, corrections, files, handoff, i18n, message_templates, sending, tokens, within
from app.channels import Live
from app.connectors.base import Address
from app.content import Content
from app.db import Reader, Together, Tx
from app.errors import Invalid, NotFound, ParleyError
from app.routes.api.endpoint import Body, Call, Once
from app.routes.api.reading import fit
from app.said import N_
from app.store import listing
from app.views import ID, Message, message

if TYPE_CHECKING:
    from app.runtime import Runtime

MANY: Final = 100  # messages of one request
Phone = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
Web = Annotated[str, msgspec.Meta(pattern="^https?://", max_length=2000)]


class UserId(Body, frozen=True):
    """A business-scoped user id."""

    user_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class File(Body, frozen=True):
    """A file by its address, by the id of a file that is stored here (where the network takes files along), or, where
    the network took it before, by the network's id."""

    url: Web = ""
    media_id: Annotated[str, msgspec.Meta(max_length=200)] = ""
    caption: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    filename: Annotated[str, msgspec.Meta(max_length=240)] = ""


class Choice(Body, frozen=True):
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    id: Annotated[str, msgspec.Meta(max_length=200)] = ""
    description: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Section(Body, frozen=True):
    choices: Annotated[tuple[Choice, ...], msgspec.Meta(min_length=1, max_length=30)]
    title: Annotated[str, msgspec.Meta(max_length=200)] = ""


class ButtonsIn(Body, frozen=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
    choices: Annotated[tuple[Choice, ...], msgspec.Meta(min_length=1, max_length=30)]
    header: Annotated[str, msgspec.Meta(max_length=200)] = ""
    footer: Annotated[str, msgspec.Meta(max_length=200)] = ""


class PollIn(Body, frozen=True):
    """`many`: several answers may be chosen."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    choices: Annotated[tuple[Choice, ...], msgspec.Meta(min_length=2, max_length=12)]
    many: bool = False


class ListIn(Body, frozen=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    sections: Annotated[tuple[Section, ...], msgspec.Meta(min_length=1, max_length=10)]
    header: Annotated[str, msgspec.Meta(max_length=200)] = ""
    footer: Annotated[str, msgspec.Meta(max_length=200)] = ""


class LocationIn(Body, frozen=True):
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    name: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    address: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class CardIn(Body, frozen=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    phones: tuple[Phone, ...] = ()
    emails: tuple[Annotated[str, msgspec.Meta(max_length=254)], ...] = ()


class ReactionIn(Body, frozen=True):
    """`target` is the `provider_id` of a message; an empty `emoji` takes the reaction back."""

    target: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    emoji: Annotated[str, msgspec.Meta(max_length=40)] = ""


class TemplateIn(Body, frozen=True):
    """`components` as in the network's contract."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
    language: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    components: tuple[dict[str, Any], ...] = ()


class Sending(Body, frozen=True, omit_defaults=True):
    """Exactly one of `text`, `image`, `video`, `audio`, `document`, `sticker`, `buttons`, `list`, `location`,
    `contacts`, `reaction` and `template`. `to` is a number with its country code, a contact's id, or a user id;
    `channel` is its name or id; `reply_to` is the `provider_id` of the message that is quoted."""

    channel: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    to: Phone | UserId
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=65_536)] | None = None
    image: File | None = None
    video: File | None = None
    audio: File | None = None
    document: File | None = None
    sticker: File | None = None
    buttons: ButtonsIn | None = None
    list: ListIn | None = None
    poll: PollIn | None = None
    location: LocationIn | None = None
    contacts: Annotated[tuple[CardIn, ...], msgspec.Meta(min_length=1, max_length=257)] | None = None
    reaction: ReactionIn | None = None
    template: TemplateIn | None = None
    reply_to: Annotated[str, msgspec.Meta(max_length=500)] = ""


FILES = {
    "image": content.Image,
    "video": content.Video,
    "audio": content.Audio,
    "document": content.Document,
    "sticker": content.Sticker,
}
PARTS = (*FILES, "text", "buttons", "list", "poll", "location", "contacts", "reaction", "template")


async def send(call: Call, body: Sending) -> Once[sending.Sent]:
    """Answered once the message is on disk: 202, and it goes out as soon as the channel's pace allows."""
    live = await sending.live_channel(call.rt, body.channel)
    said = await checked(call.rt, live, await files.named(call.rt.db.reader, content_of(body)))
    to = await recipient(call.rt.db.reader, body.to)
    sent = await call.rt.db.write(SEND, call.asked, (live.here, to, said, body.reply_to, call.caller.user_id))
    if isinstance(sent, ParleyError):
        raise sent
    live.sender.wake()
    return Once(*sent)


Asking = tuple[tokens.Asked | None, sending.Wanted]


def _send(tx: Tx, asked: tokens.Asked | None, wanted: sending.Wanted) -> tuple[str, bool] | ParleyError:
    return tokens.once(tx, asked, sending.send, *wanted)


def _send_all(tx: Tx, calls: Sequence[Asking]) -> Sequence[tuple[str, bool] | ParleyError]:
    wanted = [one for _, one in calls]
    return tokens.once_all(
        tx,
        [asked for asked, _ in calls],
        lambda places: sending.send_all(tx, [wanted[place] for place in places]),
        lambda place: sending.send(tx, *wanted[place]),
    )


SEND = Together(_send, _send_all)


async def checked(rt: "Runtime", live: Live, said: Content) -> Content:
    """Refuse before anything is stored what the network would refuse, as far as it is known. A template that is known
    comes back as it reads. Raises `Invalid`."""
    sending.check(live, said)
    if isinstance(said, content.Template):
        return await message_templates.fitting(rt.db.reader, live.row.id, said)
    return said


class Many(Body, frozen=True):
    messages: Annotated[tuple[Sending, ...], msgspec.Meta(min_length=1, max_length=MANY)]


class Refused(msgspec.Struct, frozen=True):
    code: str
    message: str


class Outcome(msgspec.Struct, frozen=True):
    """One of the two: what was queued, or why not."""

    sent: sending.Sent | None
    error: Refused | None


class Outcomes(msgspec.Struct, frozen=True):
    """In the order of the messages."""

    items: list[Outcome]


async def send_many(call: Call, body: Many) -> Once[Outcomes]:
    """Each message is queued or refused on its own; all that are queued are on disk when this is answered."""
    wanted: list[sending.Wanted | Refused] = []
    lives: dict[str, Live] = {}
    for one in body.messages:
        try:
            live = lives[one.channel] = lives.get(one.channel) or await sending.live_channel(call.rt, one.channel)
            said = await checked(call.rt, live, await files.named(call.rt.db.reader, content_of(one)))
            to = await recipient(call.rt.db.reader, one.to)
            wanted.append((live.here, to, said, one.reply_to, call.caller.user_id))
        except ParleyError as error:
            wanted.append(Refused(error.code, i18n.tell(error.said)))
    outcomes = await call.once(_send_many, wanted)
    for live in lives.values():
        live.sender.wake()
    return outcomes


def _send_many(tx: Tx, wanted: list[sending.Wanted | Refused]) -> Outcomes:
    return Outcomes([Outcome(None, one) if isinstance(one, Refused) else _send_one(tx, one) for one in wanted])


def _send_one(tx: Tx, wanted: sending.Wanted) -> Outcome:
    try:
        return Outcome(sending.send(tx, *wanted), None)
    except ParleyError as error:  # raised before anything is written
        return Outcome(None, Refused(error.code, i18n.tell(error.said)))


async def show(call: Call) -> Message:
    row = await call.rt.db.reader.one(listing.MESSAGE, id=call.id)
    if row is None:
        raise NotFound(N_("There is no such message."))
    return message(row)


class Corrected(Body, frozen=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


async def correct(call: Call, body: Corrected) -> Message:
    """A text of ours becomes another one on the customer's phone; here it changes once the network took it."""
    await corrections.correct(call.rt, call.id, body.text, call.caller.user_id)
    return await show(call)


async def take_back(call: Call) -> None:
    """A message of ours goes from the customer's phone."""
    await corrections.take_back(call.rt, call.id, call.caller.user_id)


async def resend(call: Call) -> Message:
    """A message whose fate is unknown goes out again."""
    await show(call)
    await handoff.resend(call.rt, call.id)
    return await show(call)


async def discard(call: Call) -> Message:
    """A message whose fate is unknown is given up."""
    await show(call)
    await handoff.discard(call.rt, call.id)
    return await show(call)


async def recipient(db: Reader, to: str | UserId) -> sending.Recipient:
    """Raises `Invalid`, and `NotFound` for a contact that whoever asks does not see."""
    if isinstance(to, UserId):
        return sending.Recipient(address=Address(user_id=to.user_id))
    # Ids are longer than any number that can be dialled.
    if len(to) > 15 and re.fullmatch(ID, to):
        await within.look(db, "contact", int(to))
        return sending.Recipient(contact_id=int(to))
    return sending.to_phone(to)


def content_of(body: Sending) -> Content:
    """What is to be said. Raises `Invalid` unless it is exactly one thing."""
    given = [(name, value) for name in PARTS if (value := getattr(body, name)) is not None]
    if len(given) != 1:
        said = N_("A message is exactly one of {parts}.", parts=", ".join(PARTS))
        raise Invalid(said, fields={"text": said})
    name, value = given[0]
    if name == "text":
        return content.Text(value)
    if name in FILES:
        return file_of(name, value)
    if name == "buttons":
        return content.Buttons(value.text, choices_of(value.choices), value.header, value.footer)
    if name == "list":
        sections = tuple(content.Section(choices_of(each.choices), each.title) for each in value.sections)
        return content.ChoiceList(value.text, value.label, sections, value.header, value.footer)
    if name == "poll":
        return content.Poll(value.text, choices_of(value.choices), value.many)
    if name == "contacts":
        return content.Contacts(tuple(card_of(card) for card in value))
    if name == "location":
        return content.Location(value.latitude, value.longitude, value.name, value.address)
    if name == "reaction":
        return content.Reaction(value.target, value.emoji)
    return content.Template(value.name, value.language, value.components)


def file_of(name: str, file: File) -> Content:
    if bool(file.url) == bool(file.media_id):
        said = N_("A file has either a url or a media_id.")
        raise Invalid(said, fields={f"{name}.url": said})
    values = {"url": file.url, "provider_id": file.media_id}
    if name in ("image", "video", "document"):
        values["caption"] = file.caption
    elif file.caption:
        raise Invalid(N_("This kind of file has no caption."), fields={f"{name}.caption": N_("Leave it out.")})
    if name == "document":
        values["filename"] = file.filename
    made: Content = fit(values, FILES[name])
    return made


def choices_of(given: tuple[Choice, ...]) -> tuple[content.Choice, ...]:
    """A choice without an id gets its title as one."""
    return tuple(content.Choice(each.id or each.title, each.title, each.description) for each in given)


def card_of(card: CardIn) -> content.Card:
    return content.Card(
        card.name,
        tuple((phone, "CELL") for phone in card.phones),
        tuple((email, "HOME") for email in card.emails),
    )
