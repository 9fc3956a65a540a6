"""Secrets that bots name: sealed where they lie, opened by name, refused when they are not what they should be."""

import pytest

from app import doctor, vault
from app.errors import Conflict, Invalid, NotFound
from app.runtime import Runtime
from tests.shop import change, rows

pytestmark = pytest.mark.anyio
VALUE = "canary-of-the-shop"


async def test_S29_a_secret_is_sealed_for_its_row_and_opens_by_name(rt: Runtime) -> None:
    first = await vault.add(rt, "shop_key", VALUE, None)
    await vault.add(rt, "other_key", "another value", None)
    stored = await rows(rt, "select name, sealed from secret order by name")
    assert all(sealed.startswith("v1.") and VALUE not in sealed for _, sealed in stored)
    assert await vault.opened(rt.db.reader, rt.keys, "shop_key") == VALUE
    assert await vault.opened(rt.db.reader, rt.keys, "nobody") is None
    await vault.replace(rt, first, "a newer value", None)
    assert await vault.opened(rt.db.reader, rt.keys, "shop_key") == "a newer value"


async def test_S29_a_sealed_value_that_was_moved_to_another_row_does_not_open(rt: Runtime) -> None:
    await vault.add(rt, "shop_key", VALUE, None)
    await vault.add(rt, "public_key", "another value", None)
    moved = "update secret set sealed = (select s.sealed from secret s where s.name = 'shop_key') where name = :name"
    await change(rt, moved, name="public_key")
    assert await vault.opened(rt.db.reader, rt.keys, "public_key") is None


WRONG = [
    ("", VALUE, "name"), ("Shop", VALUE, "name"), ("1key", VALUE, "name"), ("a b", VALUE, "name"),
    ("a" * 41, VALUE, "name"), ("key\n", VALUE, "name"), ("key", "", "value"), ("key", "1234567", "value"),
    ("key", "x" * 4001, "value"), ("key", "two\nlines of it", "value"), ("key", "with\0a marker", "value"),
]  # fmt: skip


async def test_what_is_no_name_or_no_secret_is_refused_at_its_field(rt: Runtime) -> None:
    for name, value, field in WRONG:
        with pytest.raises(Invalid) as refused:
            await vault.add(rt, name, value, None)
        assert list(refused.value.fields) == [field], (name, value)
        assert value not in str(refused.value) or len(value) < 8
        assert await vault.list_all(rt) == []


async def test_a_name_is_given_once_and_a_deleted_secret_is_gone(rt: Runtime) -> None:
    secret_id = await vault.add(rt, "shop_key", VALUE, None)
    with pytest.raises(Conflict):
        await vault.add(rt, "shop_key", "another value", None)
    assert await vault.put(rt, "shop_key", "another value") is False
    assert await vault.put(rt, "second_key", "another value") is True
    await vault.remove(rt, secret_id)
    assert [secret.name for secret in await vault.list_all(rt)] == ["second_key"]
    for act in (vault.remove(rt, secret_id), vault.replace(rt, secret_id, VALUE, None), vault.find(rt, "shop_key")):
        with pytest.raises(NotFound):
            await act


async def test_the_doctor_names_secrets_that_do_not_open(rt: Runtime) -> None:
    async def told() -> list[tuple[bool, str]]:
        return [(found["ok"], str(found["text"])) for found in await doctor.examine(rt) if found["name"] == "secrets"]

    assert await told() == []
    await vault.add(rt, "shop_key", VALUE, None)
    await vault.add(rt, "bank_key", VALUE, None)
    assert await told() == [(True, "All 2 open.")]
    await change(rt, "update secret set sealed = 'v1.x' where name = 'bank_key'")
    assert await told() == [(False, "These do not open and have to be set again: bank_key.")]


async def test_there_is_an_end_to_how_many_are_kept(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "MOST", 2)
    await vault.add(rt, "a_key", VALUE, None)
    await vault.add(rt, "b_key", VALUE, None)
    with pytest.raises(Conflict):
        await vault.add(rt, "c_key", VALUE, None)
