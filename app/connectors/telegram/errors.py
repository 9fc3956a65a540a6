"""What the Bot API's refusals mean for a send. Contract §5: the code decides, then the text, which may change.

An answer of Telegram with a code below 500 was certainly not carried out; one above may have been.
"""

from typing import Any, Final

import msgspec

from app.connectors.base import Problem, Scope, SendFailed
from app.connectors.wire import an_object, member, number, string

# Beginnings of what Telegram says to 400 and 403, and the words for them in `connectors/states.py`.
TOLD: Final = (
    ("forbidden: bot was blocked", "telegram.blocked"),
    ("forbidden: user is deactivated", "telegram.deactivated"),
    ("forbidden: bot can't initiate", "telegram.stranger"),
    ("forbidden", "telegram.forbidden"),
    ("bad request: chat not found", "telegram.stranger"),
    ("bad request: message to react not found", "telegram.gone"),
    ("bad request: wrong file", "telegram.file"),
    ("bad request: failed to get http url content", "telegram.file"),
    ("bad request: wrong type of the web page content", "telegram.file"),
    ("bad request: file is too big", "telegram.too_big"),
)


class Refusal(msgspec.Struct, frozen=True):
    """`status`: HTTP. `text`: Telegram's own words. `moved`: the id of the supergroup that a group became."""

    status: int
    text: str
    retry_after: float = 0.0
    moved: str = ""
    genuine: bool = True


def read(status: int, body: bytes) -> Refusal:
    """What an answer that is no success says. Not `genuine`: from something between us and Telegram."""
    try:
        told: dict[str, Any] = an_object(body)
    except ValueError:
        told = {}
    if told.get("ok") is not False:
        return Refusal(status, body[:200].decode(errors="replace"), genuine=False)
    parameters = member(told, "parameters")
    after = number(parameters, "retry_after") or 0.0
    return Refusal(
        int(number(told, "error_code") or status), string(told, "description"), max(0.0, after),
        string(parameters, "migrate_to_chat_id"),
    )  # fmt: skip


def failure(refusal: Refusal, hidden: str = "") -> SendFailed:
    """As the outbox wants to know it. `hidden` (the token) is taken out of what Telegram said."""
    text = refusal.text.replace(hidden, "…") if hidden else refusal.text
    status = refusal.status
    if status == 429:
        problem = Problem("telegram.rate", title=text)
        return SendFailed(
            problem, certain=True, temporary=True, scope=Scope.PAIR, retry_after=refusal.retry_after or 1.0
        )
    if status in (401, 404, 421) and refusal.genuine:
        problem = Problem("telegram.token", title=text)
        return SendFailed(problem, certain=True, temporary=True, scope=Scope.CHANNEL, halt=True)
    if status >= 500:
        problem = Problem("telegram.later", title=text or f"HTTP {status}")
        return SendFailed(problem, certain=False, temporary=True)
    return SendFailed(Problem(code_of(status, text), title=text or f"HTTP {status}"), certain=True, temporary=False)


def code_of(status: int, text: str) -> str:
    """A code with words of ours, or the number alone, which is shown with Telegram's words."""
    if status == 413:
        return "telegram.too_big"
    folded = text.casefold()
    return next((code for start, code in TOLD if folded.startswith(start)), f"telegram.{status}")
