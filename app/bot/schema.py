"""The bot document as JSON Schema (draft 2020-12), made from the same shapes that read it, for editors and programs."""

from typing import Any

from app.bot.grammar import DOCUMENT, STEPS


def json_schema() -> dict[str, Any]:
    """What is served at /api/v1/bot.schema.json."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Parley bot document"}
    return head | DOCUMENT.schema() | {"$defs": {"steps": STEPS.list.schema()}}
