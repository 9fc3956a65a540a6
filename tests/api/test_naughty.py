"""Texts at which programs were seen to stumble (`tests/corpora/`): as messages they come back as they went in, from the
API and from an export; as searches and names they never break anything."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

from tests.api.conftest import Program

pytestmark = pytest.mark.anyio
FILE: Final = Path(__file__).parents[1] / "corpora" / "blns.base64.json"
LIST: Final = [text for text in (b64decode(one).decode() for one in json.loads(FILE.read_bytes())) if text]
# As searches and names one in eight; `make hostile` takes them all.
EACH: Final = 1 if settings.get_current_profile_name() == "hostile" else 8


async def test_naughty_texts_come_back_as_they_went_in(api: Program) -> None:
    head = await api.key("read", "send", "admin", rate=0)
    refused: list[str] = []
    for first in range(0, len(LIST), 100):
        some = [{"channel": "Shop", "to": "+5511999990000", "text": text} for text in LIST[first : first + 100]]
        answer = await api.post("/api/v1/messages/bulk", json={"messages": some}, headers=head)
        assert answer.status_code == 202
        refused += [one["text"] for one, each in zip(some, answer.json()["items"], strict=True) if each["error"]]
    assert not [text for text in refused if text.strip()], "only what shows nothing is refused"
    taken = [text for text in LIST if text not in refused]
    lines = (
        (await api.get("/api/v1/messages/export", params={"format": "ndjson"}, headers=head))
        .text.strip("\n")
        .split("\n")
    )
    assert sorted(json.loads(line)["content"]["text"] for line in lines) == sorted(taken)
    [chat] = (await api.get("/api/v1/conversations", headers=head)).json()["items"]
    last = (await api.get(f"/api/v1/conversations/{chat['id']}/messages", headers=head)).json()["items"]
    assert [each["content"]["text"] for each in last] == taken[: -len(last) - 1 : -1]


async def test_naughty_texts_break_neither_searches_nor_names(api: Program) -> None:
    head = await api.key("read", "send", rate=0)
    for number, text in enumerate(LIST[::EACH]):
        found = await api.get("/api/v1/messages", params={"q": text}, headers=head)
        assert found.status_code in (200, 400, 422), (text, found.text)
        body = {"phone": f"+551188{number:07}", "name": text, "tags": [text], "fields": {"note": text}}
        made = await api.post("/api/v1/contacts", json=body, headers=head)
        assert made.status_code in (201, 400, 422), (text, made.text)
        if made.status_code == 201:
            shown = (await api.get(f"/api/v1/contacts/{made.json()['id']}", headers=head)).json()
            assert shown["name"] == " ".join(text.split()) and shown["fields"] == {"note": text}
