"""A conversation whose turns are kept as they are stored."""

from typing import Any

import msgspec

from app.bot.document import Version
from app.bot.rerun import Past
from app.bot.scene import ContactView, Event, Scene, TurnInput
from tests.bot.turns import ANA, NOW, WHATSAPP
from tests.bot.world import World


class Lived(World):
    def __init__(self, bot: Version, contact: ContactView = ANA) -> None:
        super().__init__(bot, NOW, WHATSAPP, contact)
        self.past: list[Past] = []

    def happen(self, event: Event) -> list[str]:
        here = Scene(self.state, self.contact, self.capabilities, "Shop", "simulator", self.last_heard)
        given = TurnInput(here, event, self.now)
        heard = super().happen(event)
        if self.last.effects or self.last.state != given.scene.state:
            self.past.append(Past(self.now, encode(given), encode(self.last)))
        return heard


def encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()
