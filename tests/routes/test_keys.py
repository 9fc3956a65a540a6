"""API keys on the settings page: shown once, bounded by who makes them, gone when deleted."""

import re
from pathlib import Path

import pytest

from app.security import sessions
from app.store import tokens as store
from app.store.tokens import ApiKey
from tests.browser.filled import ManualClock
from tests.routes.visiting import Visit, visiting

pytestmark = pytest.mark.anyio
GIVEN = {"name": "CRM <b>", "scopes": ["read", "send"], "days": "30", "rate": ""}


async def keys(visit: Visit) -> list[ApiKey]:
    return await visit.rt.db.reader.all(store.KEYS, before=2**62, limit=10)


async def test_a_key_is_shown_once_opens_the_api_and_is_gone_when_deleted(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        assert "There are none. A program needs one" in (await visit.get("/settings")).text
        made = await visit.post("/settings/keys", GIVEN)
        found = re.search(r'<code id="key">(pk_\w+)</code>', made.text)
        assert made.status_code == 200 and found and "CRM &lt;b&gt;" in made.text
        head = {"Authorization": f"Bearer {found[1]}"}
        assert (await visit.client.get("/api/v1/channels", headers=head)).status_code == 200
        assert (await visit.client.get("/api/v1/tokens", headers=head)).status_code == 403
        (row,) = await keys(visit)
        assert row.user == "Rosa Martins" and row.expires_at == visit.rt.clock.now() + 30 * 86_400_000
        listed = (await visit.get("/settings")).text
        assert found[1] not in listed and f"pk_…{row.hint}" in listed and "used" in listed
        gone = await visit.post(f"/settings/keys/{row.id}/delete")
        assert (gone.status_code, gone.headers["location"]) == (303, "/settings#keys")
        assert (await visit.client.get("/api/v1/channels", headers=head)).status_code == 401
        assert (await visit.post(f"/settings/keys/{row.id}/delete")).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": " "}, "Name it."),
        ({"scopes": []}, "Choose some of these."),
        ({"scopes": ["root"]}, "Choose some of these."),
        ({"rate": "fast"}, "The rate is a number"),
        ({"days": "99999"}, "A key is good for up to"),
    ],
)
async def test_what_is_wrong_is_told_and_what_was_typed_stays(tmp_path: Path, wrong: dict[str, str], told: str) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        answer = await visit.post("/settings/keys", GIVEN | {"name": "Reports"} | wrong)
        assert answer.status_code == 422 and told in answer.text
        if "name" not in wrong:
            assert 'value="Reports"' in answer.text
        assert not await keys(visit)


async def test_S6_the_password_is_asked_again_before_a_key_is_made_or_deleted(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        await visit.post("/settings/keys", GIVEN)
        assert isinstance(visit.rt.clock, ManualClock)
        visit.rt.clock.at += sessions.CONFIRMED + 1
        asked = await visit.get("/settings/keys/new")
        assert (asked.status_code, asked.headers["location"]) == (303, "/confirm?next=/settings/keys/new")
        for path in ("/settings/keys", f"/settings/keys/{(await keys(visit))[0].id}/delete"):
            assert (await visit.post(path, GIVEN)).status_code == 303
        assert len(await keys(visit)) == 1
