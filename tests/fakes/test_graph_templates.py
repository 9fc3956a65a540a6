"""The fake reviews templates as Meta does: limits with their codes, a review that takes time, and webhooks."""

from typing import Any

import pytest

from .graph import FakeGraph
from .graph.caller import Caller
from .graph.listener import Listener

BODY = {"type": "BODY", "text": "Your order {{1}} is ready now.", "example": {"body_text": [["7"]]}}
GOOD: dict[str, Any] = {"name": "order_ready", "language": "en_US", "category": "UTILITY", "components": [BODY]}
REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"name": "Order"}, 2388299),
    ({"components": [BODY | {"text": "x" * 1025}]}, 2388040),
    ({"components": [BODY | {"text": "{{1}} is your order, and it is ready."}]}, 2388299),
    ({"components": [BODY | {"text": "Order {{1}} {{2}}."}]}, 2388293),
    ({"components": [{"type": "BODY", "text": "Your order {{1}} is ready."}]}, 2388043),
    ({"components": [BODY, {"type": "HEADER", "format": "IMAGE"}]}, 2388273),
    ({"components": [BODY, {"type": "FOOTER", "text": "{{1}}"}]}, 2388073),
]


async def ask(caller: Caller, **changes: Any) -> tuple[int, dict[str, Any]]:
    return await caller.ask("POST", f"/v25.0/{caller.graph.number.waba}/message_templates", GOOD | changes)


@pytest.mark.parametrize(("changes", "subcode"), REFUSED, ids=[str(code) for _, code in REFUSED])
async def test_a_bad_definition_is_refused_with_its_subcode(changes: dict[str, Any], subcode: int) -> None:
    async with FakeGraph() as graph:
        caller = Caller(graph)
        status, answer = await ask(caller, **changes)
        caller.client.close()
    assert status == 400 and (answer["error"]["code"], answer["error"]["error_subcode"]) == (100, subcode)
    assert answer["error"]["error_user_msg"]


async def test_a_review_takes_time_and_is_told_by_webhook() -> None:
    secret = FakeGraph().number.app_secret
    async with Listener(secret) as hook, FakeGraph(webhook=hook.url, review_after=0.02, rejects="casino") as graph:
        caller = Caller(graph)
        status, made = await ask(caller)
        assert status == 200 and made["status"] == "PENDING"
        assert (await ask(caller))[1]["error"]["error_subcode"] == 2388024
        text = BODY | {"text": "The casino {{1}} is open now."}
        await ask(caller, name="bad", components=[text])
        async with hook.came:
            await hook.came.wait_for(lambda: len(hook.values) >= 2)
        events = {value["message_template_name"]: value["event"] for value in hook.values}
        assert events == {"order_ready": "APPROVED", "bad": "REJECTED"} and not hook.forged
        first = next(value for value in hook.values if value["event"] == "APPROVED")
        assert first["message_template_id"] == int(made["id"])
        caller.client.close()


async def test_edits_are_rationed_and_a_deleted_name_is_locked() -> None:
    async with FakeGraph(review_after=0.0) as graph:
        caller = Caller(graph)
        path = f"/v25.0/{graph.number.waba}/message_templates"
        _status, made = await ask(caller)
        await caller.ask("GET", f"/v25.0/{made['id']}")
        assert (await caller.ask("GET", f"/v25.0/{made['id']}?fields=status"))[1] == {"status": "APPROVED"}
        change = {"components": [BODY | {"text": "Your order {{1}} can be fetched."}]}
        assert (await caller.ask("POST", f"/v25.0/{made['id']}", change))[1] == {"success": True}
        await caller.ask("GET", f"/v25.0/{made['id']}")
        assert (await caller.ask("POST", f"/v25.0/{made['id']}", change))[1]["error"]["error_subcode"] == 2388039
        assert (await caller.ask("DELETE", f"{path}?name=order_ready&hsm_id={made['id']}"))[1] == {"success": True}
        assert (await ask(caller))[1]["error"]["error_subcode"] == 2388023
        graph.advance(31 * 86_400)
        assert (await ask(caller))[0] == 200
        caller.client.close()
