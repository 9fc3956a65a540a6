"""The simulated phone: somebody plays the customer, and any version of a bot answers through the real pipeline.

What is said goes into the inbox like a message from a network, on the built-in channel. Each user has two customers of
their own: themselves, and someone new without a name. The conversation is pinned to the version that is tried, and the
scene shows what the chosen network can show.
"""

import secrets
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app import bots, connecting, content, documents, erase, inbox
from app.bot.document import DocumentError
from app.capabilities import Capabilities
from app.case import Here, Intake
from app.connectors import CONNECTORS
from app.connectors.base import Address, Inbound
from app.content import Content, Reaction, Text
from app.db import Tx
from app.errors import Conflict, Invalid
from app.said import N_
from app.store import contacts, conversations, jobs
from app.store import simulated as store

if TYPE_CHECKING:
    from app.channels import Live
    from app.runtime import Runtime
    from app.store.users import User

KIND: Final = "simulator"
NAME: Final = "Simulator"
LONGEST: Final = 4096  # what a phone lets a person type

# Networks a chat can be tried as: what rules see as the network, and what it can show.
WHATSAPP: Final = CONNECTORS["whatsapp_cloud"].capabilities
AS_ON: Final[dict[str, Capabilities]] = {
    "whatsapp_cloud": WHATSAPP,
    "telegram": CONNECTORS["telegram"].capabilities,
    "whatsapp_web": Capabilities(media=WHATSAPP.media, location=True, contacts=True, reaction=True, quote=True),
}  # fmt: skip
CUSTOMERS: Final = ("new", "you")


class Trial(msgspec.Struct, frozen=True):
    """What is being tried: a bot, its version (0 = the draft), who writes, and on which network."""

    bot_id: int
    number: int = 0
    who: str = "new"
    network: str = "whatsapp_cloud"


async def say(
    rt: "Runtime", user: "User", trial: Trial, said: Content, reply_to: str = "", referral: dict[str, Any] | None = None
) -> int:
    """The customer sends this; the bot's answer is queued in the same commit. Returns the conversation's id. A reaction
    without a target is to the newest answer; `referral` is what a link or ad tells that brought the customer.

    Raises `Invalid` (an empty or too long text, a draft with errors, nothing to react to), `NotFound`.
    """
    check(said)
    if isinstance(said, Reaction) and not said.target:
        said = Reaction(await newest_answer(rt, user, trial), said.emoji)
    version_id = await prepare(rt, trial)
    live = await channel(rt)
    here = msgspec.structs.replace(live.here, network=trial.network, capabilities=AS_ON[trial.network])
    inbound = Inbound(
        account=live.row.account,
        provider_id=f"said.{secrets.token_hex(12)}",
        sender=Address(simulated=name_of(user, trial)),
        at=rt.clock.now(),
        content=said,
        raw=content.encode(said).encode(),
        name=user.name if trial.who == "you" else "",
        reply_to=reply_to,
        referral=referral,
    )
    return await rt.db.write(receive, rt.channels.intake, here, inbound, version_id)


def receive(tx: Tx, intake: Intake, here: Here, inbound: Inbound, version_id: int) -> int:
    """Pin the conversation to the version, then let the inbox do what it does with any message."""
    contact_id, _ = contacts.resolve(tx, inbound.sender.aliases(), name=inbound.name, phone="", username="")
    address = msgspec.json.encode(inbound.sender).decode()
    conversation_id = conversations.open_conversation(tx, here.id, contact_id, "", address)
    if tx.one(store.PINNED, id=conversation_id) != version_id:
        tx.run(conversations.PIN_VERSION, id=conversation_id, version_id=version_id)
        tx.run(jobs.DROP_WAITING, conversation_id=conversation_id)
    inbox.receive(tx, intake, here, inbound)
    return conversation_id


async def prepare(rt: "Runtime", trial: Trial) -> int:
    """The version's id, compiled and ready. A draft is kept as a version without a number."""
    bot = await bots.get(rt.db.reader, trial.bot_id)
    text = await bots.text_of(rt.db.reader, bot, trial.number)
    version_id = await rt.db.write(bots.snapshot, bot.id, text)
    try:
        await rt.versions.load(version_id)
    except DocumentError as error:
        first = error.problems[0]
        sentence = N_(
            "This draft cannot be tried yet: line {line}: {message}", line=first.line, message=documents.sentence(first)
        )
        raise Invalid(sentence, code="document") from None
    return version_id


async def channel(rt: "Runtime") -> "Live":
    """The built-in channel, made at first use."""
    found = next((live for live in rt.channels.by_id.values() if live.row.connector == KIND), None)
    if found is not None:
        return found
    try:
        return rt.channels.get(await connecting.add(rt.channels, KIND, NAME, {}))
    except Conflict:
        # The name may be taken by a channel of another kind.
        return rt.channels.get(await connecting.add(rt.channels, KIND, f"{NAME} {secrets.token_hex(2)}", {}))


async def find_conversation(rt: "Runtime", user: "User", trial: Trial) -> int | None:
    """The chat of this customer, if anything was said."""
    return await rt.db.reader.one(store.CONVERSATION, value=name_of(user, trial))


async def newest_answer(rt: "Runtime", user: "User", trial: Trial) -> str:
    """The provider's id of the last message that the bot sent. Raises `Invalid` if there is none."""
    conversation_id = await find_conversation(rt, user, trial)
    found = None if conversation_id is None else await rt.db.reader.one(store.ANSWERED, id=conversation_id)
    if not found:
        raise Invalid(N_("There is no answer to react to yet."))
    return found


async def start_over(rt: "Runtime", user: "User", trial: Trial) -> None:
    """Forget this customer and everything said with it."""
    contact_id = await rt.db.reader.one(store.CONTACT, value=name_of(user, trial))
    if contact_id is not None:
        await erase.contact(rt, contact_id)


def check(said: Content) -> None:
    text = content.text(said)
    if isinstance(said, Text) and not text.strip():
        raise Invalid(N_("Write something first."), fields={"text": N_("Write something first.")})
    if len(text) > LONGEST:
        raise Invalid(
            N_("A message has at most {most} characters.", most=LONGEST),
            fields={"text": N_("At most {most} characters.", most=LONGEST)},
        )


def name_of(user: "User", trial: Trial) -> str:
    """The customer's id on the simulator: one user's customers are never another's."""
    return f"{user.id}.{trial.who}"
