"""Misbehaviour on request, and the truth file that says what really happened."""

import asyncio
import contextlib
import json
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from .graph import Accepted, FakeGraph, Inbound, Number, Posted, Refused, read, wamid
from .graph.caller import ANNA, BELA, Caller, text
from .graph.faults import parse
from .graph.listener import Listener

ROOT = Path(__file__).parents[2]


@contextlib.asynccontextmanager
async def running(truth: Path, **settings: Any) -> AsyncIterator[tuple[FakeGraph, Listener, Caller]]:
    async with (
        Listener(Number().app_secret) as hook,
        FakeGraph(webhook=hook.url, truth=truth, pair_every=0, throughput=0, **settings) as graph,
    ):
        caller = Caller(graph)
        try:
            yield graph, hook, caller
        finally:
            caller.client.close()


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    return tmp_path / "truth.jsonl"


def lines(truth: Path, kind: type[Any]) -> list[Any]:
    return [line for line in read(truth) if isinstance(line, kind)]


async def test_the_truth_names_every_accepted_send(truth: Path) -> None:
    async with running(truth) as (graph, _, caller):
        await graph.inbound(ANNA, "Hi")
        first = await caller.accepted(text(biz_opaque_callback_data="k.1"))
        assert await caller.code(text(body="")) == 131009
        bsuid = graph.person(ANNA)["bsuid"]
        second = await caller.accepted(text(None, recipient=bsuid))
    assert [
        (line.n, line.wamid, line.to, line.recipient, line.opaque, line.mode) for line in lines(truth, Accepted)
    ] == [
        (1, first, ANNA, None, "k.1", "ok"),
        (2, second, None, bsuid, None, "ok"),
    ]
    assert (
        lines(truth, Accepted)[0].sha256
        == sha256(json.dumps(text(biz_opaque_callback_data="k.1")).encode()).hexdigest()
    )
    assert [line.code for line in lines(truth, Refused)] == [131009]
    assert [line.sender for line in lines(truth, Inbound)] == [ANNA]


@pytest.mark.parametrize("mode", ["accept-then-timeout", "accept-then-rst", "accept-then-502", "garbage"])
async def test_P18_accepted_but_the_caller_cannot_know(truth: Path, mode: str) -> None:
    async with running(truth) as (graph, hook, caller):
        await graph.inbound(ANNA, "Hi")
        graph.mode(mode, times=1)
        if mode in ("accept-then-timeout", "accept-then-rst"):
            with pytest.raises(TimeoutError if mode == "accept-then-timeout" else ConnectionResetError):
                await caller.send(text(), timeout=0.2)
        else:
            path = f"/{graph.number.phone_number_id}/messages"
            status, body = await caller.raw("POST", path, json.dumps(text()).encode())
            assert status == (502 if mode == "accept-then-502" else 200)
            with pytest.raises(ValueError):
                json.loads(body)
        (line,) = lines(truth, Accepted)
        assert line.mode == mode
        assert [status["id"] for status in await hook.wait("statuses", 3)] == [line.wamid] * 3
        await caller.accepted(text())


@pytest.mark.parametrize(
    ("mode", "status", "code"), [("reject:131026", 400, 131026), ("reject:131016", 500, 131016), ("429", 429, 130429)]
)
async def test_P18_refused_means_not_accepted(truth: Path, mode: str, status: int, code: int) -> None:
    async with running(truth) as (graph, _, caller):
        graph.mode(mode, times=2)
        for _ in range(2):
            found, answer = await caller.send(text())
            assert (found, answer["error"]["code"]) == (status, code)
        await caller.accepted(text())
    assert len(lines(truth, Accepted)) == 1 and len(lines(truth, Refused)) == 2


async def test_P18_a_cut_before_acceptance_accepts_nothing(truth: Path) -> None:
    async with running(truth) as (graph, _, caller):
        graph.mode("cut", times=1)
        with pytest.raises(OSError):
            await caller.send(text())
    assert lines(truth, Accepted) == []


async def test_a_slow_answer_is_accepted_at_once(truth: Path) -> None:
    async with running(truth) as (graph, _, caller):
        graph.mode("slow:0.3", times=1)
        call = asyncio.create_task(caller.accepted(text()))
        (line,) = await graph.wait_accepted(1)
        assert not call.done()
        assert await call == line["wamid"]


async def test_P19_a_status_may_never_come_or_come_late(truth: Path) -> None:
    async with running(truth) as (graph, hook, caller):
        await graph.inbound(ANNA, "Hi")
        graph.mode("no-status", times=1)
        silent = await caller.accepted(text())
        graph.mode("accept-then-502+status-after:0.2", times=1)
        await caller.raw("POST", f"/{graph.number.phone_number_id}/messages", json.dumps(text()).encode())
        prompt = await caller.accepted(text())
        statuses = await hook.wait("statuses", 6)
        late = graph.accepted[1]["wamid"]
        assert [status["id"] for status in statuses] == [prompt] * 3 + [late] * 3
        await graph.call("POST", "status", wamid=silent, status="delivered")
        assert (await hook.wait("statuses", 7))[-1]["id"] == silent


async def test_P19_statuses_may_come_twice_or_in_any_order(truth: Path) -> None:
    async with running(truth) as (graph, hook, caller):
        await graph.inbound(ANNA, "Hi")
        graph.mode("duplicate", times=1)
        await caller.accepted(text())
        await hook.wait("statuses", 6)
        graph.mode("reorder")
        orders = set()
        for n in range(12):
            wamid = await caller.accepted(text())
            statuses = await hook.wait("statuses", 6 + 3 * (n + 1))
            orders.add(tuple(status["status"] for status in statuses if status["id"] == wamid))
        assert len(orders) > 1


async def test_a_failure_can_be_asked_for(truth: Path) -> None:
    async with running(truth) as (graph, hook, caller):
        await graph.inbound(ANNA, "Hi")
        graph.mode("fail:131049", user=BELA)
        await caller.accepted(text())
        await caller.accepted(text("+" + BELA))
        statuses = await hook.wait("statuses", 4)
        failed = [status for status in statuses if status["status"] == "failed"]
        assert [(status["recipient_id"], status["errors"][0]["code"]) for status in failed] == [(BELA, 131049)]


async def test_modes_by_rate_hit_about_that_share_and_the_truth_knows_which(truth: Path) -> None:
    async with running(truth, statuses=False) as (graph, _, caller):
        graph.modes(**{"accept-then-502": 0.2, "reject:131000": 0.1})
        path, codes = f"/{graph.number.phone_number_id}/messages", Counter[int]()
        for n in range(500):
            status, _ = await caller.raw("POST", path, json.dumps(text(f"1650555{n:04}")).encode())
            codes[status] += 1
        modes = Counter(line.mode for line in lines(truth, Accepted))
        assert modes == {"ok": codes[200], "accept-then-502": codes[502]}
        assert 60 < codes[502] < 140 and 20 < codes[500] < 80 and sum(codes.values()) == 500


@pytest.mark.parametrize("text", ["", "nonsense", "reject", "slow:soon", "ok+late", "429:7"])
def test_an_unknown_mode_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


async def test_the_truth_survives_a_kill_and_is_continued(truth: Path) -> None:
    async with FakeGraph(process=True, truth=truth, statuses=False) as graph:
        caller = Caller(graph)
        wamids = [await caller.accepted(text(f"1650555{n:04}")) for n in range(20)]
        graph.kill(signal.SIGKILL)
        with pytest.raises(OSError):
            await caller.send(text())
        caller.client.close()
        graph.child = None
    assert [line.wamid for line in lines(truth, Accepted)] == wamids
    async with FakeGraph(process=True, truth=truth, statuses=False) as graph:
        caller = Caller(graph)
        wamids.append(await caller.accepted(text()))
        caller.client.close()
    assert [line.wamid for line in lines(truth, Accepted)] == wamids


async def test_a_process_of_its_own_resets_connections_too(truth: Path) -> None:
    async with FakeGraph(process=True, truth=truth, statuses=False) as graph:
        caller = Caller(graph)
        for mode in ("accept-then-rst", "cut"):
            graph.mode(mode, times=1)
            with pytest.raises(ConnectionResetError):
                await caller.send(text())
        caller.client.close()
    assert [line.mode for line in lines(truth, Accepted)] == ["accept-then-rst"]


async def test_a_process_of_its_own_is_handled_alike(truth: Path) -> None:
    async with Listener("s") as hook, FakeGraph(process=True, webhook=hook.url, app_secret="s", truth=truth) as graph:
        caller = Caller(graph)
        await graph.inbound(ANNA, "Hi")
        await hook.wait("messages", 1)
        graph.mode("duplicate", times=1)
        wamid = await caller.accepted(text())
        (line,) = await graph.wait_accepted(1)
        assert line == graph.accepted[0] and line["body"]["text"] == {"body": "Hello"}
        assert (line["wamid"], line["mode"], graph.total) == (wamid, "duplicate", 1)
        await hook.wait("statuses", 6)
        await graph.settled()
        graph.settings(pair_burst=1)
        graph.change_number(refuses=131031)
        assert await caller.code(text()) == 131031
        with pytest.raises(ValueError, match="no such mode"):
            graph.mode("nonsense")
        with pytest.raises(LookupError):
            await graph.call("GET", "nothing")
        with pytest.raises(TimeoutError):
            await graph.wait_accepted(9, timeout=0.05)
        caller.client.close()
    assert [line.status for line in lines(truth, Posted)] == [200] * len(lines(truth, Posted))


async def test_requests_on_one_connection_are_answered_in_order(truth: Path) -> None:
    async with running(truth, statuses=False) as (graph, _, _):
        graph.mode("slow:0.05", times=1)
        request = json.dumps(text()).encode()
        target, token = f"/{graph.number.phone_number_id}/messages", graph.number.token
        head = f"POST {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(request)}"
        raw = f"{head}\r\n\r\n".encode() + request
        host, port = graph.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(raw * 3)
        ids: list[str] = []
        async with asyncio.timeout(5):
            while len(ids) < 3:
                await reader.readuntil(b'"id":"')
                ids.append((await reader.readuntil(b'"'))[:-1].decode())
        assert ids == [line["wamid"] for line in graph.accepted]
        writer.close()
        await writer.wait_closed()


def test_a_message_id_has_the_observed_form() -> None:
    observed = "wamid.HBgLMTY0NjcwNDM1OTUVAgASGBQzQTdCNTg5RjY1MEMyRjlGMjRGNgA="
    assert wamid.parts(observed) == ("16467043595", "in", "3A7B589F650C2F9F24F6")
    user, direction, inner = wamid.parts(wamid.outbound(ANNA))
    assert (user, direction) == (ANNA, "out") and re.fullmatch(r"[0-9A-F]{18}", inner)
    user, direction, inner = wamid.parts(wamid.inbound(ANNA))
    assert (user, direction) == (ANNA, "in") and re.fullmatch(r"3A[0-9A-F]{18}", inner)


def command(*flags: str) -> list[str]:
    return [sys.executable, "-m", "tests.fakes.graph", "--port", "0", *flags]


async def test_the_flags_set_the_number_and_the_behaviour(truth: Path) -> None:
    flags = [
        "--phone-number-id",
        "77",
        "--token",
        "EAA77",
        "--truth",
        str(truth),
        "--mode",
        "no-status",
        "--set",
        "pair_burst=1",
    ]
    child = await asyncio.create_subprocess_exec(*command(*flags), cwd=ROOT, stdout=subprocess.PIPE)
    assert child.stdout
    found = json.loads(await child.stdout.readline())
    assert found["phone_number_ids"] == ["77"]
    async with FakeGraph() as graph:  # only for a caller; it talks to the child
        caller = Caller(graph)
        caller.token = "EAA77"
        path = f"{found['url']}/v25.0/77/messages"
        assert (await caller.ask("POST", path, text()))[0] == 200
        assert (await caller.ask("POST", path, text()))[1]["error"]["code"] == 131056
        caller.client.close()
    child.terminate()
    assert await child.wait() == 0
    assert [line.mode for line in lines(truth, Accepted)] == ["no-status"]


async def test_a_person_can_play_the_customer() -> None:
    async with Listener(Number().app_secret) as hook, FakeGraph() as other:
        child = await asyncio.create_subprocess_exec(
            *command("--play", "--webhook", hook.url), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert child.stdin and child.stdout
        address = ""
        while b"/quit" not in (line := await child.stdout.readline()):
            if b"Graph address" in line:
                address = line.decode().split()[-1]
        child.stdin.write(b"Good morning\n")
        (message,) = await hook.wait("messages", 1)
        assert (message["text"]["body"], message["from"]) == ("Good morning", ANNA)
        caller = Caller(other)
        buttons = [{"type": "reply", "reply": {"id": f"b{n}", "title": title}} for n, title in enumerate(("Yes", "No"))]
        question = {"type": "button", "body": {"text": "Coffee?"}, "action": {"buttons": buttons}}
        path = f"{address}/v25.0/{Number().phone_number_id}/messages"
        assert (await caller.ask("POST", path, text() | {"type": "interactive", "interactive": question}))[0] == 200
        shown = [(await child.stdout.readline()).decode().strip() for _ in range(3)]
        assert shown == ["< Coffee?", "1) Yes", "2) No"]
        child.stdin.write(b"2\n")
        reply = (await hook.wait("messages", 2))[1]
        assert reply["interactive"]["button_reply"] == {"id": "b1", "title": "No"}
        child.stdin.write(b"/from @bela\n/image look\n/quit\n")
        picture = (await hook.wait("messages", 3))[2]
        assert picture["image"]["caption"] == "look" and "from" not in picture
        assert await child.wait() == 0
        caller.client.close()
