"""Contacts and people of the dashboard over the API."""

from typing import Any

import pytest

from app.db import Tx
from app.security import sessions
from tests.api.conftest import Program

pytestmark = pytest.mark.anyio
CONTACTS = "/api/v1/contacts"


async def made(api: Program, head: dict[str, str], phone: str, **body: Any) -> str:
    answer = await api.post(CONTACTS, json={"phone": phone, **body}, headers=head)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_contact_is_made_changed_and_found(api: Program) -> None:
    head = await api.key("read", "send")
    ana = await made(api, head, "+55 11 99999-0000", name="Ana Lima", tags=["vip"], fields={"city": "Recife"})
    place = f"{CONTACTS}/{ana}"
    changed = await api.patch(
        place, json={"tags": ["vip", "new"], "fields": {"age": 33, "city": None}, "opted_out": True}, headers=head
    )
    assert changed.json() == {
        "id": ana, "name": "Ana Lima", "phone": "5511999990000", "username": "", "language": "",
        "tags": ["vip", "new"], "fields": {"age": 33}, "opted_out_at": changed.json()["opted_out_at"],
        "created_at": changed.json()["created_at"],
    }  # fmt: skip
    assert changed.json()["opted_out_at"]
    for query in ("q=ana", "phone=%2B5511999990000"):
        found = (await api.get(f"{CONTACTS}?{query}", headers=head)).json()["items"]
        assert [each["id"] for each in found] == [ana], query
    aliases = (await api.get(f"{place}/aliases", headers=head)).json()["aliases"]
    assert [(each["kind"], each["value"]) for each in aliases] == [("phone", "5511999990000")]
    twice = await api.post(CONTACTS, json={"phone": "5511999990000"}, headers=head)
    assert twice.status_code == 409


async def test_contacts_page_by_key(api: Program) -> None:
    head = await api.key("read", "send")
    ids = [await made(api, head, f"55119999{n:05d}") for n in range(5)]
    first = (await api.get(f"{CONTACTS}?limit=3", headers=head)).json()
    rest = (await api.get(f"{CONTACTS}?limit=3&cursor={first['next_cursor']}", headers=head)).json()
    assert [each["id"] for each in first["items"] + rest["items"]] == ids[::-1] and rest["next_cursor"] is None


async def test_erasing_takes_an_admin_and_leaves_nothing(api: Program) -> None:
    head = await api.key("read", "send")
    sent = await api.post(
        "/api/v1/messages", json={"channel": "Shop", "to": "5511999990000", "text": "Hi"}, headers=head
    )
    place = f"{CONTACTS}/{sent.json()['contact_id']}"
    assert (await api.delete(place, headers=head)).status_code == 403
    assert (await api.delete(place, headers=await api.key("admin"))).json() == {"messages": 1}
    assert (await api.get(place, headers=head)).status_code == 404
    assert (await api.get(f"/api/v1/messages/{sent.json()['id']}", headers=head)).status_code == 404


async def test_contacts_are_found_by_tag_and_merged(api: Program) -> None:
    head = await api.key("read", "send")
    ids = [await made(api, head, f"55119999{n:05d}", tags=["vip", f"t{n}"]) for n in range(3)]
    first = (await api.get(f"{CONTACTS}?tag=vip&limit=2", headers=head)).json()
    rest = (await api.get(f"{CONTACTS}?tag=vip&limit=2&cursor={first['next_cursor']}", headers=head)).json()
    assert [each["id"] for each in first["items"] + rest["items"]] == ids[::-1]
    place, body = f"{CONTACTS}/{ids[0]}/merge", {"contact_id": ids[1]}
    assert (await api.post(place, json=body, headers=head)).status_code == 403
    admin = await api.key("admin")
    assert (await api.post(place, json=body, headers=admin)).json()["tags"] == ["vip", "t0", "t1"]
    assert (await api.get(f"{CONTACTS}/{ids[1]}", headers=head)).status_code == 404
    aliases = (await api.get(f"{CONTACTS}/{ids[0]}/aliases", headers=head)).json()["aliases"]
    assert [each["value"] for each in aliases] == ["5511999900000", "5511999900001"]
    assert (await api.post(place, json=body, headers=admin)).status_code == 404
    assert (await api.post(place, json={"contact_id": ids[0]}, headers=admin)).status_code == 422
    [merge] = (await api.get(f"{CONTACTS}/{ids[0]}/merges", headers=head)).json()["merges"]
    assert merge["contact_id"] == ids[1]
    apart = f"{CONTACTS}/{ids[0]}/unmerge"
    assert (await api.post(apart, json={"merge_id": ids[0]}, headers=admin)).status_code == 409
    assert (await api.post(apart, json={"merge_id": merge["id"]}, headers=head)).status_code == 403
    assert (await api.post(apart, json={"merge_id": merge["id"]}, headers=admin)).json() == {"id": ids[1]}
    assert (await api.get(f"{CONTACTS}/{ids[1]}", headers=head)).json()["tags"] == ["vip", "t1"]
    assert (await api.get(f"{CONTACTS}/{ids[0]}/merges", headers=head)).json() == {"merges": []}
    assert (await api.post(apart, json={"merge_id": merge["id"]}, headers=admin)).status_code == 404


async def test_contacts_go_out_and_come_in_as_csv(api: Program) -> None:
    head = await api.key("read", "send")
    await made(api, head, "+5511999990000", name="=Ana", tags=["vip"])
    assert (await api.get(f"{CONTACTS}/export", headers=head)).status_code == 403
    out = await api.get(f"{CONTACTS}/export?tag=vip", headers=await api.key("admin"))
    assert out.headers["content-type"].startswith("text/csv") and "5511999990000,'=Ana," in out.text
    body: dict[str, Any] = {"csv": "phone,name,pet\n+5511999990000,Ana,cat\n+5511999990001,Rui,\nx,Bad,\n"}
    looked = (await api.post(f"{CONTACTS}/import", json=body, headers=head)).json()
    assert (looked["rows"], looked["made"], looked["fields"]) == (2, 0, ["pet"])
    assert [(row["line"], row["phone"]) for row in looked["wrong"]] == [(4, "x")] and looked["wrong"][0]["why"]
    assert len((await api.get(CONTACTS, headers=head)).json()["items"]) == 1
    done = (await api.post(f"{CONTACTS}/import", json=body | {"apply": True}, headers=head)).json()
    assert (done["made"], done["changed"]) == (1, 1)
    assert {each["name"] for each in (await api.get(CONTACTS, headers=head)).json()["items"]} == {"Ana", "Rui"}
    reader = await api.key("read")
    assert (await api.post(f"{CONTACTS}/import", json=body, headers=reader)).status_code == 403


WRONG: list[dict[str, Any]] = [
    {"fields": {"bad name": 1}},
    {"fields": {"a": [1]}},
    {"tags": [""]},
    {"language": "english please"},
    {"phone": "1"},
    {"tags": [str(n) for n in range(101)]},
]


async def test_what_a_contact_cannot_hold_is_refused(api: Program) -> None:
    head = await api.key("read", "send")
    ana = await made(api, head, "+5511999990000")
    for body in WRONG:
        answer = await api.patch(f"{CONTACTS}/{ana}", json=body, headers=head)
        assert answer.status_code == 422, (body, answer.text)


async def test_people_are_changed_by_people(api: Program) -> None:
    nobody = await api.key("admin")
    body = {"email": "vera@luna.example", "name": "Vera", "role": "agent"}
    assert (await api.post("/api/v1/users", json=body, headers=nobody)).json()["error"]["code"] == "nobody"
    person = api.bearing((await api.log_in())["access_token"])
    made = await api.post("/api/v1/users", json=body, headers=person)
    assert made.status_code == 201 and made.json()["password"]
    place = f"/api/v1/users/{made.json()['id']}"
    assert (await api.patch(place, json={"role": "viewer"}, headers=person)).json()["role"] == "viewer"
    assert (await api.patch(place, json={"disabled": True}, headers=person)).json()["disabled_at"]
    assert (await api.patch(place, json={"disabled": False}, headers=person)).json()["disabled_at"] is None
    listed = (await api.get("/api/v1/users", headers=nobody)).json()["items"]
    assert [each["email"] for each in listed] == ["rosa@luna.example", "vera@luna.example"]
    assert "password_hash" not in repr(listed)


async def test_teams_are_added_filled_emptied_and_removed(api: Program) -> None:
    head = await api.key("admin")
    rosa = (await api.get("/api/v1/users", headers=head)).json()["items"][0]["id"]
    made = await api.post("/api/v1/teams", json={"name": "Cakes"}, headers=head)
    assert made.status_code == 201
    place = f"/api/v1/teams/{made.json()['id']}"
    assert (await api.post("/api/v1/teams", json={"name": "cakes"}, headers=head)).status_code == 409
    for _ in range(2):
        assert (await api.put(f"{place}/members/{rosa}", headers=head)).status_code == 204
    [team] = (await api.get("/api/v1/teams", headers=head)).json()["items"]
    assert (team["name"], [member["email"] for member in team["members"]]) == ("Cakes", ["rosa@luna.example"])
    assert (await api.put(f"{place}/members/7", headers=head)).status_code == 404
    assert (await api.delete(f"{place}/members/{rosa}", headers=head)).status_code == 204
    assert (await api.get("/api/v1/teams", headers=head)).json()["items"][0]["members"] == []
    assert [(await api.delete(place, headers=head)).status_code for _ in range(2)] == [204, 404]


async def test_people_are_invited_and_invitations_taken_back(api: Program) -> None:
    body = {"email": "vera@luna.example", "role": "agent"}
    nobody = await api.post("/api/v1/invitations", json=body, headers=await api.key("admin"))
    assert nobody.json()["error"]["code"] == "nobody"
    head = api.bearing((await api.log_in())["access_token"])
    made = await api.post("/api/v1/invitations", json=body, headers=head)
    assert made.status_code == 201
    place, _, token = made.json()["link"].partition("?token=")
    assert place == "http://127.0.0.1:8080/invitation" and len(token) == 43
    listed = (await api.get("/api/v1/invitations", headers=head)).json()["items"]
    assert [(each["email"], each["name"], each["role"]) for each in listed] == [("vera@luna.example", "vera", "agent")]
    assert token not in repr(listed)
    assert (await api.get(made.json()["link"])).status_code == 200
    assert (await api.delete(f"/api/v1/invitations/{listed[0]['id']}", headers=head)).status_code == 204
    assert (await api.get(made.json()["link"])).status_code == 404
    assert (await api.delete(f"/api/v1/invitations/{listed[0]['id']}", headers=head)).status_code == 404


async def test_who_is_limited_to_channels_is_told_and_changed(api: Program) -> None:
    person = api.bearing((await api.log_in())["access_token"])
    vera = (await api.post("/api/v1/users", json={"email": "v@luna.example", "role": "agent"}, headers=person)).json()[
        "id"
    ]
    team = (await api.post("/api/v1/teams", json={"name": "Cakes"}, headers=person)).json()["id"]
    [shop] = [one["id"] for one in (await api.get("/api/v1/channels", headers=person)).json()["items"]]
    changed = await api.patch(f"/api/v1/users/{vera}", json={"channels": ["Shop"]}, headers=person)
    assert changed.json()["channels"] == [shop]
    assert (await api.patch(f"/api/v1/users/{vera}", json={}, headers=person)).json()["channels"] == [shop]
    assert (await api.patch(f"/api/v1/users/{vera}", json={"channels": None}, headers=person)).json()[
        "channels"
    ] is None
    assert (await api.patch(f"/api/v1/teams/{team}", json={"channels": [shop]}, headers=person)).status_code == 204
    assert (await api.get("/api/v1/teams", headers=person)).json()["items"][0]["channels"] == [shop]
    asked = {"name": "CRM", "scopes": ["read"], "channels": ["shop"]}
    key = (await api.post("/api/v1/tokens", json=asked, headers=person)).json()["id"]
    assert (await api.get(f"/api/v1/tokens/{key}", headers=person)).json()["channels"] == [shop]
    wrong = await api.post("/api/v1/tokens", json=asked | {"scopes": ["read", "manage"]}, headers=person)
    assert wrong.status_code == 422
    assert (await api.patch(f"/api/v1/users/{vera}", json={"channels": ["None"]}, headers=person)).status_code == 404


async def test_sessions_are_listed_and_ended(api: Program) -> None:
    person = api.bearing((await api.log_in())["access_token"])
    [rosa] = (await api.get("/api/v1/users", headers=person)).json()["items"]
    await api.rt.db.write(begun, int(rosa["id"]))
    [session] = (await api.get("/api/v1/sessions", headers=person)).json()["items"]
    assert (session["email"], session["agent"], session["ip"]) == (rosa["email"], "Browser", "10.0.0.1")
    nobody = await api.key("admin")
    assert (await api.delete(f"/api/v1/sessions/{session['id']}", headers=nobody)).status_code == 409
    assert (await api.delete(f"/api/v1/sessions/{session['id']}", headers=person)).status_code == 204
    assert (await api.delete(f"/api/v1/sessions/{session['id']}", headers=person)).status_code == 404
    assert (await api.get("/api/v1/sessions", headers=person)).json()["items"] == []


def begun(tx: Tx, user_id: int) -> None:
    sessions.begin(tx, user_id, agent="Browser", ip="10.0.0.1")


async def test_a_conversation_is_assigned(api: Program) -> None:
    person = api.bearing((await api.log_in())["access_token"])
    sent = await api.post(
        "/api/v1/messages", json={"channel": "Shop", "to": "+5511999990000", "text": "Hi"}, headers=person
    )
    place = f"/api/v1/conversations/{sent.json()['conversation_id']}"
    [rosa] = [one["id"] for one in (await api.get("/api/v1/users", headers=person)).json()["items"]]
    team = (await api.post("/api/v1/teams", json={"name": "Cakes"}, headers=person)).json()["id"]
    mine = await api.post(f"{place}/assign", json={"user_id": rosa}, headers=person)
    assert (mine.json()["assigned_to"], mine.json()["team_id"]) == (rosa, None)
    theirs = await api.post(f"{place}/assign", json={"team_id": team}, headers=person)
    assert (theirs.json()["assigned_to"], theirs.json()["team_id"]) == (None, team)
    nobodys = await api.post(f"{place}/assign", json={}, headers=person)
    assert (nobodys.json()["assigned_to"], nobodys.json()["team_id"]) == (None, None)
    assert (
        await api.post(f"{place}/assign", json={"user_id": rosa, "team_id": team}, headers=person)
    ).status_code == 409
    assert (await api.post(f"{place}/assign", json={"team_id": "5"}, headers=person)).status_code == 404
    notes = (await api.get(f"{place}/messages", headers=person)).json()["items"]
    assert [one["content"]["what"] for one in notes if one["status"] == "remark"][-1] == "assigned"
