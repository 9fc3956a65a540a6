"""Graph errors: the shape of an answer and, for every code used here, its HTTP status and title."""

import secrets
from typing import Any

import msgspec

OAUTH, METHOD = "OAuthException", "GraphMethodException"

# code: (HTTP status, title)
CODES: dict[int, tuple[int, str]] = {
    0: (401, "We were unable to authenticate the app user"),
    1: (400, "Invalid request or possible server error"),
    2: (503, "Service temporarily unavailable"),
    3: (500, "Capability or permissions issue"),
    4: (400, "Application request limit reached"),
    10: (403, "Application does not have permission for this action"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    104: (401, "An access token is required to request this resource."),
    102: (401, "Session key invalid or no longer valid"),
    190: (401, "Invalid OAuth access token - Cannot parse access token"),
    200: (403, "Permissions error"),
    368: (403, "Temporarily blocked for policies violations"),
    613: (400, "Calls to this api have exceeded the rate limit"),
    80007: (400, "Rate limit issues"),
    130429: (400, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    130497: (403, "Business account is restricted from messaging users in this country"),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (500, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131030: (400, "Recipient phone number not in allowed list"),
    131031: (403, "Business account has been locked"),
    131037: (400, "Display name approval required before message can be sent"),
    131042: (400, "Business eligibility payment issue"),
    131045: (500, "Incorrect certificate"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (400, "Meta chose not to deliver"),
    131050: (400, "User has stopped receiving marketing messages"),
    131051: (400, "Unsupported message type"),
    131052: (400, "Media download error"),
    131053: (400, "Media upload error"),
    131056: (400, "Pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    131062: (400, "Business-scoped user id is not allowed for this message"),
    132000: (400, "Template param count mismatch"),
    132001: (404, "Template does not exist"),
    132005: (400, "Template hydrated text too long"),
    132012: (400, "Template parameter format mismatch"),
    132015: (400, "Template is paused"),
    132016: (400, "Template is disabled"),
    132018: (400, "Template component parameter problem"),
    133004: (503, "Server temporarily unavailable"),
    133010: (400, "Phone number not registered"),
    134100: (400, "Only marketing templates can be sent here"),
    135000: (400, "Generic user error"),
    137000: (400, "Recipient identity key hash mismatch"),
}


class GraphError(Exception):
    """A refusal. `code` decides the HTTP status and the title unless they are given."""

    def __init__(
        self,
        code: int,
        details: str = "",
        *,
        subcode: int = 0,
        status: int = 0,
        type: str = OAUTH,
        message: str = "",
        title: str = "",
        words: str = "",
    ) -> None:
        known_status, known_title = CODES.get(code, (400, "Unknown error"))
        super().__init__(f"(#{code}) {details or words or known_title}")
        self.code, self.details, self.subcode, self.type = code, details, subcode, type
        self.status = status or known_status
        self.message = message or f"(#{code}) {known_title}"
        self.title, self.words = title, words  # for the person at the screen

    def body(self) -> bytes:
        error: dict[str, Any] = {"message": self.message, "type": self.type, "code": self.code}
        if self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.words:
            error |= {"is_transient": False, "error_user_title": self.title, "error_user_msg": self.words}
        error["fbtrace_id"] = "A" + secrets.token_urlsafe(16)
        return msgspec.json.encode({"error": error})


def not_found(object_id: str, method: str) -> GraphError:
    """An unknown id, or one that the token may not see: Graph does not tell which."""
    verb = method.lower()
    return GraphError(
        100,
        subcode=33,
        type=METHOD,
        message=f"Unsupported {verb} request. Object with ID '{object_id}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation.",
    )


def in_webhook(code: int, details: str = "") -> dict[str, Any]:
    """The same error as a status or a message carries it."""
    title = CODES.get(code, (400, "Unknown error"))[1]
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details or title},
        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
    }
