"""What a notice about the account says: of a template, or of how the number and the account stand. Contract §6.

Words are Meta's own; only which of them people have to look at is decided here.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from app.connectors.account import Fact, News, TemplateNews
from app.connectors.wire import an_object, digits, member, objects, string

Value = dict[str, Any]
TIERS: Final = ("TIER_50", "TIER_250", "TIER_1K", "TIER_2K", "TIER_10K", "TIER_100K", "TIER_UNLIMITED")
QUALITIES: Final = {"RED": 1, "YELLOW": 2, "GREEN": 3}
BAD_NAMES: Final = frozenset({"DECLINED", "EXPIRED", "REJECTED"})
# What an event of a template's life makes of its status.
STATUSES: Final = {"REINSTATED": "APPROVED", "UNARCHIVED": "APPROVED", "FLAGGED": ""}


def news_in(field: str, value: bytes) -> tuple[News, ...]:
    """Everything that a field's value tells; nothing for fields that are only kept."""
    reader = READERS.get(field)
    if reader is None:
        return ()
    try:
        return tuple(reader(an_object(value)))
    except ValueError:
        return ()


# ---- templates -------------------------------------------------------------------------------------------------------


def _template(told: Value, **changes: Any) -> Iterator[News]:
    provider_id = string(told, "message_template_id")
    name, language = string(told, "message_template_name"), string(told, "message_template_language")
    if provider_id:
        yield TemplateNews(provider_id, name, language.replace("-", "_"), **changes)


def _template_status(told: Value) -> Iterator[News]:
    event, reason = string(told, "event"), string(told, "reason")
    rejected = member(told, "rejection_info")
    words = " ".join(filter(None, (string(rejected, "reason"), string(rejected, "recommendation"))))
    why = words or string(member(told, "other_info"), "description") or ("" if reason == "NONE" else reason)
    status = STATUSES.get(event, event)
    yield from _template(told, status=status, category=string(told, "message_template_category"), reason=why)


def _template_quality(told: Value) -> Iterator[News]:
    yield from _template(told, quality=string(told, "new_quality_score"))


def _template_category(told: Value) -> Iterator[News]:
    """Announced a day before, `new_category` is still the old one."""
    coming = string(told, "correct_category")
    yield from _template(told, category="" if coming else string(told, "new_category"), coming=coming)


def _template_components(told: Value) -> Iterator[News]:
    """Examples and files are not told, so the whole is asked for."""
    yield from _template(told, rewritten=True)


# ---- the number and the account --------------------------------------------------------------------------------------


def limit(tier: str, number: str = "") -> Fact:
    """How many people may be written to first in a day. Old payloads give a number or no prefix."""
    word = tier if tier.startswith("TIER_") or not tier else f"TIER_{tier}"
    return Fact("limit", word, rank=TIERS.index(word) + 1 if word in TIERS else 0, number=number)


def quality(rating: str, number: str = "") -> Fact:
    return Fact("quality", rating, rank=QUALITIES.get(rating, 0), concern=rating in ("RED", "YELLOW"), number=number)


def name_status(word: str, name: str = "", why: str = "", number: str = "") -> Fact:
    return Fact("name_status", word, why or name, concern=word in BAD_NAMES, number=number)


def _number_quality(told: Value) -> Iterator[News]:
    number, event = digits(string(told, "display_phone_number")), string(told, "event")
    if tier := string(told, "max_daily_conversations_per_business") or string(told, "current_limit"):
        yield limit(tier, number)
    if event == "FLAGGED":
        yield Fact("quality", "FLAGGED", rank=1, concern=True, number=number)
    elif event == "UNFLAGGED":
        yield Fact("quality", "UNFLAGGED", rank=3, number=number)
    elif event == "DOWNGRADE":
        yield Fact("limit_change", event, concern=True, number=number)
    elif event == "THROUGHPUT_UPGRADE":
        yield Fact("throughput", "HIGH", number=number)


def _number_name(told: Value) -> Iterator[News]:
    number, decision = digits(string(told, "display_phone_number")), string(told, "decision")
    name, why = string(told, "requested_verified_name"), string(told, "rejection_reason")
    yield name_status(decision, name, why if why != "NONE" else "", number)
    if decision == "APPROVED" and name:
        yield Fact("name", name, number=number)


def _account(told: Value) -> Iterator[News]:
    event = string(told, "event")
    match event:
        case "ACCOUNT_RESTRICTION":
            limits = objects(told, "restriction_info")
            kinds = ", ".join(string(one, "restriction_type") for one in limits)
            remedies = " ".join(filter(None, (string(one, "remediation") for one in limits)))
            yield Fact("restriction", kinds or event, remedies, concern=True)
        case "ACCOUNT_VIOLATION":
            yield Fact("violation", string(member(told, "violation_info"), "violation_type") or event, concern=True)
        case "DISABLED_UPDATE":
            ban = member(told, "ban_info")
            state = string(ban, "waba_ban_state")
            yield Fact("ban", state, string(ban, "waba_ban_date"), concern=state != "REINSTATE")
        case "ACCOUNT_DELETED" | "ACCOUNT_OFFBOARDED" | "PARTNER_REMOVED" | "PARTNER_APP_UNINSTALLED":
            yield Fact("account", event, string(member(told, "disconnection_info"), "reason"), concern=True)
        case "ACCOUNT_RECONNECTED" | "PARTNER_ADDED" | "PARTNER_APP_INSTALLED":
            yield Fact("account", event)


def _review(told: Value) -> Iterator[News]:
    decision = string(told, "decision")
    yield Fact("review", decision, concern=decision == "REJECTED")


def _alert(told: Value) -> Iterator[News]:
    """Older payloads hold flat what newer ones hold in `alert_info`. An alert that is over is taken back."""
    info = member(told, "alert_info") or told
    kind, severity = string(info, "alert_type") or "alert", string(info, "alert_severity")
    over = string(info, "alert_status") == "NONE"
    concern = severity in ("CRITICAL", "WARNING") and not over
    yield Fact(
        f"alert.{kind}", "" if over else severity or "ACTIVE", string(info, "alert_description"), concern=concern
    )


def _capability(told: Value) -> Iterator[News]:
    tier = string(told, "max_daily_conversations_per_business")
    if tier and not tier.lstrip("-").isdecimal():
        yield limit(tier)


def _security(told: Value) -> Iterator[News]:
    """Somebody changed the number's PIN or asks to: whoever did not do it wants to know."""
    number = digits(string(told, "display_phone_number"))
    yield Fact("security", string(told, "event"), string(told, "requester"), concern=True, number=number)


def _username(told: Value) -> Iterator[News]:
    """Without a user name it was deleted."""
    number, name = digits(string(told, "display_phone_number")), string(told, "username")
    yield Fact("username", name, string(told, "status"), number=number)


READERS: Final[dict[str, Callable[[Value], Iterator[News]]]] = {
    "message_template_status_update": _template_status,
    "message_template_quality_update": _template_quality,
    "template_category_update": _template_category,
    "message_template_components_update": _template_components,
    "phone_number_quality_update": _number_quality,
    "phone_number_name_update": _number_name,
    "account_update": _account,
    "account_review_update": _review,
    "account_alerts": _alert,
    "business_capability_update": _capability,
    "security": _security,
    "business_username_updates": _username,
}
