"""`POST /{phone_number_id}/messages`: refuse in the contract's order, or accept and then answer as the mode wants."""

import asyncio
from hashlib import sha256
from typing import Any

import msgspec

from . import templates, wamid
from .config import Number
from .errors import GraphError
from .faults import OK, Mode
from .people import BSUID, digits
from .statuses import schedule
from .truth import Accepted, Refused
from .validate import kind_of
from .wire import Answer, Request, answer
from .world import World

decode = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode

SUCCESS = b'{"success":true}'
PROXY_ERROR = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
GARBAGE = b'{"messaging_product":"whatsapp","contacts":[{"input":"1'
READ_DAYS = 30


def messages(world: World, number: Number, request: Request, *, marketing: bool = False) -> Answer:
    body: Any = None
    try:
        try:
            body = decode(request.body)
        except (ValueError, RecursionError):
            raise GraphError(100, "the body is not valid JSON") from None
        kind = kind_of(body)
        if kind == "read":
            return _mark_read(world, number, body)
        return _send(world, number, request, body, kind, marketing)
    except GraphError as error:
        _note_refusal(world, number, body, error)
        raise


def _note_refusal(world: World, number: Number, body: Any, error: GraphError) -> None:
    world.refused[error.code] += 1
    found = body if isinstance(body, dict) else {}
    to, opaque = (found.get(key) for key in ("to", "biz_opaque_callback_data"))
    line = Refused(
        at=world.now(),
        phone_number_id=number.phone_number_id,
        code=error.code,
        details=error.details or error.message,
        to=to if isinstance(to, str) else None,
        opaque=opaque if isinstance(opaque, str) else None,
    )
    world.truth.write(line)


def _mark_read(world: World, number: Number, body: dict[str, Any]) -> bytes:
    at, _ = world.known.get(body["message_id"], (0, ""))
    if not at or world.now() - at > READ_DAYS * 86_400_000:
        raise GraphError(131009, f"message_id: no such message: {body['message_id']}")
    world.read.append({"at": world.now(), "phone_number_id": number.phone_number_id, **body})
    return answer(200, SUCCESS)


def _send(world: World, number: Number, request: Request, body: dict[str, Any], kind: str, marketing: bool) -> Answer:
    to = body.get("to")
    # Both given: `to` wins.
    recipient = body.get("recipient") if to is None else None
    group = body.get("recipient_type") == "group"
    phone = "" if to is None or group or BSUID.fullmatch(to) else digits(to)
    if phone and phone == number.display_phone_number:
        raise GraphError(131021)
    if number.allowed is not None and phone not in number.allowed:
        raise GraphError(131030)
    if kind == "template":
        _check_template(world, number, body, recipient, marketing)
    elif marketing:
        raise GraphError(134100)
    if number.refuses:
        raise GraphError(number.refuses)
    user = phone or to or _user(world, recipient)
    now = world.now()
    _check_rate(world, number, user, now, group)
    mode = world.faults.pick(user)
    if mode is not OK and mode.refuses:
        return _refuse(request, mode)
    line = Accepted(
        n=world.total + 1,
        at=now,
        phone_number_id=number.phone_number_id,
        wamid=wamid.outbound(user),
        type=kind,
        to=to,
        recipient=recipient,
        opaque=body.get("biz_opaque_callback_data"),
        sha256=sha256(request.body).hexdigest(),
        mode=mode.text,
    )
    world.accept(line, request.body)
    early = schedule(world, number, line, body, _with_chance(world, mode)) if world.settings.statuses else None
    reply = answer(200, _accepted(line, phone, group))
    plain = early is None and (mode is OK or mode.plain)
    return reply if plain else _misbehave(request, mode, reply, early)


def _with_chance(world: World, mode: Mode) -> Mode:
    share = world.settings.early_status
    return msgspec.structs.replace(mode, early=True) if share and world.dice.random() < share else mode


def _user(world: World, recipient: str | None) -> str:
    """A user counts as one, whichever way they are addressed."""
    person = world.people.find(recipient or "")
    return (person and person.phone) or recipient or ""


def _check_template(world: World, number: Number, body: dict[str, Any], recipient: str | None, marketing: bool) -> None:
    sent, known = body["template"], world.templates[number.waba]
    found = templates.find(known, sent["name"], sent["language"]["code"])
    if found is None and world.settings.strict_templates:
        raise GraphError(132001, f"template name ({sent['name']}) does not exist in {sent['language']['code']}")
    category = found["category"] if found else ""
    if marketing and found and category != "MARKETING":
        raise GraphError(134100)
    if recipient is not None and (category == "AUTHENTICATION" or (category == "MARKETING" and body.get("bid_spec"))):
        raise GraphError(131062)
    if found:
        templates.check(found, sent)


def _check_rate(world: World, number: Number, user: str, now: int, group: bool) -> None:
    status = world.settings.rate_status
    if not world.throughput.take(number.phone_number_id, now):
        raise GraphError(130429, "throughput of this number reached", status=status)
    if not group and not world.pairs.take((number.phone_number_id, user), now):
        raise GraphError(131056, "too many messages from this number to this user", status=status)


def _accepted(line: Accepted, phone: str, group: bool) -> bytes:
    shown = encode(line.to or line.recipient)
    if line.to is None:
        contact = b'{"input":%b,"user_id":%b}' % (shown, shown)
    else:
        contact = b'{"input":%b,"wa_id":%b}' % (shown, b'"%b"' % phone.encode() if phone else shown)
    more = b',"message_status":"accepted"' if line.type == "template" else b""
    if group:
        more += b',"group_id":%b' % shown
    form = b'{"messaging_product":"whatsapp","contacts":[%b],"messages":[{"id":"%b"%b}]}'
    return form % (contact, line.wamid.encode(), more)


def _refuse(request: Request, mode: Mode) -> Answer:
    if mode.answer == "cut":
        return _cut(request)
    if mode.answer == "429":
        raise GraphError(130429, "by request", status=429)
    raise GraphError(mode.code, "by request")


async def _cut(request: Request) -> None:
    request.connection.reset()


async def _misbehave(request: Request, mode: Mode, reply: bytes, early: asyncio.Event | None) -> bytes | None:
    if early:
        await early.wait()
    if mode.slow:
        await asyncio.sleep(mode.slow)
    match mode.answer:
        case "accept-then-timeout":
            await request.connection.gone.wait()
            return None
        case "accept-then-rst":
            await _cut(request)
            return None
        case "accept-then-502":
            return answer(502, PROXY_ERROR, b"text/html")
        case "garbage":
            return answer(200, GARBAGE)
    return reply
