"""Everything but sending: which object is asked for, and what it answers. Files and tokens are answered here."""

from collections.abc import Callable
from typing import Any

from . import accounts, media, numbers, review
from .config import Number
from .errors import GraphError, not_found
from .wire import Request
from .world import World

Handler = Callable[[World, Number, Request], dict[str, Any]]


def show_media(world: World, media_id: str, request: Request) -> dict[str, Any]:
    found = media.owned(world.media, media_id, request.query.get("phone_number_id"), world.now(), "GET")
    settings = world.settings
    base = settings.media_base or world.base
    return media.described(world.media, found, base, world.now(), settings.media_url_seconds)


def delete_media(world: World, media_id: str, request: Request) -> dict[str, Any]:
    media.owned(world.media, media_id, request.query.get("phone_number_id"), world.now(), "DELETE")
    del world.media.files[media_id]
    return numbers.OK


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
    ("GET", ""): numbers.show_number,
    ("POST", ""): numbers.change_number,
    ("POST", "register"): numbers.register,
    ("POST", "deregister"): numbers.deregister,
    ("GET", "whatsapp_business_profile"): numbers.show_profile,
    ("POST", "media"): numbers.upload,
}
ACCOUNT: dict[tuple[str, str], Handler] = {
    ("GET", ""): accounts.show_account,
    ("GET", "phone_numbers"): accounts.list_numbers,
    ("GET", "message_templates"): accounts.list_templates,
    ("POST", "message_templates"): review.create,
    ("DELETE", "message_templates"): review.delete,
    ("GET", "subscribed_apps"): accounts.list_apps,
    ("POST", "subscribed_apps"): accounts.subscribe,
    ("DELETE", "subscribed_apps"): accounts.unsubscribe,
}
TEMPLATE: dict[tuple[str, str], Callable[[World, Number, dict[str, Any], Request], dict[str, Any]]] = {
    ("GET", ""): review.show,
    ("POST", ""): review.edit,
    ("POST", "unpause"): review.unpause,
}


def handle(world: World, mine: list[Number], method: str, parts: list[str], request: Request) -> dict[str, Any]:
    """`mine` are the numbers that the token may use. Raises 100/33 for whatever is none of them."""
    name, edge = parts[0], "/".join(parts[1:])
    if parts == ["debug_token"]:
        return debug_token(world, mine[0], request)
    if method == "POST" and name.startswith("upload:"):
        return review.take_upload(world, name, request)
    for number in mine:
        if (number.app_id, edge, method) == (name, "uploads", "POST"):
            return review.begin_upload(world, number, request)
        template = next((one for one in world.templates[number.waba] if one["id"] == name), None)
        if template and (method, edge) in TEMPLATE:
            return TEMPLATE[method, edge](world, number, template, request)
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
