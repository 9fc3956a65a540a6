"""The contacts page: found and filtered, looked at, changed, merged, erased, and carried in and out as CSV."""

import asyncio
import csv
import io
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import imports, jobs, people, sheets
from app.errors import Invalid
from tests.routes.visiting import AHMED, ANA, LONG, PRIYA, Visit, visiting

pytestmark = pytest.mark.anyio
BY_PHONE = "select id from contact where phone = :phone"


async def contact(visit: Visit, phone: str) -> int:
    return int(await visit.one(BY_PHONE, phone=phone))


async def html(visit: Visit, path: str, status: int = 200) -> str:
    answer = await visit.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


async def upload(visit: Visit, text: str | bytes) -> httpx.Response:
    """The file, looked at."""
    data = text.encode() if isinstance(text, str) else text
    files = {"file": ("people.csv", data, "text/csv")}
    return await visit.client.post("/contacts/import", data={"csrf": visit.csrf}, files=files, headers=visit.headers())


async def made(visit: Visit, phone: str, **change: Any) -> int:
    return await visit.rt.db.write(people.create, phone, people.Change(**change))


async def test_everything_of_a_contact_is_there_on_both_databases(tmp_path: Path, database_url: str) -> None:
    url = database_url if database_url.startswith("postgresql:") else ""
    async with visiting(tmp_path, database_url=url) as visit:
        ana = await contact(visit, ANA)
        await visit.rt.db.write(
            people.change, ana, people.Change(tags=("vip", "nut allergy"), fields={"city": "Recife"})
        )
        listed = await html(visit, "/contacts")
        assert "Show older" not in listed and f'id="contact-row-{ana}"' in listed and "nut allergy" in listed
        for query, who in (
            {"?q=ana": ANA, "?q=551198": ANA, "?q=أحمد": AHMED, "?tag=vip": ANA, "?q=an&tag=vip": ANA}
        ).items():
            found = await html(visit, f"/contacts{query}")
            assert f'id="contact-row-{await contact(visit, who)}"' in found, query
            assert f'id="contact-row-{await contact(visit, PRIYA)}"' not in found, query
        assert "Nobody found" in await html(visit, "/contacts?q=nobody+at+all")
        shown = await html(visit, f"/contacts/{ana}")
        for text in (
            "Ana",
            "Recife",
            "vip, nut allergy",
            "WhatsApp number",
            f"inbox-row-{await visit.chat(ANA)}",
            "Customer",
        ):
            assert text in shown, text
        assert (await visit.get("/contacts/export?tag=vip")).text.count("\n") == 2


async def test_a_contact_is_changed_and_what_does_not_fit_is_said(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        ana = await contact(visit, ANA)
        page = f"/contacts/{ana}"
        await visit.rt.db.write(people.change, ana, people.Change(fields={"city": "Recife", "age": 33, "list": [1, 2]}))
        data = {
            "name": " Ana  Lima ", "language": "pt-BR", "tags": "vip, ,vip,new", "field.city": "", "field.age": "34",
            "field.list": "[1,2]", "new_name": "pet", "new_value": "cat 🐈",
        }  # fmt: skip
        assert (await visit.post(page, data)).status_code == 303
        row = await visit.rt.db.write(people.get, ana)
        assert (row.name, row.language, row.tags) == ("Ana Lima", "pt-BR", '["vip","new"]')
        assert people.decoded(row.fields) == {"age": 34, "list": [1, 2], "pet": "cat 🐈"}
        assert await visit.one("select count(*) from contact_tag where contact_id = :id", id=ana) == 2
        wrong = await visit.post(
            page, data | {"language": "english please", "new_name": "two words", "tags": "x" * 101}
        )
        assert wrong.status_code == 422 and wrong.text.count('class="error"') == 3 and "english please" in wrong.text
        assert (await visit.rt.db.write(people.get, ana)) == row
        await visit.post(f"{page}/consent", {"out": "1"})
        assert "Opted out" in await html(visit, page) and "Opt in again" in await html(visit, page)
        await visit.post(f"{page}/consent", {"out": ""})
        assert "Opt in again" not in await html(visit, page)


async def test_a_new_contact_has_a_number_that_nobody_has(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        assert "No contacts yet" in await html(visit, "/contacts")
        await html(visit, "/contacts/new")
        answer = await visit.post(
            "/contacts", {"phone": "+55 11 90000-0001", "name": "Zé", "tags": "a,b", "language": ""}
        )
        assert answer.status_code == 303
        assert "Zé" in await html(visit, answer.headers["location"])
        for phone in ("+5511900000001", "12", ""):
            again = await visit.post("/contacts", {"phone": phone, "name": "Kept"})
            assert again.status_code == 422 and 'id="phone-error"' in again.text and "Kept" in again.text


async def test_the_list_pages_by_key(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        ids = [await made(visit, f"5511{n:08d}", tags=("all",)) for n in range(55)]
        for query in ("?", "?tag=all"):
            first = await html(visit, f"/contacts{query}")
            assert first.count('id="contact-row-') == 50 and "55, newest first" in first
            assert f"before={ids[5]}" in first
            rest = await html(visit, f"/contacts{query}&before={ids[5]}")
            assert rest.count('id="contact-row-') == 5 and "Back to the newest" in rest and "Show older" not in rest


async def test_two_contacts_become_one(tmp_path: Path, database_url: str) -> None:
    url = database_url if database_url.startswith("postgresql:") else ""
    async with visiting(tmp_path, database_url=url) as visit:
        ana, long = await contact(visit, ANA), await contact(visit, LONG)
        messages = await visit.one("select count(*) from message")
        await visit.rt.db.write(people.change, ana, people.Change(tags=("a",), fields={"x": 1}))
        await visit.rt.db.write(
            people.change, long, people.Change(tags=("b", "a"), fields={"x": 2, "y": 3}, language="es", opted_out=True)
        )
        asked = await html(visit, f"/contacts/{ana}/merge?other={long}")
        assert "Goes into the other" in asked and "can be undone" in asked
        assert f"other={long}" in await html(visit, f"/contacts/{ana}/merge?q={LONG}")
        done = await visit.post(f"/contacts/{ana}/merge", {"other": str(long)})
        assert done.status_code == 303 and done.headers["location"].endswith(f"/contacts/{ana}")
        assert await visit.one("select detail from audit where action = 'contact.merged'") == str(long)
        row = await visit.rt.db.write(people.get, ana)
        assert people.decoded(row.tags) == ["a", "b"] and people.decoded(row.fields) == {"x": 1, "y": 3}
        assert row.language == "es" and row.opted_out_at and row.name.startswith("Ana")
        assert LONG in await html(visit, f"/contacts/{ana}")
        assert await visit.one("select count(*) from message") == messages
        assert await visit.one("select count(*) from conversation where contact_id = :id", id=long) == 0
        await html(visit, f"/contacts/{long}", 404)
        assert f"contact-row-{long}" not in await html(visit, "/contacts?tag=b")
        assert f"contact-row-{ana}" in await html(visit, "/contacts?tag=b")
        for other in (str(ana), str(long), "1", ""):
            assert (await visit.post(f"/contacts/{ana}/merge", {"other": other})).status_code in (404, 422)


async def test_a_merge_is_undone_after_a_question(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        ana, long = await contact(visit, ANA), await contact(visit, LONG)
        await visit.post(f"/contacts/{ana}/merge", {"other": str(long)})
        shown = await html(visit, f"/contacts/{ana}")
        assert "Merged" in shown and f"/contacts/{ana}/unmerge" in shown
        asked = await html(visit, f"/contacts/{ana}/unmerge")
        merge = await visit.one("select id from contact_merge")
        assert "They become two contacts again" in asked and f'value="{merge}"' in asked
        assert (await visit.post(f"/contacts/{ana}/unmerge", {"merge": "1"})).status_code == 409
        done = await visit.post(f"/contacts/{ana}/unmerge", {"merge": str(merge)})
        assert done.status_code == 303 and done.headers["location"].endswith(f"/contacts/{long}")
        assert LONG in await html(visit, f"/contacts/{long}")
        assert "Merged" not in await html(visit, f"/contacts/{ana}")
        await html(visit, f"/contacts/{ana}/unmerge", 404)


async def test_S13_a_viewer_reads_an_agent_edits_an_admin_erases(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        ana, other = await contact(visit, ANA), await contact(visit, LONG)
        page = f"/contacts/{ana}"
        edits = ["/contacts", "/contacts/import", page, f"{page}/consent"]
        ends = [f"{page}/merge", f"{page}/unmerge", f"{page}/erase"]
        for role, allowed, refused in (("viewer", [], edits + ends), ("agent", edits, ends)):
            await visit.become(role)
            assert "Known as" in await html(visit, page) and "Erase…" not in await html(visit, page)
            for path in refused:
                assert (await visit.post(path, {"other": str(other)})).status_code == 403, (role, path)
            for path in allowed:
                assert (await visit.post(path, {"tags": ""})).status_code in (303, 422), (role, path)
            assert ("Save" in await html(visit, page)) is (role == "agent")
        await visit.become("admin")
        assert "It cannot be taken back" in await html(visit, f"{page}/erase")


async def test_erasing_asks_for_the_password_again_and_leaves_nothing(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        ana = await contact(visit, ANA)
        await visit.rt.db.write(people.change, ana, people.Change(tags=("vip",)))
        clock: Any = visit.rt.clock
        clock.at += 11 * 60_000
        assert (await visit.get(f"/contacts/{ana}/erase")).headers["location"] == f"/confirm?next=/contacts/{ana}/erase"
        for answer in (await visit.get(f"/contacts/{ana}/erase"), await visit.post(f"/contacts/{ana}/erase")):
            assert answer.status_code == 303 and answer.headers["location"].startswith("/confirm?next=/")
        assert await visit.one(BY_PHONE, phone=ANA) == ana
        await visit.log_in()
        gone = await visit.post(f"/contacts/{ana}/erase")
        assert gone.status_code == 303 and gone.headers["location"] == "/contacts"
        assert await visit.one(BY_PHONE, phone=ANA) is None
        assert await visit.one("select count(*) from contact_tag where contact_id = :id", id=ana) == 0
        await html(visit, f"/contacts/{ana}", 404)


async def test_those_who_are_ticked_are_changed_together(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        ana, long = await contact(visit, ANA), await contact(visit, LONG)
        assert f'name="id" value="{ana}"' in await html(visit, "/contacts")

        async def ticked(what: str, value: str, *ids: int) -> httpx.Response:
            data = {"csrf": visit.csrf, "what": what, "value": value, "list": "?tag=vip&x=1", "id": list(map(str, ids))}
            return await visit.client.post("/contacts/ticked", data=data, headers=visit.headers())

        done = await ticked("tag", "vip, 2026", ana, long)
        assert done.status_code == 303 and done.headers["location"] == "/contacts?tag=vip"
        await ticked("untag", "vip", long)
        await ticked("field", "city = Recife", ana)
        await ticked("out", "", long)
        first, second = await visit.rt.db.write(people.get, ana), await visit.rt.db.write(people.get, long)
        assert people.decoded(first.tags) == ["vip", "2026"] and people.decoded(second.tags) == ["2026"]
        assert people.decoded(first.fields)["city"] == "Recife" and second.opted_out_at and not first.opted_out_at
        for what, value, ids in (("tag", "x", ()), ("tag", "", (ana,)), ("erase", "x", (ana,)), ("field", "=", (ana,))):
            assert (await ticked(what, value, *ids)).status_code == 422, what
        await visit.become("viewer")
        assert (await ticked("tag", "x", ana)).status_code == 403
        assert 'id="many"' not in await html(visit, "/contacts")


async def test_what_is_exported_can_be_read_by_a_spreadsheet_and_comes_back(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        for n in range(sheets.PAGE + 3):
            await made(visit, f"5511{n:08d}", name=f"Person {n}")
        await made(visit, "447700900001", name='=HYPERLINK("http://evil.example")', tags=("+1", "a"), opted_out=True)
        answer = await visit.get("/contacts/export")
        assert answer.headers["content-type"].startswith("text/csv") and "contacts.csv" in str(answer.headers)
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert len({row["id"] for row in rows}) == len(rows) == sheets.PAGE + 4
        assert rows[0]["name"] == '\'=HYPERLINK("http://evil.example")' and rows[0]["tags"] == "'+1, a"
        assert rows[0]["opted_out"] == "yes" and rows[1]["phone"] == f"5511{sheets.PAGE + 2:08d}"
        back = sheets.read(answer.text)
        assert not back.wrong and back.rows[0].change.name == '=HYPERLINK("http://evil.example")'
        assert back.rows[0].change.tags == ("+1", "a") and back.rows[0].change.opted_out


async def test_a_file_is_looked_at_and_then_brought_in(tmp_path: Path, database_url: str) -> None:
    url = database_url if database_url.startswith("postgresql:") else ""
    async with visiting(tmp_path, database_url=url) as visit:
        ana = await contact(visit, ANA)
        await visit.rt.db.write(people.change, ana, people.Change(tags=("vip",)))
        before = await visit.one("select count(*) from contact")
        text = (
            "\ufeffPhone;Name;Tags;City;Opted out\r\n"
            f"+{ANA};;new, vip;Recife;\r\n"
            '+44 7700 900123;Åsa ‏أحمد 💐;"a\nb";;yes\r\n'
            "12;Too short;;;\r\n\r\n"
        )
        looked = await upload(visit, text)
        assert looked.status_code == 303
        place = looked.headers["location"]
        shown = await html(visit, place)
        assert "2 rows fit" in shown and "1 row does not fit" in shown and "Line 5" in shown and "City" in shown
        assert await visit.one("select count(*) from contact") == before
        columns = {"column.0": "phone", "column.1": "name", "column.2": "tags", "column.3": "field"}
        twice = await visit.post(place, columns | {"column.4": "name"})
        assert twice.status_code == 422 and "Two columns cannot both be" in twice.text
        assert (await visit.post(place, columns | {"column.4": "opted_out"})).status_code == 303
        await worked_off(visit)
        row = await visit.rt.db.write(people.get, ana)
        assert people.decoded(row.tags) == ["vip", "new"] and people.decoded(row.fields)["City"] == "Recife"
        assert row.name.startswith("Ana") and await visit.one("select count(*) from contact") == before + 1
        new = await visit.rt.db.write(people.get, await contact(visit, "447700900123"))
        assert new.opted_out_at and people.decoded(new.tags) == ["a", "b"]
        shown = await html(visit, place)
        assert "1 made, 1 completed, 1 row did not fit" in shown and "All rows are in" in shown
        wrong = list(csv.reader(io.StringIO((await visit.get(f"{place}/wrong")).text)))
        assert wrong[0][:3] == ["line", "why", "Phone"] and wrong[1][0] == "5" and wrong[1][2:4] == ["12", "Too short"]
        assert not list(visit.rt.settings.data.glob("imports/*[0-9].csv"))
        assert (await visit.post(f"{place}/delete")).status_code == 303
        await html(visit, place, 404)
        assert not list(visit.rt.settings.data.glob("imports/*"))


async def worked_off(visit: Visit) -> None:
    """What the worker would do, now and here."""
    for job, *_ in [await visit.rt.db.write(jobs.claim, "net", 8, jobs.LEASE)]:
        for each in job:
            await visit.rt.db.write(jobs.done, each, await imports.work(visit.rt, each))
    async with asyncio.timeout(10):  # the worker may have been quicker
        while await visit.one("select count(*) from job where kind = :kind", kind=imports.KIND):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "must name the columns"),
        (b"phone\n\xff\xfe\n", "not UTF-8"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        answer = await upload(visit, data)
        assert answer.status_code == 422 and said in answer.text
        assert (
            await visit.client.post("/contacts/import", data={"csrf": visit.csrf}, headers=visit.headers())
        ).status_code == 422


async def test_a_row_that_does_not_fit_what_is_there_does_not_stop_the_others(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        await made(visit, "5511900000000", tags=tuple(f"t{n}" for n in range(people.noted.MOST_TAGS)))
        sheet = sheets.read("phone,tags\n5511900000000,more\n5511900000001,one\n")
        stored, wrong = await sheets.bring_in(visit.rt.db, sheet)
        assert stored == sheets.Stored(1, 0) and [row.number for row in wrong] == [2]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx"])
def test_a_formula_is_guarded_and_unguarded(text: str) -> None:
    assert sheets.guarded(text) == f"'{text}" and sheets.plain(f"'{text}") == text
    assert sheets.guarded("'tis") == "'tis" == sheets.plain("'tis")


def test_what_does_not_fit_is_named_by_field() -> None:
    with pytest.raises(Invalid) as caught:
        people.checked(people.Change("n" * 201, "x y", ("t" * 101,), {"a b": 1}))
    assert set(caught.value.fields) == {"name", "language", "tags", "fields"}


@pytest.mark.parametrize(
    ("named", "is_"),
    [("Telefon", "phone"), (" Teléfono ", "phone"), ("Phone number", "phone"), ("هاتف", "phone"), ("NOME", "name"),
     ("Sprache", "language"), ("Étiquettes", "tags"), ("Stadt", "Stadt")],
)  # fmt: skip
def test_a_column_is_known_by_what_address_books_call_it(named: str, is_: str) -> None:
    assert sheets.column(named) == is_
