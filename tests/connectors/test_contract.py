"""What every connector keeps to, so that a new one is tested by being in the registry."""

import asyncio
import inspect
import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.connectors import CONNECTORS
from app.connectors.abilities import Webhook
from app.connectors.base import (
    Address,
    Arrival,
    Channel,
    Connector,
    Inbound,
    Malformed,
    Notice,
    Outbound,
    Receipt,
    SendFailed,
    Session,
    State,
    StatusChange,
)
from app.connectors.states import CHECKS, PROBLEMS, REMEDIES, SENTENCES, advice_for
from app.connectors.whatsapp_cloud import errors, examination
from app.connectors.whatsapp_cloud.notification import parse_notification
from app.content import Choice, Content, Image, Note, Text
from tests.connectors import cloud
from tests.connectors.test_cloud_samples import updates_in
from tests.effort import examples
from tests.fakes.telegram import FakeTelegram
from tests.samples import needs_samples

PATIENCE = 5.0
KINDS = sorted(CONNECTORS)
# Settings that keep a session on this machine, for connectors that connect by themselves.
LOCAL = {
    "graph_url": "http://127.0.0.1:1",
    "telegram_url": "http://127.0.0.1:1",
    "whatsapp_web_url": "ws://127.0.0.1:1",
}


@pytest.fixture(params=KINDS)
def connector(request: pytest.FixtureRequest) -> Connector:
    return CONNECTORS[request.param]


def channel_of(connector: Connector, **given: str) -> Channel:
    values = {setting.name: given.get(setting.name) or setting.example or "value" for setting in connector.settings}
    secrets = {setting.name: values.pop(setting.name) for setting in connector.settings if setting.secret}
    return Channel(1, "Tests", connector.account_of(values), values | LOCAL | given, secrets)


# ---- what a connector says of itself ---------------------------------------------------------------------------------


def test_registry_names_each_connector_by_its_kind() -> None:
    assert {"whatsapp_cloud", "simulator"} <= set(CONNECTORS)
    for kind, connector in CONNECTORS.items():
        assert connector.kind == kind
        assert re.fullmatch(r"[a-z_]+", kind)
        assert connector.label


def test_settings_are_documented(connector: Connector) -> None:
    names = [setting.name for setting in connector.settings]
    assert len(names) == len(set(names))
    for setting in connector.settings:
        assert re.fullmatch(r"[a-z_]+", setting.name)
        assert setting.label
        assert setting.help.endswith(".")


def test_secrets_show_no_plausible_example(connector: Connector) -> None:
    for setting in connector.settings:
        assert not setting.secret or len(setting.example) < 12


def test_account_is_stable_and_tells_accounts_apart(connector: Connector) -> None:
    first = {setting.name: "1" for setting in connector.settings}
    second = {setting.name: "2" for setting in connector.settings}
    assert connector.account_of(first) == connector.account_of(dict(first))
    assert not connector.settings or connector.account_of(first) != connector.account_of(second)


def test_capabilities_are_sane(connector: Connector) -> None:
    able = connector.capabilities
    assert able.text > 0
    assert not able.buttons or (able.button_title > 0 and able.button_text > 0)
    assert not able.list_rows or (able.list_title > 0 and able.list_label > 0)
    assert connector.default_rate >= 0
    assert all(size > 0 and "/" in mime for kinds in able.media.values() for mime, size in kinds.items())
    assert set(able.media) <= {"image", "video", "audio", "document", "sticker"}
    assert connector.check(Text("x" * able.text)) is None
    assert connector.check(Text("x" * (able.text + 1))) is not None


def test_check_answers_for_every_kind_of_content(connector: Connector) -> None:
    for kind in get_args(Content):
        problem = connector.check(least(kind))
        assert problem is None or advice_for(problem.code)
    assert connector.check(Note("for the team")) is not None


def least(kind: type) -> Any:
    """A content of this kind with as little in it as its types allow."""
    empty: dict[str, Any] = {"latitude": 0.0, "longitude": 0.0, "choices": (Choice("", ""),), "header": Image()}
    empty |= {"cards": (), "sections": (), "parameters": {}, "items": (), "content": Text("")}
    return kind(
        **{name: empty.get(name, "") for name in kind.__struct_fields__ if name in empty or name in required(kind)}
    )


def required(kind: type) -> tuple[str, ...]:
    fields, defaults = kind.__struct_fields__, kind.__struct_defaults__
    return tuple(fields[: len(fields) - len(defaults)])


# ---- sessions --------------------------------------------------------------------------------------------------------


class Heard:
    """Collects what a session reports; `first` is set by the first state."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.state = asyncio.Event()

    async def __call__(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)
        if isinstance(arrival, StatusChange):
            self.state.set()
            await asyncio.sleep(0.01)  # the product's writes take a moment, too


async def test_session_reports_a_state_and_returns_after_close(connector: Connector) -> None:
    async with FakeTelegram() as telegram:
        channel = channel_of(connector, telegram_url=telegram.url, token=telegram.token)
        session, heard = connector.open_session(channel), Heard()
        running = asyncio.create_task(session.run(heard))
        async with asyncio.timeout(PATIENCE):
            await heard.state.wait()
            await session.close()
            await running
    states = [arrival for arrival in heard.arrivals if isinstance(arrival, StatusChange)]
    assert all(change.code in SENTENCES for change in states)


async def test_session_closed_before_it_runs_returns_at_once(connector: Connector) -> None:
    session = connector.open_session(channel_of(connector))
    await session.close()
    async with asyncio.timeout(PATIENCE):
        await session.run(Heard())


async def test_closing_twice_is_harmless(connector: Connector) -> None:
    session = connector.open_session(channel_of(connector))
    await session.close()
    await session.close()


async def test_send_on_a_closed_session_fails_for_certain(connector: Connector) -> None:
    session = connector.open_session(channel_of(connector))
    await session.close()
    with pytest.raises(SendFailed) as caught:
        await session.send(Outbound("o", Address(phone="1", wa_id="1", telegram="1", simulated="1"), Text("Hi")))
    assert caught.value.certain
    assert advice_for(caught.value.problem.code)


async def test_simulator_takes_delivers_and_reads() -> None:
    connector, heard = CONNECTORS["simulator"], Heard()
    session: Session = connector.open_session(channel_of(connector))
    running = asyncio.create_task(session.run(heard))
    sent = [await session.send(Outbound(f"o{n}", Address(simulated="me"), Text("Hi"))) for n in range(3)]
    await session.close()
    async with asyncio.timeout(PATIENCE):
        await running
    assert len({one.provider_id for one in sent}) == 3
    assert all(re.fullmatch(r"sim\.\d+", one.provider_id) for one in sent)
    receipts = [arrival for arrival in heard.arrivals if isinstance(arrival, Receipt)]
    told = [(receipt.provider_id, receipt.opaque, receipt.status.value) for receipt in receipts]
    words = ("delivered", "read")
    assert told == [(one.provider_id, f"o{n}", word) for n, one in enumerate(sent) for word in words]


async def test_simulator_never_gives_an_id_again_after_a_restart() -> None:
    connector = CONNECTORS["simulator"]
    ids = []
    for _ in range(2):
        session = connector.open_session(channel_of(connector))
        ids += [(await session.send(Outbound("o", Address(simulated="me"), Text("Hi")))).provider_id for _ in range(5)]
    assert len(set(ids)) == 10


# ---- its samples -----------------------------------------------------------------------------------------------------

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*/*.json"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_sample_is_taken_whole_and_no_mutation_of_it_raises(path: Path) -> None:
    connector = CONNECTORS[path.parent.name]
    assert isinstance(connector, Webhook)
    body = path.read_bytes()
    for arrival in connector.parse(body):
        assert isinstance(arrival, Inbound | Receipt | Notice) and arrival.raw == body and arrival.account
    sample = json.loads(body)
    for place in places_in(sample):
        for how, other in [("drop", None), ("double", None), *(("retype", other) for other in OTHER_TYPES)]:
            changed = json.loads(body)
            mutate(changed, place, how, other)
            for arrival in connector.parse(json.dumps(changed).encode()):
                assert not isinstance(arrival, Inbound) or (arrival.provider_id and arrival.sender.aliases())
                assert isinstance(arrival, Malformed) or 0 <= arrival.at <= 4_102_444_800_000


# ---- words for codes -------------------------------------------------------------------------------------------------


def test_every_code_has_whole_sentences() -> None:
    for state in State:
        assert state.value in SENTENCES
    sentences = [*SENTENCES.values(), *REMEDIES.values(), *(advice.sentence for advice in PROBLEMS.values())]
    sentences += [advice.remedy for advice in PROBLEMS.values() if advice.remedy]
    for sentence in sentences:
        assert sentence.endswith("."), sentence
        assert sentence[0].isupper(), sentence
        assert "!" not in sentence and "please" not in sentence.lower() and "successfully" not in sentence, sentence


def test_codes_that_stop_a_channel_tell_what_to_do() -> None:
    stopping = (errors.Kind.AUTH, errors.Kind.ACCOUNT)
    for code, meaning in errors.CODES.items():
        if meaning.kind in stopping and (advice := advice_for(str(code))):
            assert advice.remedy, code


def test_examination_has_words_for_what_it_says() -> None:
    source = inspect.getsource(examination)
    said = re.findall(r'Check\("([a-z.]+)"', source)
    remedies = re.findall(r'"([a-z_]+\.[a-z_]+)"', source)
    assert len(said) > 5 and len(remedies) > 5
    assert set(said) <= set(CHECKS)
    assert set(remedies) <= set(REMEDIES)


# ---- whatever comes in -----------------------------------------------------------------------------------------------


OTHER_TYPES: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    "",
    "x",
    "\x00",
    "\ud800",
    [],
    [[]],
    {},
    {"a": {}},
    [1, "x", None],
]


def places_in(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every member and element."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in inner for place in ((*way, key), *places_in(item, (*way, key)))]


def mutate(sample: Any, place: tuple[Any, ...], how: str, other: Any) -> None:
    holder = sample
    for key in place[:-1]:
        holder = holder[key]
    key = place[-1]
    if how == "drop":
        del holder[key]
    elif how == "double" and isinstance(holder, list):
        holder.insert(key, holder[key])
    elif how == "double":
        holder[f"{key}_again"] = holder[key]
    else:
        holder[key] = other


PARSED = [json.loads(path.read_bytes()) for path in cloud.SAMPLES]
PLACES = [places_in(sample) for sample in PARSED]


@needs_samples
@settings(
    max_examples=examples(500, 20_000),
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
    arrivals = parse_notification(body)
    kept = b"".join(arrival.raw for arrival in arrivals if not isinstance(arrival, StatusChange))
    for update in updates_in(sample):
        assert "id" not in update or json.dumps(update["id"]).encode() in kept
    assert arrivals or not any(updates_in(sample))
    for arrival in arrivals:
        assert isinstance(arrival, Inbound | Receipt | Notice | Malformed)
        assert not isinstance(arrival, Inbound) or (arrival.provider_id and arrival.sender.aliases())
        assert not isinstance(arrival, Inbound | Receipt | Notice) or 0 <= arrival.at <= 4_102_444_800_000


@settings(max_examples=examples(100, 2000), deadline=None, derandomize=True, database=None)
@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_any_bytes_are_parsed_or_refused(body: bytes) -> None:
    try:
        assert isinstance(parse_notification(body), list)
    except ValueError:
        pass
