"""Secrets on the settings page: names are shown, values come in and never go out."""

from pathlib import Path

import pytest

from app import bots, vault
from app.security import sessions
from tests.browser.filled import ManualClock
from tests.routes.visiting import Visit, visiting

pytestmark = pytest.mark.anyio
VALUE = "canary-of-the-shop"


async def value_of(visit: Visit, name: str) -> str | None:
    return await vault.opened(visit.rt.db.reader, visit.rt.keys, name)


async def test_a_secret_is_added_replaced_and_deleted_and_its_value_is_never_shown(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        answer = await visit.post("/settings/secrets", {"name": "shop_key", "value": VALUE})
        assert (answer.status_code, answer.headers["location"]) == (303, "/settings#secrets")
        assert await value_of(visit, "shop_key") == VALUE
        secret_id = await vault.find(visit.rt, "shop_key")
        page = f"/settings/secrets/{secret_id}"
        for path in ("/settings", page):
            html = (await visit.get(path)).text
            assert "shop_key" in html and VALUE not in html and "v1." not in html
        assert (await visit.post(page, {"value": "another value"})).status_code == 303
        assert await value_of(visit, "shop_key") == "another value"
        assert (await visit.post(f"{page}/delete")).status_code == 303
        assert await value_of(visit, "shop_key") is None
        assert (await visit.get(page)).status_code == 404


async def test_what_is_wrong_is_named_at_its_field_and_the_value_does_not_come_back(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        answer = await visit.post("/settings/secrets", {"name": "Shop key", "value": VALUE})
        assert answer.status_code == 422 and 'id="name-error"' in answer.text and 'value="Shop key"' in answer.text
        assert VALUE not in answer.text
        answer = await visit.post("/settings/secrets", {"name": "shop_key", "value": "short"})
        assert answer.status_code == 422 and 'id="value-error"' in answer.text
        await visit.post("/settings/secrets", {"name": "shop_key", "value": VALUE})
        taken = await visit.post("/settings/secrets", {"name": "shop_key", "value": "another value"})
        assert taken.status_code == 422 and "This name is taken." in taken.text
        secret_id = await vault.find(visit.rt, "shop_key")
        answer = await visit.post(f"/settings/secrets/{secret_id}", {"value": ""})
        assert answer.status_code == 422 and await value_of(visit, "shop_key") == VALUE


async def test_S6_the_password_is_asked_again_before_a_secret_is_seen_or_changed(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        secret_id = await vault.add(visit.rt, "shop_key", VALUE, None)
        assert isinstance(visit.rt.clock, ManualClock)
        visit.rt.clock.at += sessions.CONFIRMED + 1
        page = f"/settings/secrets/{secret_id}"
        for path in ("/settings/secrets/new", page):
            asked = await visit.get(path)
            assert (asked.status_code, asked.headers["location"]) == (303, f"/confirm?next={path}")
        for path in ("/settings/secrets", page, f"{page}/delete"):
            assert (await visit.post(path, {"name": "b_key", "value": "another value"})).status_code == 303
        assert [secret.name for secret in await vault.list_all(visit.rt)] == ["shop_key"]
        assert await value_of(visit, "shop_key") == VALUE


@pytest.mark.parametrize("role", ["viewer", "agent"])
async def test_S13_only_who_administers_sees_or_changes_secrets(tmp_path: Path, role: str) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        secret_id = await vault.add(visit.rt, "shop_key", VALUE, None)
        await visit.become(role)
        assert "shop_key" not in (await visit.get("/settings")).text
        page = f"/settings/secrets/{secret_id}"
        for path in ("/settings/secrets/new", page):
            assert (await visit.get(path)).status_code == 403
        for path in ("/settings/secrets", page, f"{page}/delete"):
            assert (await visit.post(path, {"name": "b_key", "value": "another value"})).status_code == 403
        assert await value_of(visit, "shop_key") == VALUE


DOCUMENT = """bot: Luna
rules:
  - name: order
    when: {says: order}
    do:
      - call: {get: "https://shop.example/?key={{ secret.shop_key }}"}
        failed: [{say: It failed.}]
      - say: It went well.
"""
MISSING = "There is no secret “shop_key”, so this call will fail."


async def test_the_editor_and_publishing_tell_which_secrets_are_missing(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        bot_id = await bots.create(visit.rt, "Luna", DOCUMENT, None)
        pages = (f"/bots/{bot_id}", f"/bots/{bot_id}/publish")
        for path in pages:
            assert MISSING in (await visit.get(path)).text
        await vault.add(visit.rt, "shop_key", VALUE, None)
        for path in pages:
            assert MISSING not in (await visit.get(path)).text
