"""Invitations, everybody's sessions and teams, as admins have them."""

import re

import pytest

from app import invitations, teams, users
from app.db import Query
from tests.clock import ManualClock
from tests.shell import Browser, House

PAULO = {"email": "paulo@luna.example", "name": "Paulo", "role": "agent"}
NEW = "copper lantern drifts north"


async def invited(browser: Browser, **changes: str) -> str:
    """The token of a new invitation, out of the link that is shown."""
    answer = await browser.submit("/settings/invitations", PAULO | changes)
    found = re.search(r'id="told">http://127\.0\.0\.1:8080/invitation\?token=([\w-]{43})<', answer.text)
    assert found, answer.text
    return found[1]


async def accept(house: House, token: str, **fields: str) -> tuple[Browser, int]:
    browser = house.browser()
    answer = await browser.post("/invitation", data={"token": token, "name": "Paulo", "password": NEW, **fields})
    return browser, answer.status_code


# ---- invitations ----------------------------------------------------------------------------------------------------


async def test_S1_who_follows_the_link_chooses_a_password_and_is_in(house: House) -> None:
    await house.add_user()
    rosa = await house.logged_in()
    token = await invited(rosa)
    page = (await house.browser().get(f"/invitation?token={token}")).text
    assert "Rosa Martins invited you." in page and 'value="Paulo"' in page and "paulo@luna.example" in page
    browser, status = await accept(house, token, name="Paulo Lima")
    assert status == 303 and (await browser.get("/inbox")).status_code == 200
    made = await users.find(house.rt, PAULO["email"])
    assert (made.name, made.role) == ("Paulo Lima", "agent")
    assert (await house.browser().log_in(PAULO["email"], NEW)).status_code == 303


async def test_S1_a_link_works_once_for_three_days_and_only_its_hash_is_kept(house: House, clock: ManualClock) -> None:
    await house.add_user()
    rosa = await house.logged_in()
    token = await invited(rosa)
    rows = await house.db.reader.all(Query("select * from invitation", lambda *row: row))
    assert rows and token not in repr(rows) and token not in (await rosa.get("/settings")).text
    assert (await accept(house, token))[1] == 303
    assert (await accept(house, token))[1] == 404
    assert (await house.browser().get(f"/invitation?token={token}")).status_code == 404
    late = await invited(rosa, email="late@luna.example")
    clock.advance(72 * 3600 + 1)
    assert (await accept(house, late))[1] == 404
    for wrong in ("", "x" * 43, "ü", "0"):
        assert (await house.browser().get("/invitation", params={"token": wrong})).status_code == 404


async def test_S1_a_second_invitation_ends_the_first_and_one_taken_back_is_over(house: House) -> None:
    await house.add_user()
    rosa = await house.logged_in()
    first, second = await invited(rosa), await invited(rosa, email="PAULO@luna.example")
    assert (await accept(house, first))[1] == 404
    [found] = await invitations.list_open(house.rt)
    assert "Take back" in (await rosa.get("/settings")).text
    assert (await rosa.submit(f"/settings/invitations/{found.id}/revoke")).status_code == 303
    assert (await accept(house, second))[1] == 404
    assert (await rosa.submit(f"/settings/invitations/{found.id}/revoke")).status_code == 404


async def test_S4_a_weak_password_leaves_the_link_as_it_was(house: House) -> None:
    await house.add_user()
    token = await invited(await house.logged_in())
    for weak in ("short", "paulopaulopaulo", "1234567890123456"):
        browser, status = await accept(house, token, password=weak)
        assert status == 422 and (await browser.get("/inbox")).status_code == 303, weak
    assert (await accept(house, token))[1] == 303


async def test_S13_nobody_invites_or_takes_back_above_their_own_role(house: House) -> None:
    await house.add_user()
    await house.add_user("bia@luna.example", "admin")
    await house.add_user("kim@luna.example", "agent")
    rosa, bia, kim = [await house.logged_in(f"{name}@luna.example") for name in ("rosa", "bia", "kim")]
    assert (await bia.submit("/settings/invitations", PAULO | {"role": "owner"})).status_code == 422
    assert (await kim.submit("/settings/invitations", PAULO)).status_code == 403
    await invited(rosa, role="owner")
    [found] = await invitations.list_open(house.rt)
    assert (await bia.submit(f"/settings/invitations/{found.id}/revoke")).status_code == 403
    assert f"/settings/invitations/{found.id}/revoke" not in (await bia.get("/settings")).text


async def test_S13_what_an_inviter_may_not_give_any_more_is_not_given(house: House) -> None:
    await house.add_user()
    admin = await house.add_user("bia@luna.example", "admin")
    owner = await users.find(house.rt, "rosa@luna.example")
    token = await invited(await house.logged_in("bia@luna.example"), role="admin")
    await users.change_role(house.rt, admin, "agent", by=owner)
    assert (await accept(house, token))[1] == 404
    await users.change_role(house.rt, admin, "admin", by=owner)
    await users.disable(house.rt, admin)
    assert (await accept(house, token))[1] == 404


async def test_an_address_with_an_account_is_not_invited(house: House) -> None:
    await house.add_user()
    rosa = await house.logged_in()
    token = await invited(rosa)
    await house.add_user("paulo@luna.example", "viewer")
    answer = await rosa.submit("/settings/invitations", PAULO)
    assert answer.status_code == 422 and "This address is taken." in answer.text and 'value="Paulo"' in answer.text
    assert (await accept(house, token))[1] == 409
    assert (await users.find(house.rt, PAULO["email"])).role == "viewer"


# ---- sessions -------------------------------------------------------------------------------------------------------


def sessions_of(page: str, name: str) -> list[str]:
    return [
        found.group(1)
        for row in re.findall(r"<li.*?</li>", page, re.DOTALL)
        if name in row and (found := re.search(r'name="session" value="(\w+)"', row))
    ]


async def test_S6_an_admin_sees_and_ends_the_sessions_of_others(house: House) -> None:
    await house.add_user()
    await house.add_user("paulo@luna.example", "agent")
    rosa, paulo = await house.logged_in(), await house.logged_in("paulo@luna.example", **{"user-agent": "a till"})
    page = (await rosa.get("/settings/sessions")).text
    assert "a till" in page and "This one" in page
    [session] = sessions_of(page, "paulo@luna.example")
    assert (await rosa.submit("/settings/sessions/end", {"session": session})).status_code == 303
    assert (await paulo.get("/account")).status_code == 303
    assert (await rosa.submit("/settings/sessions/end", {"session": session})).status_code == 404


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("agent", 403), ("viewer", 403)])
async def test_S13_sessions_of_everybody_are_for_admins_and_an_owners_for_owners(
    house: House, role: str, status: int
) -> None:
    await house.add_user()
    await house.add_user("bia@luna.example", role)
    rosa, bia = await house.logged_in(), await house.logged_in("bia@luna.example")
    page = await bia.get("/settings/sessions")
    assert page.status_code == status and sessions_of(page.text, "rosa@luna.example") == []
    [session] = await house.db.reader.all(
        Query("select id_hash from login l join app_user u on u.id = l.user_id where u.role = 'owner'", str)
    )
    assert (await bia.submit("/settings/sessions/end", {"session": session})).status_code == 403
    assert (await rosa.get("/account")).status_code == 200


# ---- teams ----------------------------------------------------------------------------------------------------------


async def test_a_team_is_added_filled_emptied_and_removed(house: House) -> None:
    await house.add_user()
    paulo_id = await house.add_user("paulo@luna.example", "agent")
    rosa = await house.logged_in()
    assert "No teams yet" in (await rosa.get("/settings/teams")).text
    assert (await rosa.submit("/settings/teams", {"team": "  Cakes  & <Pies> "})).status_code == 303
    [team] = await teams.list_all(house.rt)
    page = (await rosa.get("/settings/teams")).text
    assert "Cakes &amp; &lt;Pies&gt;" in page and "Nobody is in it yet." in page
    for _ in range(2):
        assert (await rosa.submit(f"/settings/teams/{team.id}/join", {"person": str(paulo_id)})).status_code == 303
    [team] = await teams.list_all(house.rt)
    assert [member.email for member in team.members] == ["paulo@luna.example"]
    assert (await rosa.submit(f"/settings/teams/{team.id}/leave", {"person": str(paulo_id)})).status_code == 303
    [team] = await teams.list_all(house.rt)
    assert team.members == []
    assert (await rosa.submit(f"/settings/teams/{team.id}/remove")).status_code == 303
    assert await teams.list_all(house.rt) == []


async def test_what_no_team_can_be_is_refused_at_its_field(house: House) -> None:
    await house.add_user()
    rosa = await house.logged_in()
    await rosa.submit("/settings/teams", {"team": "Cakes"})
    for name in ("", "  ", "a@b", "x" * 61, "cAKES"):
        answer = await rosa.submit("/settings/teams", {"team": name})
        assert answer.status_code == 422 and 'id="team-error"' in answer.text, name
    [team] = await teams.list_all(house.rt)
    for path, person in ((f"{team.id}/join", "99"), (f"{team.id}/join", ""), ("99/join", "1"), ("99/remove", "")):
        assert (await rosa.submit(f"/settings/teams/{path}", {"person": person})).status_code == 404, path


async def test_S13_teams_are_for_admins(house: House) -> None:
    await house.add_user()
    await house.add_user("kim@luna.example", "agent")
    kim = await house.logged_in("kim@luna.example")
    assert (await kim.get("/settings/teams")).status_code == 403
    for path in ("", "/1/join", "/1/leave", "/1/remove"):
        assert (await kim.submit(f"/settings/teams{path}", {"team": "Cakes", "person": "1"})).status_code == 403, path


# ---- the audit log --------------------------------------------------------------------------------------------------


async def test_S35_each_of_these_leaves_its_line(house: House) -> None:
    await house.add_user()
    paulo_id = await house.add_user("kim@luna.example", "agent")
    rosa = await house.logged_in()
    token = await invited(rosa)
    await accept(house, token)
    await invited(rosa, email="bia@luna.example")
    [found] = await invitations.list_open(house.rt)
    await rosa.submit(f"/settings/invitations/{found.id}/revoke")
    await rosa.submit("/settings/teams", {"team": "Cakes"})
    [team] = await teams.list_all(house.rt)
    for act in ("join", "join", "leave", "leave", "remove"):
        await rosa.submit(f"/settings/teams/{team.id}/{act}", {"person": str(paulo_id)})
    await house.logged_in("kim@luna.example")
    [session] = sessions_of((await rosa.get("/settings/sessions")).text, "kim@luna.example")
    await rosa.submit("/settings/sessions/end", {"session": session})
    rows = await house.db.reader.all(Query("select action, actor, subject, detail from audit order by seq", tuple_of))
    assert [row for row in rows if row[0] not in ("login",)][2:] == [
        ("invitation.created", "rosa@luna.example", "paulo@luna.example", "agent"),
        ("user.added", "paulo@luna.example", "paulo@luna.example", "agent"),
        ("invitation.created", "rosa@luna.example", "bia@luna.example", "agent"),
        ("invitation.revoked", "rosa@luna.example", "bia@luna.example", ""),
        ("team.added", "rosa@luna.example", "Cakes", ""),
        ("team.joined", "rosa@luna.example", "Cakes", "kim@luna.example"),
        ("team.left", "rosa@luna.example", "Cakes", "kim@luna.example"),
        ("team.removed", "rosa@luna.example", "Cakes", ""),
        ("session.ended", "rosa@luna.example", "kim@luna.example", ""),
    ]
    assert token not in repr(rows)


def tuple_of(*row: str) -> tuple[str, ...]:
    return row
