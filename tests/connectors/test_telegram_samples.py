"""Every recorded update is taken, and nothing in it is lost."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.connectors.base import Arrival, Inbound, Malformed, Notice
from app.connectors.telegram.place import Me
from app.connectors.telegram.update import parse_update
from app.content import Unsupported, kind
from tests.connectors.test_contract import OTHER_TYPES, mutate, places_in
from tests.effort import examples
from tests.samples import bodies, needs_samples

SAMPLES = bodies("telegram")
ME = Me("111111111", "thebot")


def described(arrival: Arrival) -> str:
    match arrival:
        case Inbound(content=content):
            what = f" {content.what}" if isinstance(content, Unsupported) else ""
            marks = [mark for mark in ("echo", "forwarded", "group") if getattr(arrival, mark)]
            return " ".join(["message", kind(content) + what, *marks])
        case Notice():
            return f"kept as {arrival.field}"
        case Malformed():
            return f"malformed: {arrival.reason}"
    return "state"


@needs_samples
def test_there_are_samples() -> None:
    assert len(SAMPLES) >= 100


def test_table_of_what_each_sample_became() -> None:
    for path in SAMPLES:
        print(f"{path.stem:50} {', '.join(map(described, parse_update(path.read_bytes(), ME)))}")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_taken_whole(path: Path) -> None:
    body = path.read_bytes()
    arrivals = parse_update(body, ME)
    assert arrivals
    for arrival in arrivals:
        assert isinstance(arrival, Inbound | Notice), described(arrival)
        assert arrival.raw == body
        assert not isinstance(arrival, Inbound) or (arrival.provider_id and arrival.sender.telegram)


PARSED = [json.loads(path.read_bytes()) for path in SAMPLES]
PLACES = [places_in(sample) for sample in PARSED]


@needs_samples
@settings(
    max_examples=examples(350, 10_000),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def test_P4_no_mutation_of_a_sample_raises_or_loses_an_update(data: st.DataObject) -> None:
    which = data.draw(st.integers(0, len(PARSED) - 1))
    sample = json.loads(json.dumps(PARSED[which]))
    how = data.draw(st.sampled_from(("drop", "double", "retype")))
    mutate(sample, data.draw(st.sampled_from(PLACES[which])), how, data.draw(st.sampled_from(OTHER_TYPES)))
    body = json.dumps(sample).encode()
    arrivals = parse_update(body, ME)
    assert arrivals
    for arrival in arrivals:
        assert isinstance(arrival, Inbound | Notice | Malformed)
        assert arrival.raw == body
        assert not isinstance(arrival, Inbound) or (arrival.provider_id and arrival.sender.aliases())
        assert not isinstance(arrival, Inbound | Notice) or 0 <= arrival.at <= 4_102_444_800_000


@settings(max_examples=examples(100, 2000), deadline=None, derandomize=True, database=None)
@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_any_bytes_are_parsed_or_refused(body: bytes) -> None:
    try:
        assert parse_update(body, ME)
    except ValueError:
        pass
