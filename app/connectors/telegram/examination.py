""" "Test it": is the token good, does anybody else receive, does Telegram reach us? Contract §2, §3.

Each line is a code; its words and its remedy are in `connectors/states.py`.
"""

from app.connectors.base import Check, SendFailed
from app.connectors.telegram.api import Api, Refused
from app.connectors.wire import an_object, string


async def examine(api: Api, address: str) -> list[Check]:
    """`address`: where Telegram is to call, empty where it is asked instead."""
    try:
        me = an_object(await api.ask("getMe", {}))
        told = an_object(await api.ask("getWebhookInfo", {}))
    except Refused as refused:
        known = refused.refusal.status in (401, 404, 421)
        return [Check("telegram.token", False if known else None, "telegram.renew" if known else "telegram.wait")]
    except (SendFailed, ValueError):
        return [Check("telegram.token", None, "telegram.unreachable")]
    return [Check("telegram.token", True), *_receiving(told, address), _groups(me.get("can_read_all_group_messages"))]


def _receiving(told: dict[str, object], address: str) -> list[Check]:
    url = string(told, "url")
    if url == address and not address:
        return [Check("telegram.polling", True)]
    if url != address:
        return [Check("telegram.webhook" if address else "telegram.polling", False, "telegram.elsewhere")]
    failing = bool(string(told, "last_error_message"))
    return [Check("telegram.webhook", not failing, "telegram.address" if failing else "")]


def _groups(reads_all: object) -> Check:
    """In groups Telegram shows a bot only what is meant for it, unless its owner switched that off."""
    return Check("telegram.privacy", reads_all is not True, "telegram.private" if reads_all is True else "")
