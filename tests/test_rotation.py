"""Another encryption key (S31): everything is sealed again, nobody is logged out, a stop in between is finished."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app import connecting, rotation, runtime, second_factor, vault, webhooks
from app.db import Query, Statement
from app.errors import Misconfigured, Unauthenticated
from app.runtime import Runtime
from app.security import keyfile
from app.security.access import Signer
from app.security.flash import Flash
from app.security.secrets import Keyring, kid_of
from app.settings import load
from app.store import sealed
from tests.browser.filled import ManualClock

pytestmark = pytest.mark.anyio
NOW = 1_790_000_000_000
VALUES = {"phone_number_id": "77", "access_token": "EAAtoken", "app_secret": "s" * 32, "verify_token": "v"}


@asynccontextmanager
async def running(data: Path, url: str = "", now: int = NOW) -> AsyncIterator[Runtime]:
    given = {"data": str(data)} | ({"database_url": url} if url.startswith("postgresql:") else {})
    rt = await runtime.start(load(given, {}, data.parent), ManualClock(now))
    try:
        yield rt
    finally:
        await runtime.stop(rt)


async def filled(rt: Runtime, secrets: int = 3) -> None:
    """Something in every sealed column."""
    await connecting.add(rt.channels, "whatsapp_cloud", "Shop", VALUES)
    for number in range(secrets):
        await vault.put(rt, f"key_{number}", f"value number {number}")

    def rows(tx: Any) -> None:
        tx.run(USER, id=5, now=NOW)
        tx.run(SEED, id=5, seed=rt.keys.seal("SEED", second_factor.place(5)), now=NOW)
        own, former = (rt.keys.seal(text, webhooks.place(9)) for text in ("whsec_new", "whsec_old"))
        tx.run(HOOK, id=9, secret=own, former=former, now=NOW)

    await rt.db.write(rows)


async def texts(rt: Runtime) -> list[str]:
    found = []
    for column in rotation.COLUMNS:
        for cell in await rt.db.reader.all(column.page, after=0, limit=1000):
            found += json.loads(cell.text).values() if column.page is sealed.CHANNELS else [cell.text]
    return found


async def opened(rt: Runtime) -> set[str]:
    """Everything that is sealed, in clear, by the keys at hand."""
    found: set[str] = set()

    def look(text: str, place: str) -> str:
        found.add(rt.keys.open(text, place))
        return text

    for column in rotation.COLUMNS:
        for cell in await rt.db.reader.all(column.page, after=0, limit=1000):
            column.change(cell, look)
    return found


ALL = {"EAAtoken", "s" * 32, "v", *(f"value number {n}" for n in range(3)), "SEED", "whsec_new", "whsec_old"}


async def test_S31_everything_is_sealed_again_and_the_older_key_goes_after_a_day(
    tmp_path: Path, database_url: str
) -> None:
    data = tmp_path / "data"
    async with running(data, database_url) as rt:
        await filled(rt)
        first = rt.keys.current
        done = await rotation.rotate(rt)
        assert done == (rt.keys.current, len(ALL) - 2, 0) and done.kid != first  # a channel is one value
        assert {kid_of(text) for text in await texts(rt)} == {done.kid} and await opened(rt) == ALL
        assert await rt.db.reader.all(Query("select kid from encryption_key", str)) == [done.kid]
        assert await rt.db.reader.one(Query("select action from audit order by seq desc", str)) == "keys.rotated"
        assert await vault.opened(rt.db.reader, rt.keys, "key_1") == "value number 1"
        file = keyfile.read_keys(rt.settings)
        assert file and list(file.keys) == [first, done.kid] and file.retired == {first: NOW}
    async with running(data, database_url, NOW + keyfile.KEPT) as rt:
        second = await rotation.rotate(rt)
        file = keyfile.read_keys(rt.settings)
        assert file and list(file.keys) == [done.kid, second.kid] and await opened(rt) == ALL


async def test_S31_a_replaced_key_signs_nothing_after_a_day_without_another_rotation(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as rt:
        tokens = Signer(rt.keys.derives("jwt-v1"), rt.install)
        before = tokens.give(5, 1, frozenset({"read"}), NOW)
        done = await rotation.rotate(rt)
        rt.keys.let_go(rt.settings, rt.clock.now())
        assert tokens.read(before, NOW).user_id == 5
        assert isinstance(rt.clock, ManualClock)
        rt.clock.at += keyfile.KEPT
        await runtime.sweep_files(rt)
        file = keyfile.read_keys(rt.settings)
        assert file and list(file.keys) == [done.kid] and not file.retired
        with pytest.raises(Unauthenticated):
            tokens.read(before, NOW)
        keyfile.renewed(rt.settings, file)  # somebody else's file: it is not ours to take into use
        rt.keys.let_go(rt.settings, rt.clock.now())
        assert rt.keys.current == done.kid


@pytest.mark.parametrize(
    "cut", ["before the canary", "in the middle", "before the older key goes", "where the file cannot be changed"]
)
async def test_S31_what_a_stop_cut_short_is_finished_by_the_next_start(tmp_path: Path, cut: str) -> None:
    data = tmp_path / "data"
    async with running(data) as rt:
        await filled(rt)
        first = keyfile.read_keys(rt.settings)
        assert first
        file = keyfile.renewed(rt.settings, first)
        if cut != "before the canary":
            rt.keys.turn(file.current, keyfile.decode(file))
            canary = rt.keys.seal("parley", "encryption_key|canary|" + file.current)
            await rt.db.write(rotation.canaries.insert, file.current, canary)
            for column in rotation.COLUMNS[: 2 if cut == "in the middle" else None]:
                await rt.db.write(rotation.reseal, rt.keys, column, 0)
    if cut == "where the file cannot be changed":
        in_the_way = data / "keys.json.new"
        in_the_way.mkdir()
        with pytest.raises(Misconfigured):
            async with running(data):
                raise AssertionError("it must not start")
        in_the_way.rmdir()
    async with running(data) as rt:
        assert rt.keys.current == file.current != first.current
        assert {kid_of(text) for text in await texts(rt)} == {file.current} and await opened(rt) == ALL
        assert await rt.db.reader.all(Query("select kid from encryption_key", str)) == [file.current]
        left = keyfile.read_keys(rt.settings)
        assert left and set(left.retired) == {first.current}


async def test_S31_more_values_than_a_commit_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    async with running(tmp_path / "data") as rt:
        await filled(rt, secrets=5)
        done = await rotation.rotate(rt)
        assert {kid_of(text) for text in await texts(rt)} == {done.kid}


async def test_S31_a_value_that_no_key_opens_stays_and_so_does_the_older_key(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as rt:
        await filled(rt)
        first = rt.keys.current
        await rt.db.write(lambda tx: tx.run(BREAK))
        done = await rotation.rotate(rt)
        assert done.unreadable == 1 and await vault.unreadable(rt) == ["key_0"]
        kids = await rt.db.reader.all(Query("select kid from encryption_key order by kid", str))
        assert kids == sorted([first, done.kid])


async def test_S31_cookies_and_tokens_of_before_are_good_after(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as rt:
        tokens, flash = Signer(rt.keys.derives("jwt-v1"), rt.install), Flash(rt.keys.derives("flash"))
        before = tokens.give(5, 1, frozenset({"read"}), NOW), flash.write("Saved.")
        await rotation.rotate(rt)
        after = tokens.give(5, 1, frozenset({"read"}), NOW)
        assert tokens.read(before[0], NOW).user_id == tokens.read(after, NOW).user_id == 5
        assert flash.read(before[1]) == "Saved." and rt.keys.derive("jwt-v1")[0] != rt.keys.derive("jwt-v1")[-1]


async def test_S31_keys_of_the_service_manager_are_not_ours_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path / "data") as rt:
        credential = tmp_path / "credentials" / keyfile.CREDENTIAL
        credential.parent.mkdir()
        keys = keyfile.read_keys(rt.settings)
        assert keys
        keyfile.write_keys(credential, keys)
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credential.parent))
        with pytest.raises(Misconfigured, match="service manager"):
            await rotation.rotate(rt)
        assert keyfile.read_keys(rt.settings) == keys and isinstance(rt.keys, Keyring)
        assert rt.keys.current == keys.current
        await filled(rt)
    # Whoever gives the keys puts another one first: what is stored is sealed with it, and their file stays theirs.
    key = b"another key of thirty-two bytes."
    kid = keyfile.fingerprint(key)
    newer = keyfile.KeyFile(kid, keys.keys | {kid: keyfile.encode(key)})
    credential.unlink()
    keyfile.write_keys(credential, newer)
    for _ in range(2):
        async with running(tmp_path / "data") as rt:
            assert {kid_of(text) for text in await texts(rt)} == {newer.current} and await opened(rt) == ALL
    assert keyfile.read_keys(rt.settings) == newer


USER, SEED, HOOK, BREAK = (Statement(text) for text in (
    "insert into app_user (id, email, email_folded, name, role, password_hash, created_at) "
    "values (:id, 'a@b.example', 'a@b.example', 'A', 'agent', '', :now)",
    "insert into totp (user_id, seed, created_at) values (:id, :seed, :now)",
    "insert into webhook (id, url, secret, former_secret, types, position, disabled_at, created_at) "
    "values (:id, 'https://crm.example/', :secret, :former, '', 0, :now, :now)",
    "update secret set sealed = 'v1.x.y.z' where name = 'key_0'",
))  # fmt: skip
