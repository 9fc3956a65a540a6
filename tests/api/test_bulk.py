"""Much at once over the API: sending, contacts, files, whole lists; and changing only what one saw."""

import csv
import io
import json
from typing import Any

import pytest

from app.db import Query
from app.media import UPLOADS_KEPT, sweep_uploads
from app.routes.docs import document
from tests.api.conftest import Program
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio
COUNT = Query("select count(*) from message", int)
V1 = "/api/v1"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50


def one(to: str, **body: Any) -> dict[str, Any]:
    return {"channel": "Shop", "to": to, "text": "Hi"} | body


async def test_P24_many_messages_are_queued_or_refused_one_by_one_and_once(api: Program) -> None:
    head = await api.key("read", "send") | {"Idempotency-Key": "batch-1"}
    body = {"messages": [one("+5511999990000"), one("12"), one("9" * 18), one("+5511999990001", channel="Nowhere")]}
    answer = await api.post(f"{V1}/messages/bulk", json=body, headers=head)
    assert answer.status_code == 202
    first, *others = answer.json()["items"]
    assert first["sent"]["status"] == "queued" and first["error"] is None
    assert [each["sent"] for each in others] == [None] * 3
    assert [each["error"]["code"] for each in others] == ["invalid", "not_found", "not_found"]
    again = await api.post(f"{V1}/messages/bulk", json=body, headers=head)
    assert again.json() == answer.json() and again.headers["Idempotent-Replayed"] == "true"
    assert await api.rt.db.reader.one(COUNT) == 1
    too_many = {"messages": [one("+5511999990000")] * 101}
    assert (await api.post(f"{V1}/messages/bulk", json=too_many, headers=await api.key("send"))).status_code == 422


async def test_many_contacts_are_made_completed_and_changed(api: Program) -> None:
    head = await api.key("read", "send")
    made = await api.post(f"{V1}/contacts/bulk", headers=head, json={"contacts": [
        {"phone": "+5511999990000", "name": "Ana", "tags": ["vip"], "fields": {"city": "Recife"}},
        {"phone": "+5511999990001"}, {"phone": "5511999990000", "tags": ["new"]},
    ]})  # fmt: skip
    assert made.json() == {"made": 2, "changed": 1}
    refused = await api.post(f"{V1}/contacts/bulk", json={"contacts": [{"phone": "+551199999"}, {"phone": "x12345"}]},
                             headers=head)  # fmt: skip
    assert refused.status_code == 422 and "contacts[1].phone" in refused.json()["error"]["fields"]
    rows = (await api.get(f"{V1}/contacts", headers=head)).json()["items"]
    assert {row["phone"]: row["tags"] for row in rows} == {"5511999990000": ["vip", "new"], "5511999990001": []}
    ids = [row["id"] for row in rows]
    wanted = {"ids": [*ids, "7"], "add_tags": ["2026"], "remove_tags": ["vip"], "fields": {"city": None, "n": 3},
              "opted_out": True}  # fmt: skip
    changed = await api.patch(f"{V1}/contacts", json=wanted, headers=head)
    assert changed.json() == {"changed": 2, "missing": ["7"]}
    rows = (await api.get(f"{V1}/contacts", params={"tag": "2026"}, headers=head)).json()["items"]
    assert len(rows) == 2 and all(row["fields"] == {"n": 3} and row["opted_out_at"] for row in rows)
    assert (await api.get(f"{V1}/contacts", params={"tag": "vip"}, headers=head)).json()["items"] == []


async def test_S21_a_file_is_what_its_bytes_say_and_comes_back_as_a_download(api: Program, clock: ManualClock) -> None:
    head = await api.key("read", "send")
    kind = {"Content-Type": "image/png"}
    for name, data, mime in ("cake.png", PNG, "image/png"), ("../x\n.png", b"<script>alert(1)</script>", None):
        made = await api.post(f"{V1}/media", params={"filename": name}, content=data, headers=head | kind)
        assert made.status_code == 201, made.text
        found = made.json()
        assert found["mime"] == (mime or "application/octet-stream") and found["size"] == len(data)
        assert (await api.get(f"{V1}/media/{found['id']}", headers=head)).json() == found
        back = await api.get(f"{V1}/media/{found['id']}/content", headers=head)
        assert back.content == data and back.headers["Content-Type"] == "application/octet-stream"
        assert back.headers["Content-Disposition"].startswith("attachment") and "sandbox" in str(back.headers)
        assert "/" not in back.headers["Content-Disposition"].partition("filename=")[2].partition(";")[0]
    assert (await api.post(f"{V1}/media", content=b"", headers=head | kind)).status_code == 422
    large = await api.post(f"{V1}/media", content=b"0" * 32_000_001, headers=head | kind)
    assert large.status_code in (413, 422) and "too large" in large.json()["error"]["message"].lower()
    assert not list((api.rt.media.folder / "part").iterdir())
    path = api.rt.media.path(found["sha256"])
    clock.advance(UPLOADS_KEPT / 1000 + 1)
    await sweep_uploads(api.rt.db, api.rt.media)
    head = await api.key("read")
    assert (await api.get(f"{V1}/media/{found['id']}", headers=head)).status_code == 404 and not path.exists()


async def test_whole_lists_come_as_csv_and_as_lines_of_json(api: Program) -> None:
    head = await api.key("read", "send", "admin", rate=0)
    for number in range(3):
        answer = await api.post(f"{V1}/messages", json=one(f"+551199999000{number}", text=f"=1+{number}"), headers=head)
        assert answer.status_code == 202
    for name, columns in ("contacts", "phone"), ("conversations", "snippet"), ("messages", "text"):
        lines = await api.get(f"{V1}/{name}/export", params={"format": "ndjson"}, headers=head)
        assert lines.headers["content-type"].startswith("application/x-ndjson")
        shown = [json.loads(line) for line in lines.text.splitlines()]
        listed = (await api.get(f"{V1}/{name}/{shown[0]['id']}", headers=head)).json()
        assert len(shown) == 3 and shown[0] == listed
        sheet = await api.get(f"{V1}/{name}/export", headers=head)
        assert f"{name}.csv" in sheet.headers["Content-Disposition"]
        rows = list(csv.DictReader(io.StringIO(sheet.text)))
        assert [row["id"] for row in rows] == [each["id"] for each in shown] and columns in rows[0]
    assert rows[0]["text"] == "'=1+2"
    for more in ({"channel": "1"}, {"until": 0}, {"since": 2 * 10**14}):
        assert (await api.get(f"{V1}/messages/export", params={"format": "ndjson", **more}, headers=head)).text == ""


async def test_a_thing_is_only_changed_as_it_was_seen(api: Program) -> None:
    head = await api.key("read", "send", "admin")
    made = await api.post(f"{V1}/contacts", json={"phone": "+5511999990000"}, headers=head)
    place = f"{V1}/contacts/{made.json()['id']}"
    seen = {"If-Match": (await api.get(place, headers=head)).headers["ETag"]}
    assert (await api.patch(place, json={"name": "Ana"}, headers=head | seen)).status_code == 200
    late = await api.patch(place, json={"name": "Rui"}, headers=head | seen)
    assert late.status_code == 412 and late.json()["error"]["code"] == "changed"
    assert (await api.get(place, headers=head)).json()["name"] == "Ana"
    assert (await api.delete(place, headers=head | seen)).status_code == 412
    assert (await api.patch(place, json={"name": "Rui"}, headers=head | {"If-Match": "*"})).status_code == 200
    assert (await api.patch(f"{V1}/contacts/7", json={}, headers=head | {"If-Match": "*"})).status_code == 404


async def test_P24_a_key_that_would_not_be_kept_to_is_refused(api: Program) -> None:
    head = await api.key("manage") | {"Idempotency-Key": "x"}
    answer = await api.post(f"{V1}/bots", json={"starter": "blank"}, headers=head)
    assert answer.status_code == 400 and "not kept to here" in answer.json()["error"]["message"]


def test_every_post_that_makes_something_keeps_to_its_key_or_refuses_it() -> None:
    """The document says which: those with the header keep to it."""
    paths = document()["paths"]
    kept = {
        f"{path} {method}"
        for path, methods in paths.items()
        for method, operation in methods.items()
        if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", []))
    }
    assert {f"{V1}/messages post", f"{V1}/messages/bulk post", f"{V1}/contacts post"} <= kept
    assert "text/event-stream" in str(paths[f"{V1}/events"]) and "WebSocket" in str(paths[f"{V1}/socket"])
