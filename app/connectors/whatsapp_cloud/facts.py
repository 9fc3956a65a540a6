"""How the number stands: asked of Graph. Contract §12."""

from typing import Any, Final
from urllib.parse import quote

from app.connectors.account import Fact
from app.connectors.base import Channel
from app.connectors.whatsapp_cloud.graph import Graph, get
from app.connectors.whatsapp_cloud.news import limit, name_status, quality
from app.connectors.wire import digits, member, string

FIELDS: Final = (
    "display_phone_number,verified_name,quality_rating,name_status,status,throughput,account_mode,"
    "whatsapp_business_manager_messaging_limit"
)
GOOD: Final = frozenset({"", "CONNECTED"})


async def facts(graph: Graph, channel: Channel) -> list[Fact]:
    """Raises `SendFailed`."""
    return read(await get(graph, quote(channel.account, safe=""), {"fields": FIELDS}))


def read(told: dict[str, Any]) -> list[Fact]:
    """What the answer says; what it leaves out is left as it was."""
    state = string(told, "status")
    found = [
        Fact("number", digits(string(told, "display_phone_number"))),
        Fact("name", string(told, "verified_name")),
        quality(string(told, "quality_rating")),
        name_status(string(told, "name_status")),
        Fact("status", state, concern=state not in GOOD),
        Fact("throughput", string(member(told, "throughput"), "level")),
        Fact("mode", string(told, "account_mode")),
        limit(string(told, "whatsapp_business_manager_messaging_limit")),
    ]
    return [fact for fact in found if fact.value]
