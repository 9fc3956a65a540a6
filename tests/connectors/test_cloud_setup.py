""" "Test it" and files: calls to Graph beside the sends. Contract §1.4, §10, §12."""

import hashlib
import json
from typing import Any

import pytest

from app.connectors.base import Check, SendFailed
from app.connectors.whatsapp_cloud.graph import Graph
from app.connectors.whatsapp_cloud.media import bearer_allowed
from app.connectors.whatsapp_cloud.session import CloudSession
from tests.connectors.cloud import ACCOUNT, channel
from tests.connectors.servers import Answer, Call, server

WABA = "102290129340398"
NUMBER = {"id": ACCOUNT, "display_phone_number": "+1 555-078-3881", "verified_name": "Shop", "quality_rating": "GREEN"}
APPS = {"data": [{"whatsapp_business_api_data": {"id": "1", "name": "App", "link": "https://x.org"}}]}
BAD_TOKEN = (401, {"error": {"message": "Invalid OAuth access token", "type": "OAuthException", "code": 190}})
NO_SUCH = (
    400,
    {"error": {"message": "Unsupported get request", "type": "GraphMethodException", "code": 100, "error_subcode": 33}},
)


def graph(answers: dict[str, Any]) -> Answer:
    """Answers by path; a pair is a status with its body."""

    async def answer(call: Call) -> None:
        found = answers.get(call.target.split("?")[0], NO_SUCH)
        status, body = found if isinstance(found, tuple) else (200, found)
        await call.respond(status, body if isinstance(body, bytes) else json.dumps(body).encode())

    return answer


async def examined(answers: dict[str, Any], **settings: str) -> dict[str, Check]:
    async with server(graph(answers)) as (url, calls):
        session = CloudSession(channel(url, **settings))
        checks = await session.examine()
        await session.close()
    assert all(call.header("authorization") == "Bearer EAAfakeToken0001" for call in calls)
    return {check.name: check for check in checks}


def good(**number: str) -> dict[str, Any]:
    return {f"/v25.0/{ACCOUNT}": NUMBER | number, f"/v25.0/{WABA}/subscribed_apps": APPS}


async def test_everything_in_order() -> None:
    checks = await examined(good(), waba_id=WABA)
    assert {name: check.ok for name, check in checks.items()} == dict.fromkeys(
        ("token", "number", "subscribed", "secret"), True
    )


async def test_refused_token() -> None:
    checks = await examined({f"/v25.0/{ACCOUNT}": BAD_TOKEN})
    assert checks["token"] == Check("token", False, "token.renew")
    assert checks["number"].ok is None


async def test_unknown_number_with_a_good_token() -> None:
    checks = await examined({})
    assert checks["token"].ok
    assert checks["number"] == Check("number", False, "number.find")


async def test_number_that_may_not_send_or_is_rated_red() -> None:
    assert (await examined(good(status="BANNED")))["number"] == Check("number", False, "number.state")
    assert (await examined(good(status="CONNECTED")))["number"].ok
    assert (await examined(good(quality_rating="RED")))["quality"] == Check("quality", False, "number.quality")


async def test_account_to_which_no_app_is_subscribed() -> None:
    answers = good() | {f"/v25.0/{WABA}/subscribed_apps": {"data": []}}
    assert (await examined(answers, waba_id=WABA))["subscribed"] == Check("subscribed", False, "waba.subscribe")
    del answers[f"/v25.0/{WABA}/subscribed_apps"]
    assert (await examined(answers, waba_id=WABA))["subscribed"] == Check("subscribed", False, "waba.permission")
    assert (await examined(answers))["subscribed"] == Check("subscribed", None, "waba.enter")


async def test_missing_app_secret() -> None:
    assert (await examined(good(), app_secret=""))["secret"] == Check("secret", False, "secret.enter")


async def test_graph_out_of_reach_and_talking_nonsense() -> None:
    checks = {check.name: check for check in await CloudSession(channel("http://127.0.0.1:1")).examine()}
    assert checks["token"] == Check("token", None, "graph.unreachable")
    for answer in ((502, b"<html>"), (200, b"<html>")):
        assert (await examined({f"/v25.0/{ACCOUNT}": answer}))["token"].ok is None


# ---- files -----------------------------------------------------------------------------------------------------------


async def test_P9_file_is_found_with_its_digest_and_the_token_for_its_host() -> None:
    digest = hashlib.sha256(b"file").hexdigest()
    told = {
        "url": "https://lookaside.fbsbx.com/x?mid=1",
        "mime_type": "image/jpeg",
        "sha256": digest,
        "file_size": "303833",
    }
    async with server(graph({"/v25.0/42": told})) as (url, calls):
        file = await CloudSession(channel(url)).locate_media("42")
    assert calls[0].target == f"/v25.0/42?phone_number_id={ACCOUNT}"
    assert (file.url, file.mime, file.sha256, file.size) == (told["url"], "image/jpeg", digest, 303833)
    assert file.headers == {"authorization": "Bearer EAAfakeToken0001"}


async def test_foreign_host_does_not_see_the_token() -> None:
    async with server(graph({"/v25.0/42": {"url": "https://evil.example/x"}})) as (url, _):
        file = await CloudSession(channel(url)).locate_media("42")
    assert file.headers == {}


async def test_P9_id_that_meta_no_longer_has_is_given_up() -> None:
    async with server(graph({})) as (url, _):
        with pytest.raises(SendFailed) as caught:
            await CloudSession(channel(url)).locate_media("42")
    assert caught.value.certain and not caught.value.temporary


async def test_P9_graph_out_of_reach_is_worth_another_try() -> None:
    with pytest.raises(SendFailed) as caught:
        await CloudSession(channel("http://127.0.0.1:1")).locate_media("42")
    assert caught.value.temporary


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://lookaside.fbsbx.com/a", True),
        ("https://LOOKASIDE.fbsbx.com:443/a", True),
        ("https://mmg.whatsapp.net/a", True),
        ("https://graph.test:8443/a", True),
        ("https://graph.test/a", False),
        ("http://graph.test:8443/a", False),
        ("http://lookaside.fbsbx.com/a", False),
        ("https://lookaside.fbsbx.com:8443/a", False),
        ("https://fbsbx.com.evil.example/a", False),
        ("https://evilfbsbx.com/a", False),
        ("https://user@lookaside.fbsbx.com/a", False),
        ("https://lookaside.fbsbx.com@evil.example/a", False),
        ("https://evil.example\\@lookaside.fbsbx.com/a", False),
        ("https://evil.example/?lookaside.fbsbx.com", False),
        ("file:///etc/passwd", False),
        ("https://[::1", False),
        ("https://lookaside.fbsbx.com:99999/a", False),
        ("", False),
    ],
)
def test_S26_hosts_that_may_see_the_token(url: str, allowed: bool) -> None:
    assert bearer_allowed(Graph.of(channel("https://graph.test:8443")), url) is allowed
