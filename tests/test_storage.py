"""Files lie under their hash, in the data folder or in S3-compatible storage (S27)."""

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from app import doctor, readiness
from app.errors import Misconfigured, Unavailable
from app.runtime import Runtime
from app.settings import load
from app.storage import Store, open_store
from tests.connectors.servers import server
from tests.fakes.s3 import ACCESS, BUCKET, REGION, S3, SECRET

CAKE = b"a picture of a cake" * 1000
SHA = hashlib.sha256(CAKE).hexdigest()


@asynccontextmanager
async def storage(folder: Path, **other: str) -> AsyncIterator[tuple[Store, S3]]:
    fake = S3()
    async with server(fake.answer) as (url, _calls):
        given = {
            "data": str(folder), "media_url": f"s3://{BUCKET}/parley/files", "s3_endpoint": url, "s3_region": REGION,
            "s3_access_key": ACCESS, "s3_secret_key": SECRET,
        }  # fmt: skip
        yield open_store(load(given | other, {}, folder)), fake


async def test_what_is_kept_is_in_the_storage_and_comes_back_from_it(tmp_path: Path) -> None:
    async with storage(tmp_path) as (store, fake):
        assert await store.add(CAKE) == SHA
        assert fake.objects == {f"parley/files/{SHA}": CAKE} and not fake.refused
        assert not store.path(SHA).exists(), "the storage has it"
        store.trim(0)
        path = await store.local(SHA)
        assert path is not None and path.read_bytes() == CAKE
        fake.objects.clear()
        assert await store.local(SHA) == path, "the copy is asked first"
        await store.drop(SHA)
        assert await store.local(SHA) is None
        await store.add(CAKE)
        await store.drop(SHA)
        assert not fake.objects, "dropped from the storage, too"
        await store.drop(SHA)
        assert not list((store.folder / "part").iterdir()) and not fake.refused


async def test_S27_what_the_storage_hands_out_changed_is_not_taken_for_the_file(tmp_path: Path) -> None:
    async with storage(tmp_path) as (store, fake):
        fake.objects[f"parley/files/{SHA}"] = CAKE[::-1]
        assert await store.local(SHA) is None
        assert not list((store.folder / "part").iterdir())


async def test_a_wrong_key_or_a_storage_that_is_away_is_said(tmp_path: Path) -> None:
    async with storage(tmp_path, s3_secret_key="another") as (store, fake):
        with pytest.raises(Unavailable, match="cannot be reached"):
            await store.add(CAKE)
        assert fake.refused == ["the signature is another"] and not fake.objects
    with pytest.raises(Unavailable):
        await store.local(SHA)
    with pytest.raises(Unavailable):
        await store.drop(SHA)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # neither asks the database
async def test_P40_storage_that_does_not_answer_is_told_by_readiness_and_doctor(
    rt: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.LOOKED", 0.0)  # else how it answered first would be believed for half a minute
    assert not await doctor.storage(rt), "there is none"
    async with storage(tmp_path) as (rt.media, fake):
        rt.settings = msgspec.structs.replace(rt.settings, media_url=f"s3://{BUCKET}/parley/files")
        assert await readiness.problems(rt) == [] and [each["ok"] for each in await doctor.storage(rt)] == [True]
        fake.away = True
        assert [problem["code"] for problem in await readiness.problems(rt)] == ["storage"]
        [found] = await doctor.storage(rt)
        assert (found["ok"], "cannot be reached" in str(found["text"])) == (False, True)
    async with storage(tmp_path, s3_secret_key="another") as (other, _fake):
        assert not await other.ready()


async def test_files_from_before_the_storage_stay_readable_and_are_never_cleared_away(tmp_path: Path) -> None:
    before = Store(tmp_path / "media")
    await before.add(CAKE)
    async with storage(tmp_path) as (store, _fake):
        store.trim(0)
        assert await store.local(SHA) == before.path(SHA)


async def test_copies_are_cleared_away_oldest_first(tmp_path: Path) -> None:
    async with storage(tmp_path) as (store, _fake):
        names = [await store.add(bytes([n]) * 1000) for n in range(3)]
        for age, name in enumerate(names):
            path = await store.local(name)
            assert path is not None
            os.utime(path, (1000 - age, 1000 - age))
        store.trim(2500)
        left = {path.name for path in (store.folder / "copies").glob("*/*")}
        assert left == set(names[:2])


def test_a_storage_without_its_keys_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="PARLEY_S3_ACCESS_KEY"):
        open_store(load({"data": str(tmp_path), "media_url": "s3://shop-files"}, {}, tmp_path))
    with pytest.raises(Misconfigured, match="s3://bucket"):
        load({"data": str(tmp_path), "media_url": "https://example.com/x"}, {}, tmp_path)
