"""The shape of an address on the web."""

import re
from typing import Any

from app.bot.shape import Located, Report, Text
from app.said import N_


class Address(Text):
    """An http or https address; it may hold places to fill in after the host."""

    def __init__(self) -> None:
        super().__init__(2_000, N_("an address that begins with https:// or http://"), "^https?://")

    def read(self, node: Any, report: Report) -> Any:
        value = super().read(node, report)
        if isinstance(value, Located) and not re.match(r"https?://[^\s/{}]+", value.text):
            return self.wrong(node, report)
        return value
