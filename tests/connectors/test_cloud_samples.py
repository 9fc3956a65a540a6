"""Every recorded and documented notification is read, and nothing in it is lost."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.connectors.base import Arrival, Inbound, Malformed, Notice, Receipt
from app.connectors.whatsapp_cloud.notification import parse_notification
from app.content import kind
from tests.connectors.cloud import SAMPLES
from tests.samples import needs_samples

LISTS = (
    "messages",
    "statuses",
    "message_echoes",
    "calls",
    "groups",
    "user_preferences",
    "state_sync",
    "automatic_events",
)


def described(arrival: Arrival) -> str:
    match arrival:
        case Inbound():
            marks = [mark for mark in ("echo", "history", "standby", "forwarded") if getattr(arrival, mark)]
            return " ".join(["message", kind(arrival.content), *marks])
        case Receipt():
            return f"receipt {arrival.status.value}"
        case Notice():
            return f"notice {arrival.field}"
        case Malformed():
            return f"malformed: {arrival.reason}"
    return "state"


def updates_in(value: object) -> Iterator[dict[str, Any]]:
    """Every element of the lists that hold updates, wherever they lie."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in LISTS and isinstance(inner, list):
                yield from (item for item in inner if isinstance(item, dict))
            yield from updates_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from updates_in(inner)


@needs_samples
def test_there_are_samples() -> None:
    assert len(SAMPLES) >= 215


def test_table_of_what_each_sample_became() -> None:
    for path in SAMPLES:
        print(f"{path.stem:70} {', '.join(map(described, parse_notification(path.read_bytes())))}")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_nothing_in_a_sample_is_lost(path: Path) -> None:
    arrivals = parse_notification(path.read_bytes())
    assert arrivals
    assert not [arrival for arrival in arrivals if isinstance(arrival, Malformed)]
    told = {arrival.provider_id for arrival in arrivals if isinstance(arrival, Inbound | Receipt)}
    kept = b"".join(arrival.raw for arrival in arrivals)
    for update in updates_in(json.loads(path.read_bytes())):
        assert "id" not in update or update["id"] in told or json.dumps(update["id"]).encode() in kept


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_what_is_kept_of_a_sample_is_json_with_its_field(path: Path) -> None:
    for arrival in parse_notification(path.read_bytes()):
        assert json.loads(arrival.raw)["field"]
