"""What becomes of an accepted send: sent, delivered, read or failed, told by webhook (contract 4, 5, 8, 9)."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from .config import Number
from .errors import in_webhook
from .faults import Mode
from .people import BSUID, Person
from .truth import Accepted
from .webhooks import Update
from .world import World

FILES = ("image", "video", "audio", "document", "sticker")
REACTION_DAYS = 30


def schedule(world: World, number: Number, line: Accepted, body: dict[str, Any], mode: Mode) -> asyncio.Event | None:
    """Plans the statuses. With an early mode the first one leaves now; its event tells when it was acknowledged."""
    world.note(line.wamid, line.type)
    if mode.silent or lost(line):
        return None
    group = body.get("recipient_type") == "group"
    person = None if group else person_of(world, line)
    code = 0 if group else mode.fail or outcome(world, number, line.type, body, person)
    settings = world.settings
    if code:
        steps = [("failed", settings.delivered_after)]
    elif line.type == "reaction":
        steps = [("sent", settings.sent_after)]
    else:
        steps = [("sent", settings.sent_after), ("delivered", settings.delivered_after)]
        if settings.read and person is not None and person.read:
            steps.append(("read", settings.read_after))
    delays = [delay for _, delay in steps]
    if mode.reorder:
        world.dice.shuffle(delays)
    early = None
    for index, (status, after) in enumerate(steps):
        update = build(world, number, line, person, status, line.at + int(after * 1000), code, body)
        update.duplicate = mode.duplicate
        if mode.early and not index:
            early = update.posted = asyncio.Event()
            world.push(update)
        else:
            world.later(delays[index] + mode.status_after, world.push, update)
    return early


def lost(line: Accepted) -> bool:
    """A user id in `to` is taken and never heard of again."""
    return line.to is not None and BSUID.fullmatch(line.to) is not None


def person_of(world: World, line: Accepted) -> Person | None:
    """The addressee; nobody if a user id is not one of ours."""
    if line.to is not None:
        return world.people.meet(line.to)
    return world.people.find(line.recipient or "")


def outcome(world: World, number: Number, kind: str, body: dict[str, Any], person: Person | None) -> int:
    """The code with which this send fails after it was accepted; 0 = it arrives."""
    if kind != "template" and not world.window_open(number, person):
        return 131047
    if person is None:
        return 131026
    key = body.get("recipient_identity_key_hash")
    if person.fails:
        return person.fails
    if key is not None and person.identity is not None and key != person.identity:
        return 137000
    if kind in FILES:
        return _file(world, body[kind])
    if kind == "reaction":
        at, target = world.known.get(body["reaction"]["message_id"], (0, "reaction"))
        return 131009 if target == "reaction" or world.now() - at > REACTION_DAYS * 86_400_000 else 0
    return 0


def _file(world: World, content: dict[str, Any]) -> int:
    """Links are not fetched: those to hosts that cannot exist (`.invalid`) fail, others are taken for good."""
    if link := content.get("link"):
        return 131053 if (urlsplit(link).hostname or "").endswith(".invalid") else 0
    known = not world.settings.check_media or world.media.find(content["id"], world.now())
    return 0 if known else 131053


def build(
    world: World,
    number: Number,
    line: Accepted,
    person: Person | None,
    status: str,
    at: int,
    code: int = 0,
    body: dict[str, Any] | None = None,
) -> Update:
    """One status with the contact that goes with it."""
    item: dict[str, Any] = {"id": line.wamid, "status": status, "timestamp": str(at // 1000)}
    by_phone = line.to is not None
    if person is None:
        item |= {"recipient_id": line.to, "recipient_type": "group"} if by_phone else {}
        item |= {} if by_phone else {"recipient_user_id": line.recipient}
    else:
        phone = person.phone if by_phone else person.shown
        item |= {"recipient_id": phone} if phone else {}
        if not by_phone or status != "failed":
            item["recipient_user_id"] = person.bsuid
            item |= {"recipient_parent_user_id": person.parent_bsuid} if person.parent_bsuid else {}
    if line.opaque is not None:
        item["biz_opaque_callback_data"] = line.opaque
    if status in ("sent", "delivered"):
        item["pricing"] = _pricing(world, number, line, body or {})
    if status == "failed":
        item["errors"] = [in_webhook(code)]
    known = person is not None and status != "failed"
    who = (
        contact(person, "recipient_id" in item, username=status in ("delivered", "read")) if known and person else None
    )
    return Update(number, "messages", "statuses", item, who, f"{line.wamid} {status}")


def contact(person: Person, with_phone: bool, *, username: bool = True) -> dict[str, Any]:
    profile: dict[str, Any] = {"name": person.name} if person.name else {}
    if username and person.username:
        profile["username"] = person.username
    found: dict[str, Any] = {"profile": profile}
    if with_phone and person.phone:
        found["wa_id"] = person.phone
    found["user_id"] = person.bsuid
    return found | ({"parent_user_id": person.parent_bsuid} if person.parent_bsuid else {})


def _pricing(world: World, number: Number, line: Accepted, body: dict[str, Any]) -> dict[str, Any]:
    category = "service"
    if line.type == "template":
        name = (body.get("template") or {}).get("name")
        known = (each for each in world.templates[number.waba] if each["name"] == name)
        category = next((str(each["category"]).lower() for each in known), "utility")
    return {"billable": category != "service", "pricing_model": "PMP", "category": category, "type": "regular"}
