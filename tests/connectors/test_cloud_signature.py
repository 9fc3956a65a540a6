"""P5 and S25: only what Meta signed is read, and a channel without a secret refuses everything."""

import hashlib
import hmac
import json

import pytest

from app.connectors import CONNECTORS
from app.connectors.abilities import Webhook
from tests.connectors.cloud import SECRET, channel, notification, signed, text

cloud: Webhook = CONNECTORS["whatsapp_cloud"]
BODY = notification({"messages": [text("Grüße / 😀")]})
GOOD = signed(BODY)[1][1]


def refused(headers: list[tuple[bytes, bytes]], body: bytes = BODY) -> bool:
    return not cloud.verify(channel(), body, headers)


def test_P5_signed_by_the_app() -> None:
    assert cloud.verify(channel(), BODY, signed(BODY))


def test_P5_signature_is_the_documented_one() -> None:
    expected = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
    assert GOOD == f"sha256={expected}".encode()


def test_P5_previous_secret_counts_during_a_change_and_not_after() -> None:
    headers = signed(BODY, "the-old-one")
    assert cloud.verify(channel(previous_app_secret="the-old-one"), BODY, headers)
    assert not cloud.verify(channel(previous_app_secret=""), BODY, headers)
    assert not cloud.verify(channel(), BODY, headers)


def test_P5_empty_secret_refuses_even_what_is_signed_with_it() -> None:
    assert not cloud.verify(channel(app_secret=""), BODY, signed(BODY, ""))
    assert not cloud.verify(channel(app_secret="", previous_app_secret=""), BODY, signed(BODY, ""))


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"sha256=",
        GOOD[:-1],
        GOOD + b"0",
        GOOD.upper(),
        b"sha256=" + GOOD[7:].upper(),
        GOOD[7:],
        b" " + GOOD,
        b"SHA256=" + GOOD[7:],
        b"sha1=" + hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest().encode(),
        b"sha256=" + b"0" * 64,
        b"sha256=" + b"\xff" * 64,
    ],
)
def test_S25_wrong_values_are_refused(value: bytes) -> None:
    assert refused([(b"x-hub-signature-256", value)])


def test_S25_missing_doubled_and_foreign_headers_are_refused() -> None:
    assert refused([])
    assert refused([(b"x-hub-signature-256", GOOD), (b"x-hub-signature-256", GOOD)])
    assert refused([(b"x-hub-signature", GOOD)])
    assert refused(signed(BODY, "secret-of-another-channel"))


def test_S25_body_written_anew_is_refused() -> None:
    again = json.dumps(json.loads(BODY), separators=(",", ":"), ensure_ascii=False).encode()
    assert json.loads(again) == json.loads(BODY)
    assert refused(signed(BODY), again)
    assert refused(signed(BODY), BODY + b" ")
