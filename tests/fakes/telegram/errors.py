"""Refusals as the Bot API words them (contract §1, §5)."""

from typing import Any

import msgspec

from ..graph.wire import answer

REASONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict",
           413: "Request Entity Too Large", 429: "Too Many Requests", 500: "Internal Server Error"}  # fmt: skip


class ApiError(Exception):
    """`text` comes behind the words of the status; `parameters` as in the contract."""

    def __init__(self, code: int, text: str = "", **parameters: int) -> None:
        self.code, self.parameters = code, parameters
        self.description = f"{REASONS.get(code, 'Error')}: {text}" if text else REASONS.get(code, "Error")
        super().__init__(self.description)

    def reply(self) -> bytes:
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        after = self.parameters.get("retry_after")
        headers = ((b"Retry-After", str(after).encode()),) if after is not None else ()
        return answer(self.code, msgspec.json.encode(body), b"application/json", headers)


def bad(text: str) -> ApiError:
    return ApiError(400, text)


def slow_down(seconds: int) -> ApiError:
    return ApiError(429, f"retry after {seconds}", retry_after=seconds)
