"""What the fake posts and how: shapes after the contract's tables, signatures, retries, batches, disorder."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from .graph import FakeGraph, Number, Posted, read
from .graph.caller import ANNA, BELA, Caller, text
from .graph.listener import Listener

USER = "@anna.b"


@contextlib.asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[tuple[FakeGraph, Listener, Caller]]:
    async with Listener(Number().app_secret) as hook, FakeGraph(webhook=hook.url, **settings) as graph:
        caller = Caller(graph)
        try:
            yield graph, hook, caller
        finally:
            caller.client.close()


def steps(hook: Listener, wamid: str) -> list[str]:
    return [status["status"] for status in hook.all("statuses") if status["id"] == wamid]


async def test_bodies_are_escaped_and_signed_as_sent() -> None:
    async with running() as (graph, hook, _):
        await graph.inbound(ANNA, "Grüße / 😀")
        await hook.wait("messages", 1)
        assert rb'"body":"Gr\u00fc\u00dfe \/ \ud83d\ude00"' in hook.bodies[0]
        assert hook.forged == 0
        await graph.settled()


async def test_nothing_is_delivered_before_the_callback_verified_itself() -> None:
    async with (
        Listener("s", "right") as hook,
        FakeGraph(webhook=hook.url, app_secret="s", verify_token="wrong") as graph,
    ):
        await graph.inbound(ANNA, "Hi")
        assert (await graph.call("POST", "verify"))["verified"] is False
        assert hook.bodies == []
        hook.verify_token = "wrong"
        assert (await graph.call("POST", "verify"))["verified"] is True
        await hook.wait("messages", 1)


async def test_a_send_inside_the_window_is_sent_delivered_and_read() -> None:
    async with running() as (graph, hook, caller):
        await graph.inbound(ANNA, "Hi", name="Anna")
        wamid = await caller.accepted(text(biz_opaque_callback_data="install.7"))
        await hook.wait("statuses", 3)
        assert steps(hook, wamid) == ["sent", "delivered", "read"]
        for status in hook.all("statuses"):
            assert status["biz_opaque_callback_data"] == "install.7"
            assert status["recipient_id"] == ANNA
            assert status["recipient_user_id"] == graph.person(ANNA)["bsuid"]
            assert isinstance(status["timestamp"], str)
        assert ["pricing" in status for status in hook.all("statuses")] == [True, True, False]
        contacts = hook.all("contacts")
        assert all(contact["wa_id"] == ANNA and contact["profile"]["name"] == "Anna" for contact in contacts)
        await graph.settled()


async def test_a_user_without_read_receipts_never_reads() -> None:
    async with running() as (graph, hook, caller):
        graph.person(ANNA, read=False)
        await graph.inbound(ANNA, "Hi")
        wamid = await caller.accepted(text())
        await hook.wait("statuses", 2)
        await graph.settled()
        assert steps(hook, wamid) == ["sent", "delivered"]


async def test_a_reaction_is_only_sent() -> None:
    async with running() as (graph, hook, caller):
        theirs = await graph.inbound(ANNA, "Hi")
        wamid = await caller.accepted(text() | {"type": "reaction", "reaction": {"message_id": theirs, "emoji": "👍"}})
        unknown = {"message_id": "wamid.none", "emoji": "👍"}
        lost = await caller.accepted(text() | {"type": "reaction", "reaction": unknown})
        await hook.wait("statuses", 2)
        assert steps(hook, wamid) == ["sent"]
        assert steps(hook, lost) == ["failed"]
        assert hook.all("statuses")[-1]["errors"][0]["code"] == 131009


async def test_a_username_user_has_no_phone_in_any_webhook() -> None:
    async with running() as (graph, hook, caller):
        bsuid = graph.person(USER, name="Anna")["bsuid"]
        await graph.inbound(USER, "Hi")
        (message,) = await hook.wait("messages", 1)
        assert "from" not in message and message["from_user_id"] == bsuid
        assert hook.all("contacts") == [{"profile": {"name": "Anna", "username": "anna.b"}, "user_id": bsuid}]
        status, answer = await caller.send(text(None, recipient=bsuid))
        assert status == 200 and answer["contacts"] == [{"input": bsuid, "user_id": bsuid}]
        await hook.wait("statuses", 3)
        assert all("recipient_id" not in each and each["recipient_user_id"] == bsuid for each in hook.all("statuses"))
        shown = [value["contacts"][0]["profile"].get("username") for value in hook.values if "statuses" in value]
        assert shown[0] is None and shown[-1] == "anna.b"
        assert b"wa_id" not in b"".join(hook.bodies)


async def test_a_user_id_in_to_is_answered_200_and_lost() -> None:
    async with running() as (graph, hook, caller):
        bsuid = graph.person(USER)["bsuid"]
        await graph.inbound(USER, "Hi")
        lost = await caller.accepted(text(bsuid))
        kept = await caller.accepted(text(None, recipient=bsuid))
        await hook.wait("statuses", 3)
        await graph.settled()
        assert steps(hook, lost) == [] and steps(hook, kept) == ["sent", "delivered", "read"]


async def test_free_form_outside_the_window_fails_later_and_a_template_does_not() -> None:
    async with running() as (_, hook, caller):
        free = await caller.accepted(text())
        (failed,) = await hook.wait("statuses", 1)
        assert (failed["id"], failed["status"], failed["errors"][0]["code"]) == (free, "failed", 131047)
        assert failed["recipient_id"] == ANNA and "recipient_user_id" not in failed
        assert hook.all("contacts") == []
        hello = {"name": "hello_world", "language": {"code": "en_US"}}
        template = await caller.accepted(text() | {"type": "template", "template": hello})
        await hook.wait("statuses", 4)
        assert steps(hook, template) == ["sent", "delivered", "read"]


async def test_every_inbound_message_opens_the_window_for_24_hours_again() -> None:
    async with running(sent_after=0.0, read=False) as (graph, hook, caller):
        await graph.inbound(ANNA, "Hi")
        graph.advance(23 * 3600)
        await graph.inbound(ANNA, "Still here")
        graph.advance(23 * 3600)
        inside = await caller.accepted(text())
        await hook.wait("statuses", 2)
        graph.advance(3600)
        outside = await caller.accepted(text())
        other = await caller.accepted(text(BELA))
        await hook.wait("statuses", 4)
        assert steps(hook, inside) == ["sent", "delivered"]
        assert steps(hook, outside) == steps(hook, other) == ["failed"]


@pytest.mark.parametrize("code", [131026, 131049, 131050, 130472])
async def test_a_user_may_be_out_of_reach(code: int) -> None:
    async with running() as (graph, hook, caller):
        bsuid = graph.person(USER, fails=code)["bsuid"]
        await graph.inbound(USER, "Hi")
        await caller.accepted(text(None, recipient=bsuid))
        (failed,) = await hook.wait("statuses", 1)
        assert failed["errors"][0]["code"] == code
        assert failed["recipient_user_id"] == bsuid
        assert set(failed["errors"][0]) == {"code", "title", "message", "error_data", "href"}


async def test_a_post_that_was_not_answered_200_is_repeated_unchanged(tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    async with running(truth=truth, retry_base=0.01) as (graph, hook, _):
        hook.answers.extend([500, 204, 404])
        await graph.inbound(ANNA, "Hi")
        await hook.wait("messages", 4)
        await graph.settled()
        assert len(set(hook.bodies)) == 1
        posts = [line for line in read(truth) if isinstance(line, Posted)]
        assert [(post.n, post.attempt, post.status) for post in posts] == [
            (1, 0, 500),
            (1, 1, 204),
            (1, 2, 404),
            (1, 3, 200),
        ]


async def test_a_dead_callback_gets_its_posts_when_it_is_back() -> None:
    async with running(retry_base=0.05, webhook_timeout=0.05) as (graph, hook, _):
        hook.gate.clear()
        await graph.inbound(ANNA, "Hi")
        await hook.wait("messages", 2)
        hook.gate.set()
        await graph.settled()


async def test_after_seven_days_a_post_is_dropped(tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    async with running(truth=truth, retry_base=0.01) as (graph, hook, _):
        hook.answers.extend([500] * 1000)
        await graph.inbound(ANNA, "Hi")
        await hook.wait("messages", 3)
        graph.advance(7 * 86_400 + 1)
        hook.answers.clear()
        await graph.inbound(ANNA, "Another")
        async with asyncio.timeout(5):
            while not [message for message in hook.all("messages") if message["text"]["body"] == "Another"]:
                await asyncio.sleep(0.01)
        posts = [line for line in read(truth) if isinstance(line, Posted)]
        assert {post.n for post in posts if post.status == 200} <= {1, 2} and posts[-1].n == 2


async def test_what_waits_goes_in_one_post_of_at_most_a_thousand() -> None:
    async with running() as (graph, hook, _):
        hook.gate.clear()
        await graph.inbound(ANNA, "first")
        await hook.wait("messages", 1)
        for n in range(2500):
            await graph.inbound(f"1650555{n % 7:04}", str(n))
        hook.gate.set()
        await hook.wait("messages", 2501)
        sizes = [
            sum(len(change["value"]["messages"]) for change in json.loads(body)["entry"][0]["changes"])
            for body in hook.bodies
        ]
        assert sizes == [1, 1000, 1000, 500]
        assert [message["text"]["body"] for message in hook.all("messages")][1:] == [str(n) for n in range(2500)]


async def test_posts_may_be_doubled_and_updates_may_overtake_each_other() -> None:
    async with running(duplicate=1.0, reorder=0.5, batch=1) as (graph, hook, _):
        sent = [await graph.inbound(ANNA, str(n)) for n in range(20)]
        came = [message["id"] for message in await hook.wait("messages", 40)]
        await graph.settled()
        assert sorted(came) == sorted(sent * 2)
        assert list(dict.fromkeys(came)) != sent


async def test_a_status_may_come_before_the_answer() -> None:
    async with running() as (graph, hook, caller):
        await graph.inbound(ANNA, "Hi")
        await hook.wait("messages", 1)
        graph.mode("early-status", times=1)
        hook.gate.clear()
        call = asyncio.create_task(caller.accepted(text()))
        (status,) = await hook.wait("statuses", 1)
        assert status["status"] == "sent" and not call.done()
        hook.gate.set()
        assert await call == status["id"]


async def test_two_numbers_have_their_own_secrets_callbacks_and_tokens() -> None:
    async with Listener("secret-1") as first, Listener("secret-2") as second:
        numbers = [
            Number(phone_number_id="1", waba="10", token="EAA1", app_secret="secret-1", webhook=first.url),
            Number(phone_number_id="2", waba="20", token="EAA2", app_secret="secret-2", webhook=second.url),
        ]
        async with FakeGraph(numbers=numbers) as graph:
            await graph.inbound(ANNA, "to one", phone_number_id="1")
            await graph.inbound(ANNA, "to two", phone_number_id="2")
            await first.wait("messages", 1)
            await second.wait("messages", 1)
            assert [value["metadata"]["phone_number_id"] for value in (*first.values, *second.values)] == ["1", "2"]
            assert first.forged == second.forged == 0
            caller = Caller(graph)
            status, answer = await caller.ask("POST", "/v25.0/2/messages", text())
            assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (400, 100, 33)
            assert answer["error"]["type"] == "GraphMethodException"
            caller.client.close()


async def test_a_callback_of_the_number_goes_before_that_of_the_app() -> None:
    async with running() as (graph, hook, caller), Listener(graph.number.app_secret, "other") as own:
        path = f"/{graph.number.phone_number_id}"
        wanted = {"webhook_configuration": {"override_callback_uri": own.url, "verify_token": "other"}}
        assert (await caller.ask("POST", path, wanted))[1] == {"success": True}
        await graph.inbound(ANNA, "Hi")
        await own.wait("messages", 1)
        found = (await caller.ask("GET", path + "?fields=webhook_configuration"))[1]["webhook_configuration"]
        assert found == {"phone_number": own.url, "application": hook.url}
        await caller.ask("POST", path, {"webhook_configuration": {"override_callback_uri": ""}})
        await graph.inbound(ANNA, "Back")
        await hook.wait("messages", 1)


async def test_without_a_subscription_nothing_is_posted() -> None:
    async with running() as (graph, hook, caller):
        path = f"/v25.0/{graph.number.waba}/subscribed_apps"
        await caller.ask("DELETE", path)
        assert (await caller.ask("GET", path))[1] == {"data": []}
        await graph.inbound(ANNA, "unheard")
        await caller.ask("POST", path)
        await graph.inbound(ANNA, "heard")
        (message,) = await hook.wait("messages", 1)
        assert message["text"]["body"] == "heard"


CONTENTS: dict[str, dict[str, Any]] = {
    "text": {"text": "Hi"},
    "image": {"image": {"caption": "Look"}},
    "video": {"video": {"size": 1000}},
    "audio": {"audio": {}},
    "document": {"document": {"filename": "a.pdf"}},
    "sticker": {"sticker": {}},
    "location": {"location": {"latitude": 37.4, "longitude": -122.1}},
    "contacts": {"contacts": [{"name": {"formatted_name": "Bela"}, "phones": [{"phone": "+1"}]}]},
    "reaction": {"reaction": {"message_id": "wamid.x", "emoji": "👍"}},
    "interactive": {"button_reply": {"id": "yes", "title": "Yes"}, "context": {"from": "1", "id": "wamid.x"}},
    "button": {"button": {"payload": "p", "text": "Yes"}},
    "order": {"order": {"catalog_id": "1", "product_items": []}},
    "system": {"system": {"type": "user_changed_number", "wa_id": BELA}},
    "unsupported": {"unsupported": {"type": "poll_creation"}},
    "edit": {"edit": {"original_message_id": "wamid.x", "message": {"type": "text", "text": {"body": "b"}}}},
    "revoke": {"revoke": {"original_message_id": "wamid.x"}},
    "request_welcome": {"type": "request_welcome"},
}


@pytest.mark.parametrize("kind", CONTENTS)
async def test_every_type_of_message_can_come_in(kind: str) -> None:
    async with running() as (graph, hook, _):
        wamid = await graph.inbound(ANNA, **CONTENTS[kind])
        (message,) = await hook.wait("messages", 1)
        assert (message["id"], message["type"], message["from"]) == (wamid, kind, ANNA)
        assert (kind in message) == (kind != "request_welcome")
        assert bool(hook.all("contacts")) == (kind != "system")
        assert ("errors" in message) == (kind == "unsupported")


async def test_a_new_number_gives_the_user_a_new_id() -> None:
    async with running() as (graph, hook, _):
        old = graph.person(ANNA)["bsuid"]
        await graph.inbound(ANNA, system={"type": "user_changed_number", "wa_id": BELA})
        (message,) = await hook.wait("messages", 1)
        system = message["system"]
        assert system["previous_user_id"] == old != system["user_id"]
        assert graph.person(BELA)["bsuid"] == system["user_id"]


async def test_other_fields_echoes_and_standby_can_be_injected() -> None:
    async with running() as (graph, hook, _):
        await graph.call("POST", "echo", to=ANNA, text="from the phone")
        await graph.inbound(ANNA, "for the agent", standby=True)
        value = {"event": "APPROVED", "message_template_id": 7}
        await graph.call("POST", "webhook", field="message_template_status_update", value=value, time=1_700_000_000)
        await graph.settled()
        async with asyncio.timeout(5):
            while len(hook.values) < 3:
                await asyncio.sleep(0.01)
        echo, standby, update = hook.values
        assert echo["field"] == "smb_message_echoes" and echo["message_echoes"][0]["to"] == ANNA
        assert standby["field"] == "standby" and standby["standby"]["messages"][0]["text"]["body"] == "for the agent"
        assert update == value | {"field": "message_template_status_update"}
        times = [entry.get("time") for body in hook.bodies for entry in json.loads(body)["entry"]]
        assert times[-1] == 1_700_000_000 and set(times[:-1]) == {None}
