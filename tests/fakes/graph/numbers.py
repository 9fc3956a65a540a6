"""A number over the API: its facts, its callback, registration, uploads (contract 1.4, 10, 12)."""

import json
from typing import Any
from urllib.parse import parse_qsl

from . import media
from .config import Number, changed
from .errors import GraphError
from .wire import Request
from .world import World

DEFAULT_FIELDS = ("verified_name", "code_verification_status", "display_phone_number", "quality_rating", "id")
OK = {"success": True}


def arguments(request: Request) -> dict[str, Any]:
    """Query, and JSON or form body."""
    found: dict[str, Any] = dict(request.query)
    if request.body and b"json" in request.headers.get(b"content-type", b"json"):
        try:
            body = json.loads(request.body)
        except ValueError:
            raise GraphError(100, "the body is not valid JSON") from None
        found |= body if isinstance(body, dict) else {}
    elif request.body:
        found |= dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True))
    return found


def facts(world: World, number: Number) -> dict[str, Any]:
    callback = {
        "phone_number": world.overrides.get(number.phone_number_id),
        "whatsapp_business_account": world.overrides.get(number.waba),
        "application": number.webhook or None,
    }
    names = ("verified_name", "quality_rating", "code_verification_status", "name_status", "status", "platform_type")
    return {
        **{name: getattr(number, name) for name in names},
        "id": number.phone_number_id,
        "display_phone_number": pretty(number.display_phone_number),
        "account_mode": number.account_mode,
        "throughput": {"level": "HIGH" if world.settings.throughput > 80 else "STANDARD"},
        "is_official_business_account": False,
        "whatsapp_business_manager_messaging_limit": number.messaging_limit,
        "health_status": {"can_send_message": "BLOCKED" if number.refuses else "AVAILABLE", "entities": []},
        "webhook_configuration": {name: url for name, url in callback.items() if url},
    }


def pretty(phone: str) -> str:
    return f"+{phone[0]} {phone[1:4]}-{phone[4:7]}-{phone[7:]}" if len(phone) == 11 and phone[0] == "1" else f"+{phone}"


def picked(facts: dict[str, Any], fields: str | None) -> dict[str, Any]:
    names = [name.split("{")[0].strip() for name in fields.split(",")] if fields else list(DEFAULT_FIELDS)
    if unknown := [name for name in names if name not in facts]:
        raise GraphError(100, message=f"(#100) Tried accessing nonexisting field ({unknown[0]})")
    return {name: facts[name] for name in names} | {"id": facts["id"]}


def show_number(world: World, number: Number, request: Request) -> dict[str, Any]:
    return picked(facts(world, number), request.query.get("fields"))


def change_number(world: World, number: Number, request: Request) -> dict[str, Any]:
    given = arguments(request)
    if "webhook_configuration" in given:
        wanted = given["webhook_configuration"]
        override(world, number, number.phone_number_id, wanted.get("override_callback_uri"), wanted.get("verify_token"))
    elif "pin" not in given:
        raise GraphError(100, "nothing to change")
    return OK


def override(world: World, number: Number, owner: str, url: str | None, token: str | None) -> None:
    """A callback of this number's or account's own. It is asked to verify itself before the first delivery."""
    if not url:
        world.overrides.pop(owner, None)
        return
    if len(url) > 200:
        raise GraphError(100, "override_callback_uri: at most 200 characters")
    if token:
        number.verify_token = token
    world.overrides[owner] = url
    world.endpoint(number)


def register(world: World, number: Number, request: Request) -> dict[str, Any]:
    given = arguments(request)
    if not (str(given.get("pin", "")).isdigit() and len(str(given["pin"])) == 6):
        raise GraphError(100, "pin: 6 digits")
    if number.refuses == 133010:
        number.refuses = 0
    number.status = "CONNECTED"
    return OK


def deregister(world: World, number: Number, request: Request) -> dict[str, Any]:
    number.refuses, number.status = 133010, "DISCONNECTED"
    return OK


def show_profile(world: World, number: Number, request: Request) -> dict[str, Any]:
    return {"data": [{"messaging_product": "whatsapp", "about": "", "vertical": "RETAIL"}]}


def upload(world: World, number: Number, request: Request) -> dict[str, Any]:
    kind = request.headers.get(b"content-type", b"")
    return dict(media.upload(world.media, number, kind, request.body, world.now()))


def add_or_change(world: World, given: dict[str, Any]) -> Number:
    """A number by its id: changed if it is known, else new. Raises `ValueError`."""
    old = world.numbers.get(str(given.get("phone_number_id", "")), Number())
    world.add_number(changed(old, given))
    return world.numbers[str(given.get("phone_number_id", old.phone_number_id))]
