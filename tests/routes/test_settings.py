"""Settings: the business, its people, and what this installation is."""

import re
from pathlib import Path

import pytest

from app import users
from tests.browser.house import EMAIL
from tests.routes.visiting import Visit, visiting

pytestmark = pytest.mark.anyio
BUSINESS = {
    "business": "Luna Bakery",
    "language": "pt",
    "zone": "America/Sao_Paulo",
    "answer_hours": "6",
    "raw_days": "7",
    "media_days": "90",
}
PAULO = {"email": "paulo@luna.example", "name": "Paulo", "role": "agent"}


async def added(visit: Visit) -> tuple[int, str]:
    """(id, password) of a new person."""
    return await users.add(visit.rt, **PAULO)


async def test_what_is_saved_holds_from_the_next_message_on(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        assert (await visit.post("/settings", BUSINESS)).status_code == 303
        html = (await visit.get("/settings")).text
        assert "Luna Bakery" in html and 'value="6"' in html and 'lang="pt"' in html
        intake = visit.rt.channels.intake
        assert (intake.answer_age, intake.raw_age) == (6 * 3_600_000, 7 * 86_400_000)


@pytest.mark.parametrize(
    ("field", "value"),
    [("business", ""), ("business", "x" * 81), ("language", "tlh"), ("zone", "Mars/Base"), ("answer_hours", "0"),
     ("answer_hours", "-5"), ("raw_days", "366"), ("raw_days", "many"),
     ("media_days", "-1")],
)  # fmt: skip
async def test_what_is_wrong_is_named_at_its_field_and_nothing_is_saved(tmp_path: Path, field: str, value: str) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        answer = await visit.post("/settings", BUSINESS | {field: value})
        assert answer.status_code == 422 and f'id="{field}-error"' in answer.text
        assert await visit.one("select count(*) from setting where name = 'answer_hours'") == 0


async def test_an_address_that_is_taken_keeps_the_form_as_it_was(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        answer = await visit.post("/settings/invitations", PAULO | {"email": EMAIL.upper()})
        assert answer.status_code == 422 and "This address is taken." in answer.text and 'value="Paulo"' in answer.text


async def test_disabling_ends_every_session_and_enabling_lets_back_in(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        user_id, password = await added(visit)
        owner = visit.cookie, visit.csrf
        await visit.log_in(PAULO["email"], password)
        paulo = visit.cookie
        visit.cookie, visit.csrf = owner
        assert (await visit.post(f"/settings/people/{user_id}/disable")).status_code == 303
        visit.cookie = paulo
        assert (await visit.get("/inbox")).status_code in (303, 401)
        visit.cookie = owner[0]
        assert (await visit.post(f"/settings/people/{user_id}/enable")).status_code == 303
        await visit.log_in(PAULO["email"], password)


async def test_a_new_password_replaces_the_old_one(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        user_id, old = await added(visit)
        answer = await visit.post(f"/settings/people/{user_id}/password")
        told = re.search(r'<code id="told">([a-z0-9-]{20,})</code>', answer.text)
        assert told and told[1] != old
        await visit.log_in(PAULO["email"], told[1])


async def test_roles_change_and_nobody_lifts_anyone_above_their_own(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        user_id, _password = await added(visit)
        await visit.post(f"/settings/people/{user_id}/role", {"role": "viewer"})
        assert (await users.find(visit.rt, PAULO["email"])).role == "viewer"
        owner = await users.find(visit.rt, EMAIL)
        await visit.become("admin")
        assert (await visit.post(f"/settings/people/{user_id}/role", {"role": "owner"})).status_code == 403
        for act in ("disable", "password", "role"):
            assert (await visit.post(f"/settings/people/{owner.id}/{act}", {"role": "viewer"})).status_code == 403, act
        assert (await users.find(visit.rt, EMAIL)).role == "owner"


async def test_who_may_not_administer_sees_only_what_runs_here(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        user_id, _password = await added(visit)
        await visit.become("agent")
        html = (await visit.get("/settings")).text
        assert "SQLite" in html and PAULO["email"] not in html
        for path in ("/settings", "/settings/invitations", f"/settings/people/{user_id}/disable"):
            assert (await visit.post(path, BUSINESS | PAULO)).status_code == 403, path


async def test_files_that_answer_are_shown_with_what_went_wrong_in_them(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        folder = visit.rt.handlers.folder
        folder.mkdir()
        (folder / "prices.py").write_text("x = 1\nimport nothing_of_that_name\n")
        await visit.rt.handlers.look()
        page = (await visit.get("/settings/handlers")).text
        assert "prices.py" in page and "line 2" in page and "nothing_of_that_name" in page
        assert f'href="{visit.app.url_path_for("inbox")}"' in page, "the way on is there, too"
