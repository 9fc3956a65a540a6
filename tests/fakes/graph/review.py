"""Templates that are made, changed and deleted over the API, and the review that takes its time (contract 11, 6)."""

import json
import secrets
from typing import Any

from . import definition, templates
from .config import Number
from .errors import GraphError, not_found
from .numbers import OK, arguments
from .webhooks import Update
from .wire import Request
from .world import World

DAY = 86_400_000
EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
Template = dict[str, Any]


def create(world: World, number: Number, request: Request) -> dict[str, Any]:
    given = arguments(request)
    given["components"] = _json(given.get("components"))
    definition.check(given, world.handles)
    known = world.templates[number.waba]
    if templates.find(known, given["name"], given["language"]):
        said = f"There is already {given['language']} content for this template."
        raise definition.refused(said, 2388024, "Content in this language already exists")
    if world.now() < world.locked.get((number.waba, given["name"]), 0):
        raise definition.refused("It is being deleted, try again later.", 2388023, "Message template is being deleted")
    if len(known) >= world.settings.most_templates:
        raise definition.refused("The limit of templates is reached.", 2388019, "Message template limit exceeded")
    names = ("name", "language", "category", "components", "parameter_format", "message_send_ttl_seconds")
    made = templates.complete({name: given[name] for name in names if name in given} | {"status": "PENDING"})
    known.append(made)
    world.later(world.settings.review_after, judge, world, number, made)
    return {"id": made["id"], "status": "PENDING", "category": made["category"]}


def _json(value: Any) -> Any:
    """Form bodies carry the list as text."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise GraphError(100, "components: not valid JSON") from None


def judge(world: World, number: Number, template: Template) -> None:
    """The review is over. A text with the word of `rejects` is rejected; promotions are no utility."""
    words = json.dumps(template["components"]).lower()
    if template["status"] not in ("PENDING", "IN_APPEAL"):
        return
    if world.settings.rejects and world.settings.rejects in words:
        info = {"reason": "The text breaks a policy.", "recommendation": "Write it in other words."}
        return change(world, number, template, "REJECTED", reason="ABUSIVE_CONTENT", rejection_info=info)
    change(world, number, template, "APPROVED", reason="NONE")


def change(world: World, number: Number, template: Template, event: str, **more: Any) -> None:
    """Another status, and the webhook that tells of it."""
    template["status"] = {"REINSTATED": "APPROVED", "UNARCHIVED": "APPROVED"}.get(event, event)
    if event == "REJECTED":
        template["rejected_reason"] = more.get("reason", "NONE")
    value = {"event": event, **about(template), "message_template_category": template["category"], **more}
    tell(world, number, "message_template_status_update", {"reason": None, **value})


def about(template: Template) -> dict[str, Any]:
    return {
        "message_template_id": int(template["id"]),
        "message_template_name": template["name"],
        "message_template_language": template["language"],
    }


def tell(world: World, number: Number, field: str, value: dict[str, Any]) -> None:
    world.push(Update(number, field, "", value, None, field, world.now() // 1000))


def rate(world: World, number: Number, template: Template, score: str) -> None:
    before = (template.get("quality_score") or {}).get("score", "UNKNOWN")
    template["quality_score"] = {"score": score, "date": world.now() // 1000}
    value = {"previous_quality_score": before, "new_quality_score": score, **about(template)}
    tell(world, number, "message_template_quality_update", value)


def recategorise(world: World, number: Number, template: Template, category: str, *, impending: bool) -> None:
    """First announced, with the old category as the new one; then done."""
    before = template["category"]
    if impending:
        at = world.now() // 1000 + 86_400
        value = {"new_category": before, "correct_category": category, "category_update_timestamp": at}
    else:
        template["category"] = category
        value = {"previous_category": before, "new_category": category}
    tell(world, number, "template_category_update", {**value, **about(template)})


def edit(world: World, number: Number, template: Template, request: Request) -> dict[str, Any]:
    given = arguments(request)
    if template["status"] not in EDITABLE:
        raise definition.refused("It cannot be edited in its state.", 2388025, "Template cannot be edited")
    edits = [at for at in world.edits.get(template["id"], []) if at > world.now() - 30 * DAY]
    approved = template["status"] == "APPROVED"
    if approved and (len(edits) >= 10 or (edits and edits[-1] > world.now() - DAY)):
        raise definition.refused("An approved template is edited once a day, ten times in 30 days.", 2388039, "Limit")
    if approved and given.get("category", template["category"]) != template["category"]:
        raise definition.refused("The category of an approved template is fixed.", 2388026, "Category cannot change")
    changes = {name: given[name] for name in ("category", "components", "parameter_format") if name in given}
    changes["components"] = _json(changes.get("components", template["components"]))
    definition.check(template | changes, world.handles)
    template |= changes | {"status": "PENDING"}
    world.edits[template["id"]] = [*edits, world.now()]
    world.later(world.settings.review_after, judge, world, number, template)
    return OK


def show(world: World, number: Number, template: Template, request: Request) -> dict[str, Any]:
    fields = request.query.get("fields")
    return {name: template[name] for name in fields.split(",") if name in template} if fields else template


def unpause(world: World, number: Number, template: Template, request: Request) -> dict[str, Any]:
    if template["status"] != "PAUSED":
        raise definition.refused("It is not paused.")
    change(world, number, template, "APPROVED", other_info={"title": "UNPAUSED", "description": ""})
    return OK


def delete(world: World, number: Number, request: Request) -> dict[str, Any]:
    """By name in all languages, or one by `hsm_id` with its name."""
    given = arguments(request)
    name, wanted = str(given.get("name", "")), str(given.get("hsm_id", ""))
    known = world.templates[number.waba]
    gone = [one for one in known if one["name"] == name and (not wanted or one["id"] == wanted)]
    if not gone:
        raise definition.refused("There is no such template.", 2593002, "Message template not found")
    known[:] = [one for one in known if one not in gone]
    if any(one["status"] == "APPROVED" for one in gone):
        world.locked[number.waba, name] = world.now() + 30 * DAY
    for one in gone:
        change(world, number, one, "DELETED")
    return OK


def begin_upload(world: World, number: Number, request: Request) -> dict[str, Any]:
    given = arguments(request)
    if not str(given.get("file_length", "")).isdigit() or "file_type" not in given:
        raise GraphError(100, "file_length and file_type are required")
    session = f"upload:{secrets.token_urlsafe(12)}"
    world.uploads[session] = int(given["file_length"])
    return {"id": session}


def take_upload(world: World, session: str, request: Request) -> dict[str, Any]:
    if session not in world.uploads:
        raise not_found(session, "POST")
    if request.headers.get(b"file_offset") != b"0" or len(request.body) != world.uploads.pop(session):
        raise GraphError(100, "the file is not as long as was said, or does not begin at its beginning")
    handle = f"4::{secrets.token_urlsafe(24)}"
    world.handles.add(handle)
    return {"h": handle}
