"""JSON that two readers could take for different things, or that would cost more than it is worth, is refused (S17)."""

import pytest

from app.errors import Invalid, ParleyError
from app.routes.api.reading import BadRequest, plain
from tests.api.conftest import Program


@pytest.mark.parametrize(
    ("body", "error", "said"),
    [
        (b"[" * 65 + b"]" * 65, BadRequest, "nested more than 64"),
        (b"[" * 100_000, BadRequest, "nested more than 64"),
        (b'{"a":' * 1_000 + b"1" + b"}" * 1_000, BadRequest, "nested more than 64"),
        (b'{"to": "1", "to": "2"}', BadRequest, "“to” is there twice"),
        (b'{"a": {"to": "1", "t\\u006f": "2"}}', BadRequest, "“to” is there twice"),
        (b"NaN", BadRequest, "NaN is not JSON"),
        (b'{"a": -Infinity}', BadRequest, "-Infinity is not JSON"),
        (b"1e999", Invalid, "too large"),
        (b"9223372036854775808", Invalid, "too large"),
        (b"-9223372036854775809", Invalid, "too large"),
        (b"9" * 5_000, BadRequest, "more than 400 digits"),
        (b'"a\\u0000b"', BadRequest, "no character"),
        (b'"\\ud83d"', BadRequest, "no character"),
        (b'"\xff"', BadRequest, "not UTF-8"),
        (b'\xef\xbb\xbf{"a": 1}', BadRequest, "line 1, column 1"),
        (b"{'a': 1}", BadRequest, "line 1, column 2"),
        (b"[1,]", BadRequest, "line 1"),
        (b"", BadRequest, "line 1"),
    ],
)
def test_S17_what_can_be_read_in_two_ways_or_is_made_to_burst_is_refused(
    body: bytes, error: type[ParleyError], said: str
) -> None:
    with pytest.raises(error, match=said) as refused:
        plain(body)
    assert refused.value.status in (400, 422)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'["' + b"[" * 500 + b'"]', ["[" * 500]),
        (b'"\\\\u0000 \\ud83d\\ude00"', "\\u0000 😀"),
        (b"[9223372036854775807, -9223372036854775807]", [2**63 - 1, 1 - 2**63]),
        (b"[" * 64 + b"]" * 64, None),
    ],
)
def test_S17_what_only_looks_like_it_is_taken(body: bytes, value: object) -> None:
    assert plain(body) == value or value is None


@pytest.mark.anyio
async def test_S17_the_api_reads_bodies_so(api: Program) -> None:
    head = await api.key("send") | {"Content-Type": "application/json"}
    for body, status in (b'{"phone":"+5511999990000","phone":"1"}', 400), (b"[" * 100_000, 400), (b"[1e999]", 422):
        answer = await api.post("/api/v1/contacts", content=body, headers=head)
        assert answer.status_code == status, answer.text


@pytest.mark.anyio
async def test_S15_what_is_too_large_is_refused_like_anything_else(api: Program) -> None:
    head = await api.key("send") | {"Content-Type": "application/json"}
    answer = await api.post("/api/v1/contacts", content=b" " * 1_000_001, headers=head)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
