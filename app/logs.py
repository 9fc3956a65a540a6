"""Logs: one event, one line, as text for people or JSON for programs, without secrets (S33) and without tricks (S34).

Secrets are known by name and by shape; phone numbers keep their last three digits; message texts are never logged.
Characters that could move the cursor, begin a line or turn the text around are written as escapes.
"""

import json
import logging
import re
import sys
import time
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final, TextIO

request_id: ContextVar[str] = ContextVar("request_id", default="")

HIDDEN: Final = "•••"
# What follows one of these names is a secret, whatever it looks like.
NAMES: Final = (
    "password|passwd|passphrase|secret|app_secret|token|access_token|refresh_token|verify_token|api_key|apikey|ai_key|"
    "authorization|cookie|set-cookie|x-csrf-token|csrf|sentry_dsn|private_key|session|signature"
)
NAMED: Final = re.compile(
    rf"(?i)(['\"]?\b(?:[\w-]*[_-])?(?:{NAMES})['\"]?\s*[=:]\s*)"
    r"(\"[^\"]*\"|'[^']*'|(?:bearer\s+|basic\s+)?[^\s,;&}\)\]]+)"
)
SHAPES: Final = re.compile(
    r"EAA[A-Za-z0-9]{20,}"  # Meta access tokens
    r"|(?<!\d)\d{8,10}:[A-Za-z0-9_-]{35}"  # Telegram bot tokens, which stand in the path of an address
    r"|eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*"  # JWT
    r"|whsec_[A-Za-z0-9+/=]+|pk_[A-Za-z0-9]{8,}|sk-[A-Za-z0-9_-]{16,}"
    r"|\bv1\.[0-9a-f]{12}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"  # our own sealed secrets
    r"|(?i:\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # user and password in an address
)
# With a plus, or as a bare number of 10 to 15 digits; times in ms (13 digits, the first a 1) stay.
PHONE: Final = re.compile(r"(?<![\w.:+-])(?:\+\d[\d ().-]{7,18}\d|(?!1\d{12}\b)\d{10,15})(?![\w.])")
TRICKS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\n\t]")
STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def set_up(level: str, style: str, stream: TextIO | None = None) -> None:
    """Everything logged from now on goes to `stream` (standard error) in this style ("text" or "json")."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Json() if style == "json" else Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level])
    # What libraries say of every request or statement is theirs to debug; uvicorn names its own start and stop.
    for name in ("httpx", "httpcore", "uvicorn.error", "websockets", "aiosqlite", "asyncio"):
        logging.getLogger(name).setLevel(max(LEVELS[level], logging.WARNING))


def redact(text: str) -> str:
    """The text without secrets and with phone numbers shortened."""
    text = SHAPES.sub(HIDDEN, NAMED.sub(lambda found: found[1] + HIDDEN, text))
    return PHONE.sub(lambda found: mask(found[0]), text)


def mask(phone: str) -> str:
    """The last three digits of a number."""
    digits = re.sub(r"\D", "", phone)
    return f"…{digits[-3:]}"


def escape(text: str) -> str:
    """One line that does not act on a terminal."""
    return TRICKS.sub(lambda found: repr(found[0])[1:-1], text)


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """What the caller passed with `extra`, and the request it belongs to."""
    found = {name: value for name, value in vars(record).items() if name not in STANDARD and not name.startswith("_")}
    if request_id.get():
        found.setdefault("request_id", request_id.get())
    return found


def is_secret_name(name: str) -> bool:
    return NAMED.match(f"{name}=x") is not None


def clean(value: Any, name: str = "") -> Any:
    """A value for JSON with everything secret gone, at any depth."""
    if name and is_secret_name(name):
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(key): clean(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))


def trace(record: logging.LogRecord) -> str:
    return "".join(traceback.format_exception(*record.exc_info)).rstrip() if record.exc_info else ""


class Text(logging.Formatter):
    """`14:32:07.123 warning app.outbox what happened  name=value`; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%H:%M:%S", time.localtime(record.created)) + f".{int(record.msecs):03d}"
        more = "".join(f"  {name}={clean(value, name)}" for name, value in extras(record).items())
        line = f"{moment} {record.levelname.lower():7} {record.name} {redact(record.getMessage())}{more}"
        lines = [escape(line)] + ["    " + escape(part) for part in redact(trace(record)).splitlines()]
        return "\n".join(lines)


class Json(logging.Formatter):
    """One JSON object a line: `at` (ISO, UTC), `level`, `logger`, `message`, what the caller added, `trace`."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        body = {"at": at, "level": record.levelname.lower(), "logger": record.name}
        body |= {"message": redact(record.getMessage())} | clean(extras(record))
        if record.exc_info:
            body["trace"] = redact(trace(record))
        return json.dumps(body, ensure_ascii=True)
