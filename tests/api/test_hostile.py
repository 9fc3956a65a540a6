"""Schemathesis asks every operation of the OpenAPI document for what fits it and for what does not, over a real socket:
nothing is answered 5xx, nothing that the document does not say, and next to nothing 429. Each operation is seen with a
2xx first, so that the rest is not spent on things that are not there. Then operations follow one another, each with ids
from the answers before.

`make hostile` asks 100 of each and walks 100 times, the suite asks only what is right and walks a few times.
"""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core import NOT_SET

from app.routes.docs import document
from tests.api import conformance
from tests.api.guest import KNOWN, QUERIES, RIGHT, Guest
from tests.effort import HOSTILE, examples
from tests.fakes.graph import FakeGraph

DESCRIBED: Final = schemathesis.openapi.from_dict(document()).exclude(
    func=lambda context: "x-stream" in context.operation.definition.raw
)
OPERATIONS: Final = {
    found.definition.raw["operationId"]: found for found in (each.ok() for each in DESCRIBED.get_all_operations())
}


def kind_of(operation: Any) -> str:
    """The kind of thing that an operation is about: what follows the version in its address."""
    return str(operation.path.split("/")[3])


KINDS: Final = sorted({kind_of(each) for each in OPERATIONS.values()})
WALKED: Final = {
    kind: st.one_of([each.as_strategy() for each in OPERATIONS.values() if kind_of(each) == kind]) for kind in KINDS
}
# For each kind an operation on one thing of it, which says how such a thing is had.
ABOUT: Final = {kind_of(each): name for name, each in OPERATIONS.items() if name in RIGHT and "{id}" in each.path}
EXAMPLES: Final = settings(
    max_examples=100, deadline=None, database=None, derandomize=True, phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip

# The server is a thread of this process and draws its own waiting times while Hypothesis looks.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")


@pytest.fixture(scope="module")
def guest() -> Iterator[Guest]:
    graph = FakeGraph(process=True, statuses=False, verify=False)
    asyncio.run(graph.__aenter__())
    with Guest(environment={"PARLEY_TRUSTED_PROXIES": "127.0.0.1", "PARLEY_GRAPH_URL": graph.url}) as made:
        yield made
    asyncio.run(graph.__aexit__(None, None, None))


@pytest.mark.parametrize("name", OPERATIONS)
def test_whatever_is_asked_the_answer_is_one_of_the_document(guest: Guest, name: str) -> None:
    operation = OPERATIONS[name]
    place = ask_right(guest, name)
    if not HOSTILE:
        return
    modes = [operation.as_strategy(generation_mode=GenerationMode.POSITIVE)]
    if operation.definition.raw.get("requestBody"):
        modes.append(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    # Only what may be asked again and again keeps its id: what deletes takes another each time.
    lasting = place if operation.method != "delete" and name != "eraseContact" else {}
    codes: list[int] = []

    @EXAMPLES
    @given(case=st.one_of(modes), known=st.booleans())
    def ask(case: Case, known: bool) -> None:
        if known:
            fill_in(case, lasting)
        codes.append(send(guest, case).status_code)

    ask()
    assert codes.count(429) <= len(codes) / 100, codes


def ask_right(guest: Guest, name: str) -> dict[str, str]:
    """See that the operation does what it is for. Returns what was put into its address."""
    operation = OPERATIONS[name]
    place, body = RIGHT.get(name, lambda guest: ({}, None))(guest)
    path = operation.path.removeprefix("/api/v1").format(**place)
    head, sent = guest.address(), {"json": body}
    if isinstance(body, str):
        kind = next(iter(operation.definition.raw["requestBody"]["content"]))
        head, sent = head | {"Content-Type": kind}, {"content": body}
    answer = guest.client.request(operation.method, path, params=QUERIES.get(name), headers=head, **sent)
    assert answer.is_success, f"{name}: {answer.text}"
    conformance.check(answer)
    return place


def send(guest: Guest, case: Case) -> httpx.Response:
    """Ask, and look at the answer."""
    given = case.as_transport_kwargs(base_url=guest.url)
    head = {**given["headers"], **guest.head, **guest.address()}
    body: dict[str, bytes] = {}
    if isinstance(case.body, dict) and case.body.get("wait") in range(1, 26):
        case.body["wait"] = 0  # whoever asks for questions may wait for one; nobody does here
    if case.body is not NOT_SET:
        body["content"] = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()
    if body:
        head["Content-Type"] = case.media_type or "application/json"
    head = {key: str(value).strip() for key, value in head.items() if f"{value}".isascii() and f"{value}".isprintable()}
    answer = guest.client.request(case.method, given["url"], params=given.get("params"), headers=head, **body)
    assert answer.status_code < 500, f"{case.method} {given['url']} {case.body!r}: {answer.text}"
    conformance.check(answer)
    return answer


def test_operations_follow_one_another(guest: Guest) -> None:
    """Walks of six requests about one thing, in any order, which go on with what they make: whatever happened to it
    on the way, the answer is one of the document, and what was deleted is not found."""
    gone: set[str] = set()
    codes: list[int] = []

    @settings(EXAMPLES, max_examples=examples(5, 100))
    @given(st.sampled_from(KINDS).flatmap(lambda kind: st.lists(WALKED[kind], min_size=6, max_size=6)))
    def walk(cases: list[Case]) -> None:
        about = ABOUT.get(kind_of(cases[0].operation))
        place = RIGHT[about](guest)[0] if about else {}
        for case in cases:
            fill_in(case, place)
            answer = send(guest, case)
            codes.append(answer.status_code)
            where = answer.request.url.path
            assert where not in gone or answer.is_client_error, f"{case.method} {where}: {answer.text}"
            if answer.is_success and case.method == "DELETE":
                gone.add(where)
            if answer.status_code == 201:
                place["id"] = str(answer.json()["id"])

    walk()
    assert codes.count(429) <= len(codes) / 100, codes


def fill_in(case: Case, place: dict[str, str]) -> None:
    """Put what is there in the place of what was made up."""
    case.path_parameters.update({key: value for key, value in place.items() if key in case.path_parameters})
    if isinstance(case.body, dict):
        case.body.update({key: value for key, value in KNOWN.items() if key in case.body})
