"""An account over the API: facts, numbers, templates, subscribed apps (contract 1.4, 11, 12)."""

from typing import Any

from .config import Number
from .errors import GraphError
from .numbers import OK, arguments, facts, override, picked
from .wire import Request
from .world import World


def show_account(world: World, number: Number, request: Request) -> dict[str, Any]:
    found = {
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
    return picked(found, request.query.get("fields") or default)


def list_numbers(world: World, number: Number, request: Request) -> dict[str, Any]:
    mine = [each for each in world.numbers.values() if each.waba == number.waba]
    fields = request.query.get("fields")
    return _page([picked(facts(world, each), fields) for each in mine], request)


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
            override(world, each, each.waba, given.get("override_callback_uri"), given.get("verify_token"))
    return OK


def unsubscribe(world: World, number: Number, request: Request) -> dict[str, Any]:
    for each in world.numbers.values():
        if each.waba == number.waba:
            each.subscribed = False
    return OK
