"""What a fake Graph is set to: its numbers and how strictly, how fast and how badly it behaves.

Both are plain data: read from flags, from a JSON file {"settings": {…}, "numbers": [{…}]}, or over the side channel.
"""

from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


class Number(msgspec.Struct, kw_only=True, omit_defaults=False):
    """One business phone number with its account, token and callback. All ids are decimal strings."""

    phone_number_id: str = "106540352242922"
    waba: str = "102290129340398"
    display_phone_number: str = "15550783881"
    verified_name: str = "Lucky Shrub"
    token: str = "EAAfakeToken0001"
    app_id: str = "634974688087057"
    app_secret: str = "0123456789abcdef0123456789abcdef"
    verify_token: str = "verify-me"
    webhook: str = ""
    # Shown by GET /{phone_number_id}.
    quality_rating: str = "GREEN"
    code_verification_status: str = "VERIFIED"
    name_status: str = "APPROVED"
    status: str = "CONNECTED"
    platform_type: str = "CLOUD_API"
    account_mode: str = "LIVE"
    messaging_limit: str = "TIER_1K"
    # Code with which every send is refused, such as 133010 not registered, 131031 locked, 131042 unpaid. 0 = healthy.
    refuses: int = 0
    # Recipients of a test number (digits); anyone else is refused with 131030. None = no test number.
    allowed: list[str] | None = None
    subscribed: bool = True
    scopes: list[str] = msgspec.field(
        default_factory=lambda: ["whatsapp_business_messaging", "whatsapp_business_management"]
    )


class Settings(msgspec.Struct, kw_only=True):
    """Behaviour of the whole server. Seconds unless the name says otherwise; 0 switches a limit off."""

    version: str = "v25.0"
    throughput: float = 80.0  # messages a second and number, in and out (130429)
    pair_burst: int = 45  # messages to one user at once …
    pair_every: float = 6.0  # … then one per so many seconds (131056)
    rate_status: int = 400  # HTTP status of 130429 and 131056; some providers see 429
    management_per_hour: int = 0  # calls an hour and account (80007)
    window_hours: float = 24.0  # free-form messages outside fail with 131047
    statuses: bool = True
    read: bool = True  # users have read receipts on
    sent_after: float = 0.01
    delivered_after: float = 0.03
    read_after: float = 0.06
    early_status: float = 0.0  # share of sends whose `sent` is acknowledged before the HTTP answer
    strict_templates: bool = False  # a name that is not in the list is refused (132001); listed ones are always checked
    review_after: float = 0.05  # how long a template is reviewed …
    rejects: str = ""  # … and a word in it for which it is rejected
    most_templates: int = 250
    check_media: bool = True  # an unknown media id fails with 131053
    media_url_seconds: float = 300.0
    media_base: str = ""  # base of media addresses; empty = this server
    batch: int = 1000  # updates in one POST, at most
    batch_random: bool = False  # a random share of what waits
    batch_linger: float = 0.0  # gather for so long
    webhook_connections: int = 1
    webhook_timeout: float = 20.0
    duplicate: float = 0.0  # share of posts sent twice
    reorder: float = 0.0  # share of updates held back
    retry_base: float = 1.0  # the first retry is at once, then base, 2·base, 4·base …
    retry_cap: float = 21_600.0
    drop_after: float = 7 * 86_400.0
    verify: bool = True  # handshake before the first delivery
    keep: int = 200_000  # accepted sends kept in memory
    seed: int = 1


FAST: dict[str, Any] = {
    "throughput": 0.0,
    "pair_every": 0.0,
    "window_hours": 0.0,
    "statuses": False,
    "check_media": False,
    "webhook_connections": 16,
    "keep": 10_000,
}
"""No limits, no statuses, a short memory: what a benchmark wants. Validation and truth stay."""


class Config(msgspec.Struct, kw_only=True):
    settings: Settings = msgspec.field(default_factory=Settings)
    numbers: list[Number] = msgspec.field(default_factory=lambda: [Number()])
    templates: list[dict[str, Any]] = msgspec.field(default_factory=list)


def changed(old: T, changes: dict[str, Any]) -> T:
    """The struct with some members replaced. Raises `ValueError` for an unknown name or a wrong type."""
    unknown = set(changes) - set(old.__struct_fields__)
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    return msgspec.convert(msgspec.to_builtins(old) | changes, type(old), strict=False)
