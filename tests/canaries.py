"""Secrets planted through the whole session (S33): whatever the product logs while any test runs, at DEBUG, is looked
through for the secrets that tests give it and for those that it makes, as both of its formatters write it. One that
shows fails the session."""

import logging
import os
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import pytest

from app import invitations, logs, second_factor
from app.security import access, passwords, sessions
from app.security.secrets import Keyring

planted: Final[set[str]] = set()
# Of the thousands that the product makes or is shown: their longest word, so that a line costs one look for each of its
# own words, however many there are.
made: Final[set[str]] = set()
WORD: Final = re.compile(r"[A-Za-z0-9_-]{16,}")
# Where they pass: what is sealed (secrets of channels, bots and webhooks, seeds of authenticators), what is kept as a
# hash, each with the place of the secret among what it is given.
PASSED: Final[tuple[tuple[Any, str, int], ...]] = (
    (Keyring, "seal", 1),
    (sessions, "digest", 0),
    (access, "digest", 0),  # API keys and refresh tokens
    (invitations, "digest", 0),
    (second_factor, "digest", 1),  # recovery codes
    (passwords, "hash_password", 0),
)


def plant(secret: str) -> str:
    """From now on this must not be logged, whatever happens to it."""
    planted.add(secret)
    return secret


def plant_what_passes(patch: pytest.MonkeyPatch) -> None:
    """From now on no secret that the product makes, keeps or is shown must be logged."""
    for holder, name, place in PASSED:
        patch.setattr(holder, name, _noted(getattr(holder, name), place))
    give = access.Signer.give
    patch.setattr(access.Signer, "give", lambda *given: _note(give(*given)))


def _noted(function: Callable[..., Any], place: int) -> Callable[..., Any]:
    @wraps(function)
    def call(*given: Any) -> Any:
        _note(given[place])
        return function(*given)

    return call


def _note(secret: str) -> str:
    made.add(max(WORD.findall(secret), key=len, default=""))
    return secret


def holds_secret(text: str) -> bool:
    return any(secret in text for secret in planted) or not made.isdisjoint(WORD.findall(text))


class Watch(logging.Handler):
    """Put on the product's logger. `shown`: each line with a secret in it, and the test that was running."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.styles = (logs.Text(), logs.Json())
        self.records = 0
        self.shown: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self.records += 1
        error = record.exc_info[1] if record.exc_info else None
        raw = f"{vars(record)} {error!r} {error.__context__!r} {error.__cause__!r}" if error else f"{vars(record)}"
        if error or holds_secret(raw):  # to write a record is dear, and most hold none
            lines = [style.format(record) for style in self.styles]
            for line in lines:
                if holds_secret(line):
                    self.shown[line] = os.environ.get("PYTEST_CURRENT_TEST", "")
