"""S3 and S4."""

import asyncio

import pytest
from argon2 import extract_parameters

from app.errors import Invalid, Unavailable
from app.security import passwords
from app.security.passwords import check, weakness

GOOD = "purple kettle walks nine"
MEMORY = passwords.MEMORY
OWN = ("Rosa Martins", "rosa@lunabakery.example")


@pytest.fixture(autouse=True)
def real_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product's own parameters, on the slowest of machines."""
    monkeypatch.setattr(passwords, "MEMORY", MEMORY)
    monkeypatch.setattr(passwords, "HASHER", passwords.hasher(2))


async def test_S3_hashes_are_argon2id_with_the_agreed_cost() -> None:
    stored = await passwords.hash_password(GOOD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.hash_password(GOOD) != stored
    assert await passwords.verify(stored, GOOD) and not await passwords.verify(stored, GOOD + " ")
    assert not await passwords.verify(None, GOOD) and not await passwords.verify("garbage", GOOD)
    assert not passwords.is_outdated(stored)
    assert passwords.is_outdated(stored.replace("m=19456", "m=8192"))


async def test_S3_two_at_once_ten_wait_and_the_rest_are_told_to_come_back() -> None:
    wanted = passwords.AT_ONCE + passwords.QUEUE
    tries = [asyncio.ensure_future(passwords.hash_password(GOOD)) for _ in range(wanted + 5)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, Unavailable) for result in results) == 5
    assert sum(isinstance(result, str) for result in results) == wanted
    assert passwords.hashing.busy == 0


async def test_S3_the_loop_goes_on_while_passwords_are_hashed() -> None:
    work = asyncio.gather(*(passwords.hash_password(GOOD) for _ in range(10)))
    worst, loop = 0.0, asyncio.get_running_loop()
    while not work.done():
        began = loop.time()
        await asyncio.sleep(0.005)
        worst = max(worst, loop.time() - began)
    await work
    assert worst < 0.5


async def test_S3_an_endless_password_is_not_hashed() -> None:
    stored = await passwords.hash_password(GOOD)
    assert not await passwords.verify(stored, "x" * 1025)
    with pytest.raises(Invalid):
        check("x9 " * 400)


@pytest.mark.parametrize(
    "good",
    [
        GOOD,
        "correct horse battery staple",
        "bxqvm-trnwk-pzldh-gykcs",
        "Xk9#mP2$vL5@nQ8wz",
        "минутка кофе возле моря",
        "x9 kettle " + "long " * 100,
        "84017395528164930",
    ],
)
def test_S4_length_is_what_counts(good: str) -> None:
    assert weakness(good, OWN) == ""


@pytest.mark.parametrize(
    "weak",
    [
        "short",
        "fourteen chars",
        "passwordpassword",
        "Password123456789!",
        "P@ssw0rd12345678",
        "qwertyuiopasdfghjkl",
        "1234567890123456",
        "aaaaaaaaaaaaaaaaaaaaaa",
        "abcdefghijklmnop",
        "iloveyouforever!!",
        "administrator2024",
        "welcome to whatsapp 1",
        "letmein-letmein-1234",
        "hunter2hunter2hunter2",
        "parley whatsapp dashboard",
        "rosa@lunabakery.example",
        "Rosa Martins 19841984",
        "123412341234123412345",
    ],
)
def test_S4_what_is_tried_first_is_refused(weak: str) -> None:
    assert weakness(weak, OWN)


def test_S4_the_blocklist_covers_at_least_three_thousand() -> None:
    words = passwords.common()
    assert len(words) ** 2 > 100_000 and all(word == word.casefold() for word in words)
    pairs = [one + other for one in sorted(words)[:60] for other in sorted(words)[:60] if len(one + other) >= 15]
    assert all(weakness(pair) for pair in pairs)


def test_the_field_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        check("short")
    assert caught.value.fields["password"] == str(caught.value)


async def test_S3_the_cost_follows_the_machine_and_never_falls_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "TARGET", 0.0)
    assert await passwords.measure() == "2"
    monkeypatch.setattr(passwords, "TARGET", 1e6)
    assert await passwords.measure() == "200"
    monkeypatch.setattr(passwords, "MEMORY", 8)
    for stored, passes in ("9", 9), ("", 2), ("1", 2):
        passwords.use(stored)
        for made in await passwords.hash_password(GOOD), passwords.nobody():
            assert extract_parameters(made) == extract_parameters(passwords.hasher(passes).hash(GOOD))
        assert not await passwords.verify(None, GOOD)
