"""S33 and S34: what never reaches a log, and what a line may not do."""

import io
import json
import logging

import pytest

from app import logs, second_factor
from app.security.secrets import Keyring
from tests.canaries import Watch, plant

CANARIES = {
    "meta token": "EAAGm0PX4ZCpsBAKZCq1234567890abcdef",
    "telegram token in a path": "https://api.telegram.org/bot123456789:AAF-abcdefghijklmnopqrstuvwxyz01234/getMe",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "webhook secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "api key": "pk_8sKd92LmQpXz71Bv",
    "sealed": "v1.0123456789ab.AAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBB",
    "bearer": "Authorization: Bearer abc.DEF-123456",
    "cookie": "Cookie: __Host-parley=QmYi4BcOqfmWoMmp8HeTSLVw.BLTP2SjCiit",
    "query": "https://graph.example/v25.0/me?access_token=s3cr3tvalue&fields=id",
    "json": '{"app_secret": "s3cr3tvalue", "name": "Shop"}',
    "repr": "{'password': 's3cr3tvalue'}",
    "keyword": "password=s3cr3tvalue",
    "address": "postgresql://rosa:s3cr3tvalue@db.example/parley",
    "verify": "verify_token: s3cr3tvalue",
}
SECRETS = (
    "EAAGm0PX4", "AAF-abcdef", "eyJzdWIi", "MfKQ9r8G", "8sKd92Lm", "BBBBBBBB", "abc.DEF", "BLTP2Sj", "s3cr3tvalue",
)  # fmt: skip


def logged(style: str, message: str, *args: object, **extra: object) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Json() if style == "json" else logs.Text())
    logger = logging.Logger("app.test")
    logger.addHandler(handler)
    logger.info(message, *args, extra=extra or None)
    return stream.getvalue()


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize("name", CANARIES)
def test_S33_a_secret_is_not_logged(style: str, name: str) -> None:
    for text in (logged(style, CANARIES[name]), logged(style, "said %s", CANARIES[name])):
        assert not any(secret in text for secret in SECRETS) and (
            logs.HIDDEN in text or json.dumps(logs.HIDDEN)[1:-1] in text
        )
    nested = logged(style, "x", seen={"list": [CANARIES[name]]})
    assert not any(secret in nested for secret in SECRETS)


@pytest.mark.parametrize("style", ["text", "json"])
def test_S33_a_secret_in_a_traceback_is_not_logged(style: str) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Json() if style == "json" else logs.Text())
    logger = logging.Logger("app.test")
    logger.addHandler(handler)
    try:
        raise ValueError(CANARIES["query"])
    except ValueError:
        logger.exception("failed")
    assert "s3cr3tvalue" not in stream.getvalue() and "ValueError" in stream.getvalue()


def test_S33_names_say_secret_at_any_depth() -> None:
    found = json.loads(
        logged("json", "x", values={"channel": {"app_secret": "abc", "access_token": "d", "name": "Shop"}})
    )
    assert found["values"]["channel"] == {"app_secret": logs.HIDDEN, "access_token": logs.HIDDEN, "name": "Shop"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to +5511987654321 now", "to …321 now"),
        ("to 5511987654321", "to …321"),
        ("+55 11 98765-4321", "…321"),
        ("at 1790000000000", "at 1790000000000"),
        ("took 1234567 us", "took 1234567 us"),
        ("message 7318349394477056", "message 7318349394477056"),
        ("10.0.0.1:8080", "10.0.0.1:8080"),
    ],
)
def test_S33_phone_numbers_keep_three_digits(text: str, shown: str) -> None:
    assert logs.redact(text) == shown


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize(
    "trick",
    [
        "a\nb",
        "a\r\nb",
        "a\x1b[2Jb",
        "a\x00b",
        "a\u2028b",
        "a\u2029b",
        "a\u202eb",
        "a\x85b",
        "a\u200fb",
        "a\x9b31mb",
        "a\tb",
    ],
)
def test_S34_one_event_is_one_line_that_does_nothing(style: str, trick: str) -> None:
    text = logged(style, "name %s", trick, other=trick)
    assert text.count("\n") == 1 and text.endswith("\n")
    assert not any(char in text[:-1] for char in trick if not char.isprintable())


def test_json_lines_are_whole_and_carry_the_request() -> None:
    token = logs.request_id.set("abc123")
    try:
        found = json.loads(logged("json", "stored %d", 3, channel="Shop"))
    finally:
        logs.request_id.reset(token)
    assert (found["message"], found["channel"], found["request_id"]) == ("stored 3", "Shop", "abc123")
    assert found["at"].endswith("Z") and found["level"] == "info" and found["logger"] == "app.test"


def test_S33_what_tests_plant_is_looked_for_in_everything_that_is_logged(
    no_planted_secret_is_logged: Watch,
) -> None:
    """The watch that stands over the whole suite hears DEBUG, and sees what no rule covers."""
    before, log = no_planted_secret_is_logged.records, logging.getLogger("app.watched")
    log.debug("password=%s", plant("nine blue canaries"))
    assert no_planted_secret_is_logged.records == before + 1 and not no_planted_secret_is_logged.shown
    alone = Watch()
    alone.handle(log.makeRecord("app", logging.DEBUG, "", 0, "they say %s", ("nine blue canaries",), None))
    assert len(alone.shown) == 2  # as text and as JSON


def test_S33_what_the_product_makes_is_looked_for_too(no_planted_secret_is_logged: Watch) -> None:
    """Seeds, recovery codes, sessions, keys and what is sealed are planted where they pass, by whoever made them."""
    ring = Keyring.__new__(Keyring)
    ring.turn("k", {"k": bytes(32)})
    ring.seal("whsec_of-a-webhook-12345", "webhook|secret|1")
    second_factor.digest(1, "abcd-efgh-ijkl-mnop")
    alone = Watch()
    for said in "it is whsec_of-a-webhook-12345.", "it is abcd-efgh-ijkl-mnop", "nothing-of-the-kind-at-all":
        alone.handle(logging.getLogger("app").makeRecord("app", logging.DEBUG, "", 0, said, (), None))
    assert {line.split()[-1] for line in alone.shown if "{" not in line} == {"abcd-efgh-ijkl-mnop"}
