"""How the account of a channel stands, in words: what the network told last of quality, limits, names and trouble."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app import account_facts
from app.connectors.account import TellsFacts
from app.i18n import _, fmt
from app.routes.respond import redirect
from app.said import mark
from app.store import account_facts as store
from app.store.account_facts import Concern, Fact

if TYPE_CHECKING:
    from app.runtime import Runtime

LABELS: Final = {
    "number": mark("Number"),
    "name": mark("Displayed name"),
    "quality": mark("Quality"),
    "limit": mark("People who may be written to first, in 24 hours"),
    "limit_change": mark("Sending limit"),
    "throughput": mark("Throughput"),
    "status": mark("State of the number"),
    "name_status": mark("Review of the name"),
    "mode": mark("Mode"),
    "username": mark("User name"),
    "review": mark("Review of the account"),
    "restriction": mark("Restriction"),
    "violation": mark("Violation of a policy"),
    "ban": mark("Ban"),
    "account": mark("Account"),
    "security": mark("Security"),
}
VALUES: Final = {
    "GREEN": mark("High"),
    "YELLOW": mark("Medium"),
    "RED": mark("Low"),
    "FLAGGED": mark("Flagged as low"),
    "UNFLAGGED": mark("No longer flagged"),
    "DOWNGRADE": mark("Lowered"),
    "TIER_UNLIMITED": mark("Unlimited"),
    "STANDARD": mark("Usual: 80 messages a second"),
    "HIGH": mark("High: 1,000 messages a second"),
    "CONNECTED": mark("Connected"),
    "APPROVED": mark("Approved"),
    "DECLINED": mark("Declined"),
    "REJECTED": mark("Rejected"),
    "PENDING_REVIEW": mark("In review"),
    "LIVE": mark("Live"),
    "SANDBOX": mark("Test"),
    "PIN_CHANGED": mark("The PIN of the number was changed"),
    "PIN_RESET_REQUEST": mark("Somebody asked to reset the PIN of the number"),
    "PIN_REQUEST_SUCCESS": mark("The PIN of the number was reset"),
    "ACCOUNT_DELETED": mark("The account was deleted"),
    "ACCOUNT_OFFBOARDED": mark("The phone app was moved to another device"),
    "ACCOUNT_RECONNECTED": mark("Connected again"),
    "DISABLE": mark("The account is disabled"),
    "SCHEDULE_FOR_DISABLE": mark("The account will be disabled"),
    "REINSTATE": mark("The account works again"),
    "CRITICAL": mark("Critical"),
    "WARNING": mark("Warning"),
    "INFORMATIONAL": mark("Note"),
}
ORDER: Final = tuple(LABELS)
READERS: Final[dict[str, Callable[[str], str]]] = {"number": lambda value: f"+{value}"}


class Line(msgspec.Struct, frozen=True):
    """One respect. `concern`: people should look at it; `seen`: somebody did."""

    label: str
    value: str
    detail: str
    at: int
    concern: bool
    seen: bool


def label(name: str) -> str:
    if name.startswith("alert."):
        return _("Notice: {what}").format(what=plain(name.removeprefix("alert.")))
    return _(LABELS[name]) if name in LABELS else plain(name)


def value(name: str, word: str) -> str:
    if name in READERS:
        return READERS[name](word)
    if word in VALUES:
        return _(VALUES[word])
    tier = word.removeprefix("TIER_")
    if tier != word:
        number = tier.removesuffix("K")
        return fmt.number(int(number) * (1000 if tier != number else 1)) if number.isdecimal() else plain(tier)
    return word if name in ("name", "username") else plain(word)


def plain(word: str) -> str:
    """A word of the network that is not known here."""
    return word.replace("_", " ").capitalize()


def lines(facts: Iterable[Fact]) -> list[Line]:
    """In the order in which people look for them; what concerns them first."""
    found = sorted(facts, key=lambda fact: (not fact.concern, ORDER.index(fact.name) if fact.name in ORDER else 99))
    return [
        Line(label(one.name), value(one.name, one.value), said(one.detail), one.at, bool(one.concern),
             one.seen_at is not None)
        for one in found
    ]  # fmt: skip


def said(detail: str) -> str:
    return plain(detail) if detail and detail == detail.upper() else detail


def concern(one: Concern) -> tuple[str, str]:
    """A concern for Home: what, and how it is."""
    return label(one.name), ". ".join(filter(None, (value(one.name, one.value), said(one.detail))))


async def values(rt: "Runtime", channel_id: int) -> dict[str, Any]:
    """For the channel's page."""
    live = rt.channels.by_id.get(channel_id)
    facts = await rt.db.reader.all(store.OF_CHANNEL, channel_id=channel_id)
    return {"facts": lines(facts), "can_ask": live is not None and isinstance(live.session, TellsFacts)}


async def ask(request: Request) -> Response:
    await account_facts.ask(request.state.rt, request.path_params["id"])
    return redirect(request, address(request), done=_("Asked. This is how it stands."))


async def see(request: Request) -> Response:
    """Somebody looked at what concerns people."""
    await request.state.rt.db.write(account_facts.seen, request.path_params["id"])
    return redirect(request, address(request))


def address(request: Request) -> str:
    return f"{request.app.url_path_for('channels.show', id=request.path_params['id'])}#account"
