"""Calls as data: what goes out with its secrets, what an answer says without them, who may begin."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import calls, jobs
from app.bot.scene import Call
from app.security.outbound import Answer
from app.store.jobs import Host

SECRETS = {"shop_key": "s3cret/with+odd chars", "bank_key": "hush-hush-hush"}
KEY = "\0secret:shop_key\0"


def a_call(method: str = "POST", url: str = "https://shop.example/orders", **more: Any) -> Call:
    return Call(token="t1.0", method=method, url=url, **{"secrets": ("shop_key",), **more})


def answer(body: bytes, kind: str = "application/json", status: int = 200) -> Answer:
    return Answer(status, kind, body)


def body_of(body: bytes, kind: str = "application/json", **more: Any) -> Any:
    return calls.result(a_call(**more), answer(body, kind), SECRETS, 7).body


def test_a_secret_goes_into_address_headers_json_and_form() -> None:
    call = a_call(url=f"https://shop.example/{KEY}?key={KEY}", headers={"Authorization": f"Bearer {KEY}"})
    request = calls.build(call, SECRETS, "install-7")
    assert request.url == "https://shop.example/s3cret%2Fwith%2Bodd%20chars?key=s3cret%2Fwith%2Bodd%20chars"
    assert request.headers["Authorization"] == "Bearer s3cret/with+odd chars"
    nested = calls.build(a_call(json={"a": [{"b": f"<{KEY}>"}], KEY: 1}), SECRETS, "k")
    assert nested.body == b'{"a":[{"b":"<s3cret/with+odd chars>"}],"s3cret/with+odd chars":1}'
    assert nested.headers["Content-Type"] == "application/json"
    form = calls.build(a_call(form={"key": KEY, "item": "bread & butter"}), SECRETS, "k")
    assert form.body == b"key=s3cret%2Fwith%2Bodd+chars&item=bread+%26+butter"
    assert form.headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_a_secret_that_the_document_does_not_name_here_is_not_put_in() -> None:
    """A customer may write the marker of any secret; only those of the document's own call are known to it."""
    asked = a_call(json={"text": "\0secret:bank_key\0"})
    assert calls.build(asked, SECRETS, "k").body == b'{"text":""}'


def test_a_call_carries_a_key_of_its_own_only_where_twice_is_not_once() -> None:
    assert calls.build(a_call("POST"), SECRETS, "install-7").headers["Idempotency-Key"] == "install-7"
    assert calls.build(a_call("PATCH"), SECRETS, "install-7").headers["Idempotency-Key"] == "install-7"
    assert "Idempotency-Key" not in calls.build(a_call("PUT"), SECRETS, "k").headers
    own = calls.build(a_call(headers={"idempotency-key": "mine", "accept": "text/csv"}), SECRETS, "k").headers
    assert own == {"idempotency-key": "mine", "accept": "text/csv"}


@pytest.mark.parametrize(
    ("url", "host", "shown"),
    [
        ("https://Shop.example/a/b?phone=5511", "shop.example", "POST shop.example/a/b"),
        ("https://shop.example:8443#x", "shop.example:8443", "POST shop.example:8443"),
        (f"https://shop.example/{KEY}/x?k={KEY}", "shop.example", "POST shop.example/•••/x"),
        (f"https://{KEY}.example/", "x.example", "POST x.example/"),
        ("no address", "?", "POST ?"),
        ("https://user:pw@shop.example/", "?", "POST ?/"),
        ("", "?", "POST ?"),
    ],
)
def test_what_people_see_has_no_query_and_no_secret(url: str, host: str, shown: str) -> None:
    call = a_call(url=url)
    assert (calls.host(call.url), calls.shown(call)) == (host, shown)


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("application/json", b'{"number": 7}', {"number": 7}),
        ("application/problem+json; charset=utf-8", b'\xef\xbb\xbf["x"]', ["x"]),
        ("", b'{"number": 7}', {"number": 7}),
        ("", b"plain words", "plain words"),
        ("text/plain; charset=iso-8859-1", b"caf\xe9", "café"),
        ("text/plain; charset=nonsense", "café".encode(), "café"),
        ("text/html", b"<b>x</b>\0", "<b>x</b>\ufffd"),
        ("image/png", b"\x89PNG", None),
        ("application/json", b"", None),
        ("application/json", b"[1e400]", None),
        ("application/json", b"[123456789012345678901234567890]", [1.2345678901234568e29]),
        ("application/json", b'{"\\u0000a": "\\u0000secret:x\\u0000"}', {"\ufffda": "\ufffdsecret:x\ufffd"}),
    ],
)  # fmt: skip
def test_an_answer_is_decoded_by_its_type(kind: str, body: bytes, said: Any) -> None:
    assert body_of(body, kind) == said


@pytest.mark.parametrize("body", [b"{", b"nope", b"\xff\xfe", b"[" * 100 + b"]" * 100, b"[" * 60_000, b'"\\ud800"'])
def test_json_that_is_none_is_told_and_keeps_its_status(body: bytes) -> None:
    result = calls.result(a_call(), answer(body, status=201), SECRETS, 7)
    assert (result.error, result.status, result.body) == ("bad_json", 201, None)


def test_S33_a_secret_that_an_answer_repeats_is_covered_however_it_is_written() -> None:
    told = b'["got s3cret/with+odd chars", "s3cret%2Fwith%2Bodd%20chars", {"s3cret\\/with+odd chars": 1}]'
    assert body_of(told) == ["got •••", "•••", {"•••": 1}]
    assert body_of(b"key=s3cret%2Fwith%2Bodd+chars!", "text/plain") == "key=•••!"
    assert body_of(b'"hush-hush-hush"') == "hush-hush-hush", "not a secret of this call"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists))
def test_what_an_answer_says_can_always_be_stored(value: Any) -> None:
    result = calls.result(a_call(), answer(json.dumps(value).encode()), SECRETS, 7)
    assert "\\u0000" not in msgspec.json.encode(result).decode()


def test_hosts_share_the_slots_one_each_in_turn() -> None:
    slow, fast, idle = Host("slow", 1, 100), Host("fast", 2, 3), Host("idle", 3, 1)
    assert jobs.shares([slow, fast, idle], {}, 32) == {"slow": 8, "fast": 3, "idle": 1}
    assert jobs.shares([slow, fast, idle], {"slow": 8}, 32) == {"fast": 3, "idle": 1}
    assert jobs.shares([slow, fast, idle], {"slow": 6}, 4) == {"slow": 2, "fast": 1, "idle": 1}
    assert jobs.shares([slow, fast, idle], {}, 2) == {"slow": 1, "fast": 1}
    assert jobs.shares([slow], {"slow": 9}, 5) == jobs.shares([], {}, 5) == jobs.shares([slow], {}, 0) == {}
