""" "Test it": is the token good, is the number there, will Meta call us? Contract §1.4 and §12.

Each line is a code; its words and its remedy are in `connectors/states.py`.
"""

from urllib.parse import quote

from app.connectors.base import Channel, Check, SendFailed
from app.connectors.whatsapp_cloud.errors import Kind, meaning_of
from app.connectors.whatsapp_cloud.graph import Graph, get
from app.connectors.wire import member, objects, string

NUMBER_FIELDS = "display_phone_number,verified_name,quality_rating,status"
GOOD_STATES = {"", "CONNECTED"}


async def examine(graph: Graph, channel: Channel) -> list[Check]:
    """Token, number, subscription, secret, in the order in which they are set up; what cannot be asked yet waits."""
    try:
        number = await get(graph, quote(channel.account, safe=""), {"fields": NUMBER_FIELDS})
    except SendFailed as failure:
        return [*_refused(failure), *_secret(channel)]
    return [Check("token", True), *_number(number), *await _subscribed(graph, channel), *_secret(channel)]


def _refused(failure: SendFailed) -> list[Check]:
    """Why the number could not be read: the network, the token, or the number itself."""
    code = failure.problem.code
    if code.startswith("graph."):
        return [Check("token", None, "graph.unreachable"), Check("number", None)]
    if (code.isdigit() and meaning_of(int(code), 400).kind is Kind.AUTH) or code in ("http.401", "http.403"):
        return [Check("token", False, "token.renew"), Check("number", None)]
    if code in ("100", "33"):
        return [Check("token", True), Check("number", False, "number.find")]
    return [Check("token", None, "graph.later"), Check("number", None)]


def _number(told: dict[str, object]) -> list[Check]:
    state, quality = string(told, "status"), string(told, "quality_rating")
    checks = [Check("number", state in GOOD_STATES, "" if state in GOOD_STATES else "number.state")]
    if quality == "RED":
        checks.append(Check("quality", False, "number.quality"))
    return checks


async def _subscribed(graph: Graph, channel: Channel) -> list[Check]:
    """Whether an app is subscribed to the account: without it Meta sends no webhook at all."""
    waba = channel.config.get("waba_id", "")
    if not waba:
        return [Check("subscribed", None, "waba.enter")]
    try:
        told = await get(graph, f"{quote(waba, safe='')}/subscribed_apps", {})
    except SendFailed:
        return [Check("subscribed", False, "waba.permission")]
    apps = [app for app in objects(told, "data") if member(app, "whatsapp_business_api_data")]
    return [Check("subscribed", bool(apps), "" if apps else "waba.subscribe")]


def _secret(channel: Channel) -> list[Check]:
    given = bool(channel.secrets.get("app_secret"))
    return [Check("secret", given, "" if given else "secret.enter")]
