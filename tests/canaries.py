"""Secrets planted through the whole session (S33): whatever the product logs while any test runs, at DEBUG, is looked
through for the secrets that tests give it, as both of its formatters write it. One that shows fails the session."""

import logging
import os
from typing import Final

from app import logs

planted: Final[set[str]] = set()


def plant(secret: str) -> str:
    """From now on this must not be logged, whatever happens to it."""
    planted.add(secret)
    return secret


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
        if error or any(secret in raw for secret in planted):  # to write a record is dear, and most hold none
            lines = [style.format(record) for style in self.styles]
            for line in lines:
                if any(secret in line for secret in planted):
                    self.shown[line] = os.environ.get("PYTEST_CURRENT_TEST", "")
