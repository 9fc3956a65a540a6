"""One-time codes: RFC 6238, and RFC 4226 whose codes they are."""

from base64 import b32encode
from urllib.parse import parse_qs, urlsplit

import pytest

from app.security import totp

SEED = b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("second", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037"),
     (20000000000, "353130")],
)  # fmt: skip
def test_S5_codes_are_those_of_the_standard(second: int, code: str) -> None:
    """RFC 6238, appendix B: the last six of its eight digits."""
    assert totp.code_at(SEED, second // 30) == code
    assert totp.step_of(SEED, code, second * 1000, after=0) == second // 30


@pytest.mark.parametrize(("step", "code"), list(enumerate("755224 287082 359152 969429 338314 254676".split())))
def test_S5_codes_are_those_of_the_counter_standard(step: int, code: str) -> None:
    """RFC 4226, appendix D."""
    assert totp.code_at(SEED, step) == code


def test_S5_a_code_is_right_for_its_half_minute_and_its_neighbours() -> None:
    now = 1_790_000_000_000
    step = now // 30_000
    taken = [totp.step_of(SEED, totp.code_at(SEED, step + apart), now, 0) for apart in range(-3, 4)]
    assert taken == [None, None, step - 1, step, step + 1, None, None]


def test_S5_an_earlier_or_equal_step_is_not_taken_again() -> None:
    now = 1_790_000_000_000
    step = now // 30_000
    assert totp.step_of(SEED, totp.code_at(SEED, step), now, after=step) is None
    assert totp.step_of(SEED, totp.code_at(SEED, step - 1), now, after=step) is None
    assert totp.step_of(SEED, totp.code_at(SEED, step + 1), now, after=step) == step + 1


@pytest.mark.parametrize("code", ["", "28708", "2870822", "٢٨٧٠٨٢", "28708a", "287082\0", "ü" * 6])
def test_S5_what_is_no_code_is_refused(code: str) -> None:
    assert totp.step_of(SEED, code, 59_000, after=0) is None


def test_S5_the_address_in_the_picture_is_what_apps_read() -> None:
    seed = totp.new_seed()
    parts = urlsplit(totp.address(seed, "rosa@luna.example", "Luna & Söhne"))
    assert (parts.scheme, parts.netloc, parts.path) == (
        "otpauth",
        "totp",
        "/Luna%20%26%20S%C3%B6hne%3Arosa%40luna.example",
    )
    assert parse_qs(parts.query) == {
        "secret": [seed], "issuer": ["Luna & Söhne"], "algorithm": ["SHA1"], "digits": ["6"], "period": ["30"],
    }  # fmt: skip
    assert len(seed) == 32 and seed != totp.new_seed()
