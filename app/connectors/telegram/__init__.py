"""Telegram: bots over the Bot API, fetched by long polling, or called by webhook where there is a public address.

An update comes in through `session.py` → `update.py` → `message.py`, `events.py` → `contents.py`; a message goes out
through `limits.py` → `outbound.py`, `keyboards.py`, `words.py` → `session.py` → `api.py`, `errors.py`. `place.py` says
how chats and messages are named.
"""

from collections.abc import Iterable, Mapping

from app.connectors.base import Arrival, Channel, PairLimit, Problem, Session, Setting
from app.connectors.telegram import hook, limits
from app.connectors.telegram.session import TelegramSession
from app.connectors.telegram.update import NOBODY, parse_update
from app.content import Content
from app.said import mark


class Telegram:
    """One bot; the account is the bot's id, the digits before the colon of its token."""

    kind = "telegram"
    label = "Telegram"
    place = "telegram"
    by_hand = False
    capabilities = limits.CAPABILITIES
    default_rate = 30.0  # contract §5: the whole bot, then one chat (a second each, short bursts), then a group
    pair_limit: PairLimit | None = PairLimit(burst=5, every=1.0, every_group=3.0)
    settings: tuple[Setting, ...] = (
        Setting(
            "token",
            mark("Token"),
            mark(
                "BotFather writes it when the bot is made, and again after /token: digits, a colon and a long secret."
            ),
            secret=True,
            example="123:ABC…",
            form=r"[1-9][0-9]{2,19}:[A-Za-z0-9_-]{20,60}",
        ),
        Setting(
            "receive",
            mark("Receive by"),
            mark(
                "“polling” asks Telegram for messages even where a public address is set; left empty, Telegram calls"
                " that address if it can."
            ),
            required=False,
            example="polling",
            form="polling|webhook",
        ),
    )

    def open_session(self, channel: Channel) -> Session:
        return TelegramSession(channel)

    def account_of(self, config: Mapping[str, str]) -> str:
        account = config.get("token", "").strip().partition(":")[0]
        return account if account.isdigit() else ""

    def check(self, content: Content) -> Problem | None:
        return limits.check(content)

    def verify(self, channel: Channel, body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        return hook.is_from_telegram(channel, headers)

    def parse(self, body: bytes) -> list[Arrival]:
        return parse_update(body, NOBODY)
