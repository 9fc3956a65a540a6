"""Analytics as programs read them."""

import pytest

from app import statistics
from tests.api.conftest import Program

pytestmark = pytest.mark.anyio


async def test_programs_get_the_same_numbers(api: Program) -> None:
    head = await api.key("read", "send")
    place = "/api/v1/analytics"
    empty = (await api.get(f"{place}/summary", headers=head)).json()
    assert empty["received"] == 0 and empty["person_wait"] is None and empty["counted_at"] is None
    body = {"channel": "Shop", "to": "5511999990000", "text": "Hi"}
    assert (await api.post("/api/v1/messages", json=body, headers=head)).status_code == 202
    await statistics.keep(api.rt.db)
    found = (await api.get(f"{place}/summary?days=7", headers=head)).json()
    assert found["sent_by_programs"] == 1 and found["statuses"] == {"queued": 1} and found["counted_at"]
    assert [(one["name"], one["sent"]) for one in found["channels"]] == [("Shop", 1)]
    hours = (await api.get(f"{place}/hours?channel={found['channels'][0]['id']}", headers=head)).json()["hours"]
    assert [hour["sent_by_programs"] for hour in hours] == [1]
    assert (await api.get(f"{place}/hours?channel={'8' * 19}", headers=head)).json() == {"hours": []}
    assert (await api.get(f"{place}/summary?days=0", headers=head)).status_code == 422
    assert (await api.get(f"{place}/summary")).status_code == 401
