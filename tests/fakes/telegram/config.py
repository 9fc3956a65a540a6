"""What a fake Bot API is set to. Seconds unless the name says otherwise; 0 switches a limit off."""

from typing import Any

import msgspec

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake-0"


class Settings(msgspec.Struct, kw_only=True):
    token: str = TOKEN
    username: str = "luna_bakery_bot"
    name: str = "Luna Bakery"
    reads_groups: bool = False  # privacy mode switched off at BotFather
    strict_groups: bool = True  # with privacy mode, only what is meant for the bot reaches it
    chat_every: float = 1.0  # one message in a chat
    chat_burst: float = 5.0
    group_every: float = 3.0
    group_burst: float = 20.0
    per_second: float = 30.0  # the whole bot
    conflict_delay: float = 3.0  # an answer 409 is held back so long
    repeat_wait: float = 3.0  # the same offset asked for again within this time, with a shorter timeout, waits
    lives: float = 86_400.0  # an update that nobody fetched
    file_lives: float = 3600.0  # the address of a file
    callback_lives: float = 900.0  # a pressed button that can still be answered
    webhook_timeout: float = 10.0
    retry_base: float = 2.0
    retry_cap: float = 90.0
    strict_urls: bool = True  # files by address are looked at: they must be there, and of a size that Telegram fetches
    hosts: dict[str, str] = {}  # public address → address on this machine: name service and TLS of the tests
    seed: int = 1
    first_update: int = 100_000


# No paces and no waiting: for tests of something else.
QUICK: dict[str, Any] = {
    "chat_every": 0, "group_every": 0, "per_second": 0, "conflict_delay": 0, "repeat_wait": 0, "retry_base": 0.05,
    "strict_urls": False,
}  # fmt: skip


def changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    """A copy with these members, texts read as what they stand for. Raises `ValueError`."""
    if unknown := set(changes) - set(Settings.__struct_fields__):
        raise ValueError(f"no such settings: {', '.join(sorted(unknown))}")
    return msgspec.convert(msgspec.to_builtins(settings) | changes, Settings, strict=False)
