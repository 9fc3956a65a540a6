"""Everything but sending: numbers, accounts, subscriptions, templates, media, tokens (contract 1.4, 10 to 12)."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from . import media
from .config import Number, changed
from .errors import GraphError, not_found
from .wire import Request
from .world import World

DEFAULT_FIELDS = ("verified_name", "code_verification_status", "display_phone_number", "quality_rating", "id")
Handler = Callable[[World, Number, Request], dict[str, Any]]
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


# --- numbers


def _facts(world: World, number: Number) -> dict[str, Any]:
    callback = {
        "phone_number": world.overrides.get(number.phone_number_id),
        "whatsapp_business_account": world.overrides.get(number.waba),
        "application": number.webhook or None,
    }
    names = ("verified_name", "quality_rating", "code_verification_status", "name_status", "status", "platform_type")
    return {
        **{name: getattr(number, name) for name in names},
        "id": number.phone_number_id,
        "display_phone_number": _pretty(number.display_phone_number),
        "account_mode": number.account_mode,
        "throughput": {"level": "HIGH" if world.settings.throughput > 80 else "STANDARD"},
        "is_official_business_account": False,
        "whatsapp_business_manager_messaging_limit": number.messaging_limit,
        "health_status": {"can_send_message": "BLOCKED" if number.refuses else "AVAILABLE", "entities": []},
        "webhook_configuration": {name: url for name, url in callback.items() if url},
    }


def _pretty(phone: str) -> str:
    return f"+{phone[0]} {phone[1:4]}-{phone[4:7]}-{phone[7:]}" if len(phone) == 11 and phone[0] == "1" else f"+{phone}"


def _picked(facts: dict[str, Any], fields: str | None) -> dict[str, Any]:
    names = [name.split("{")[0].strip() for name in fields.split(",")] if fields else list(DEFAULT_FIELDS)
    if unknown := [name for name in names if name not in facts]:
        raise GraphError(100, message=f"(#100) Tried accessing nonexisting field ({unknown[0]})")
    return {name: facts[name] for name in names} | {"id": facts["id"]}


def show_number(world: World, number: Number, request: Request) -> dict[str, Any]:
    return _picked(_facts(world, number), request.query.get("fields"))


def change_number(world: World, number: Number, request: Request) -> dict[str, Any]:
    given = arguments(request)
    if "webhook_configuration" in given:
        wanted = given["webhook_configuration"]
        _override(
            world, number, number.phone_number_id, wanted.get("override_callback_uri"), wanted.get("verify_token")
        )
    elif "pin" not in given:
        raise GraphError(100, "nothing to change")
    return OK


def _override(world: World, number: Number, owner: str, url: str | None, token: str | None) -> None:
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


# --- accounts


def show_account(world: World, number: Number, request: Request) -> dict[str, Any]:
    facts = {
        "id": number.waba,
        "name": number.verified_name,
        "currency": "USD",
        "timezone_id": "1",
        "message_template_namespace": "ba30dd89_2ebd_41e4_b805_f2c05ae04cc9",
        "account_review_status": "APPROVED",
        "ownership_type": "SELF",
        "health_status": {"can_send_message": "AVAILABLE", "entities": []},
    }
    default = "id,name,currency,timezone_id,message_template_namespace"
    return _picked(facts, request.query.get("fields") or default)


def list_numbers(world: World, number: Number, request: Request) -> dict[str, Any]:
    mine = [each for each in world.numbers.values() if each.waba == number.waba]
    fields = request.query.get("fields")
    return _page([_picked(_facts(world, each), fields) for each in mine], request)


def list_templates(world: World, number: Number, request: Request) -> dict[str, Any]:
    wanted = {key: value for key, value in request.query.items() if key in ("status", "name", "category", "language")}
    found = [
        template
        for template in world.templates[number.waba]
        if all(str(template[key]).lower() == value.lower() for key, value in wanted.items())
    ]
    return _page(found, request)


def _page(data: list[dict[str, Any]], request: Request) -> dict[str, Any]:
    """Cursors are positions; `next` is there only if there is more."""
    query = request.query
    try:
        start, limit = int(query.get("after") or 0), int(query.get("limit") or 25)
    except ValueError:
        raise GraphError(100, "after, limit: unknown cursor or number") from None
    part = data[start : start + limit]
    paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(start + len(part))}}
    if start + len(part) < len(data):
        paging["next"] = f"https://graph.facebook.com{request.path}?after={start + len(part)}&limit={limit}"
    return {"data": part, "paging": paging} if part else {"data": []}


def list_apps(world: World, number: Number, request: Request) -> dict[str, Any]:
    if not number.subscribed:
        return {"data": []}
    app: dict[str, Any] = {"whatsapp_business_api_data": {"id": number.app_id, "link": "", "name": "Parley"}}
    if url := world.overrides.get(number.waba):
        app["override_callback_uri"] = url
    return {"data": [app]}


def subscribe(world: World, number: Number, request: Request) -> dict[str, Any]:
    given = arguments(request)
    for each in world.numbers.values():
        if each.waba == number.waba:
            each.subscribed = True
            _override(world, each, each.waba, given.get("override_callback_uri"), given.get("verify_token"))
    return OK


def unsubscribe(world: World, number: Number, request: Request) -> dict[str, Any]:
    for each in world.numbers.values():
        if each.waba == number.waba:
            each.subscribed = False
    return OK


# --- files and tokens


def show_media(world: World, media_id: str, request: Request) -> dict[str, Any]:
    found = media.owned(world.media, media_id, request.query.get("phone_number_id"), world.now(), "GET")
    settings = world.settings
    base = settings.media_base or world.base
    return media.described(world.media, found, base, world.now(), settings.media_url_seconds)


def delete_media(world: World, media_id: str, request: Request) -> dict[str, Any]:
    media.owned(world.media, media_id, request.query.get("phone_number_id"), world.now(), "DELETE")
    del world.media.files[media_id]
    return OK


def debug_token(world: World, number: Number, request: Request) -> dict[str, Any]:
    token = request.query.get("input_token")
    if not token:
        raise GraphError(100, message="(#100) The parameter input_token is required.")
    mine = [each for each in world.numbers.values() if each.token == token]
    if not mine:
        error = {"code": 190, "message": "Invalid OAuth access token."}
        return {"data": {"error": error, "is_valid": False, "scopes": []}}
    targets = sorted({each.waba for each in mine})
    data = {
        "app_id": mine[0].app_id,
        "type": "SYSTEM_USER",
        "application": "Parley",
        "expires_at": 0,
        "is_valid": True,
        "scopes": mine[0].scopes,
        "granular_scopes": [{"scope": scope, "target_ids": targets} for scope in mine[0].scopes],
    }
    return {"data": data}


NUMBER: dict[tuple[str, str], Handler] = {
    ("GET", ""): show_number,
    ("POST", ""): change_number,
    ("POST", "register"): register,
    ("POST", "deregister"): deregister,
    ("GET", "whatsapp_business_profile"): show_profile,
    ("POST", "media"): upload,
}
ACCOUNT: dict[tuple[str, str], Handler] = {
    ("GET", ""): show_account,
    ("GET", "phone_numbers"): list_numbers,
    ("GET", "message_templates"): list_templates,
    ("GET", "subscribed_apps"): list_apps,
    ("POST", "subscribed_apps"): subscribe,
    ("DELETE", "subscribed_apps"): unsubscribe,
}


def handle(world: World, mine: list[Number], method: str, parts: list[str], request: Request) -> dict[str, Any]:
    """`mine` are the numbers that the token may use. Raises 100/33 for whatever is none of them."""
    name, edge = parts[0], "/".join(parts[1:])
    if parts == ["debug_token"]:
        return debug_token(world, mine[0], request)
    for number in mine:
        if number.phone_number_id == name and (method, edge) in NUMBER:
            return NUMBER[method, edge](world, number, request)
        if number.waba == name and (method, edge) in ACCOUNT:
            return ACCOUNT[method, edge](world, number, request)
    file = world.media.files.get(name)
    if file and not edge and any(number.phone_number_id == file.number for number in mine):
        if method == "GET":
            return show_media(world, name, request)
        if method == "DELETE":
            return delete_media(world, name, request)
    raise not_found(name, method)


def add_or_change(world: World, given: dict[str, Any]) -> Number:
    """A number by its id: changed if it is known, else new. Raises `ValueError`."""
    old = world.numbers.get(str(given.get("phone_number_id", "")), Number())
    world.add_number(changed(old, given))
    return world.numbers[str(given.get("phone_number_id", old.phone_number_id))]
