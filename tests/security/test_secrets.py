"""Secrets at rest: S29, S30, P37."""

import os
import sys
from pathlib import Path

import pytest

from app.db import Database
from app.errors import Misconfigured
from app.security import keyfile
from app.security.keyfile import KeyFile, encode, fingerprint
from app.security.secrets import Keyring, Unreadable
from app.settings import Settings, load

PLACE = "channel|access_token|42"


def ring(*keys: bytes) -> Keyring:
    return Keyring(fingerprint(keys[0]), {fingerprint(key): key for key in keys})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load({"data": str(tmp_path / "data")}, {}, tmp_path)


def test_S29_a_secret_opens_at_its_place_only() -> None:
    keys = ring(b"a" * 32)
    sealed = keys.seal("EAAtoken", PLACE)
    assert keys.open(sealed, PLACE) == "EAAtoken"
    assert sealed.startswith(f"v1.{fingerprint(b'a' * 32)}.") and "EAAtoken" not in sealed
    for other in ("channel|access_token|43", "channel|app_secret|42", ""):
        with pytest.raises(Unreadable):
            keys.open(sealed, other)


def test_S29_any_changed_character_is_noticed() -> None:
    keys = ring(b"a" * 32)
    sealed = keys.seal("secret text", PLACE)
    for at in range(len(sealed)):
        changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        with pytest.raises(Unreadable):
            keys.open(changed, PLACE)
    for wrong in ("", "v1", sealed + "A", sealed.replace("v1", "v2"), sealed[:-1], "plain text"):
        with pytest.raises(Unreadable):
            keys.open(wrong, PLACE)


def test_S29_the_same_text_is_never_sealed_alike() -> None:
    keys = ring(b"a" * 32)
    assert len({keys.seal("x", PLACE) for _ in range(100)}) == 100


def test_S31_an_older_key_still_opens_what_it_sealed() -> None:
    sealed = ring(b"a" * 32).seal("x", PLACE)
    assert ring(b"b" * 32, b"a" * 32).open(sealed, PLACE) == "x"
    with pytest.raises(Unreadable):
        ring(b"b" * 32).open(sealed, PLACE)


def test_derived_keys_are_lasting_and_differ_by_label() -> None:
    keys = ring(b"a" * 32)
    assert keys.derive("jwt-v1") == ring(b"a" * 32).derive("jwt-v1") != keys.derive("session-cookie")
    assert [len(key) for key in keys.derive("jwt-v1")] == [32] and ring(b"b" * 32).derive("jwt-v1") != keys.derive(
        "jwt-v1"
    )


async def test_S30_the_first_start_makes_a_key_for_the_owner_alone(database: Database, settings: Settings) -> None:
    first = await Keyring.load(settings, database)
    path = settings.data / "keys.json"
    assert path.stat().st_mode & 0o777 == 0o600 or sys.platform == "win32"
    again = await Keyring.load(settings, database)
    assert again.open(first.seal("x", PLACE), PLACE) == "x"


async def test_P37_a_missing_key_stops_the_start_and_is_not_replaced(database: Database, settings: Settings) -> None:
    first = await Keyring.load(settings, database)
    (settings.data / "keys.json").unlink()
    with pytest.raises(Misconfigured) as caught:
        await Keyring.load(settings, database)
    assert first.current in str(caught.value) and not (settings.data / "keys.json").exists()


async def test_P37_another_key_stops_the_start_and_names_the_right_one(database: Database, settings: Settings) -> None:
    first = await Keyring.load(settings, database)
    (settings.data / "keys.json").unlink()
    keyfile.make_keys(settings)
    with pytest.raises(Misconfigured, match=first.current):
        await Keyring.load(settings, database)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"{}", b'{"current": "x", "keys": {}}', b'{"current":"x","keys":{"x":"AAAA"}}']
)
async def test_P37_a_damaged_key_file_is_refused(database: Database, settings: Settings, content: bytes) -> None:
    await Keyring.load(settings, database)
    (settings.data / "keys.json").write_bytes(content)
    with pytest.raises(Misconfigured, match="cannot be read"):
        await Keyring.load(settings, database)


async def test_P37_a_key_under_a_wrong_name_is_refused(database: Database, settings: Settings) -> None:
    settings.data.mkdir()
    keyfile.write_keys(settings.data / "keys.json", KeyFile("0" * 12, {"0" * 12: encode(b"a" * 32)}))
    with pytest.raises(Misconfigured, match="damaged"):
        await Keyring.load(settings, database)


async def test_S30_a_key_file_that_others_may_read_is_refused(database: Database, settings: Settings) -> None:
    await Keyring.load(settings, database)
    path = settings.data / "keys.json"
    for mode in (0o644, 0o640, 0o604, 0o620):
        path.chmod(mode)
        with pytest.raises(Misconfigured, match="chmod 600"):
            await Keyring.load(settings, database)


async def test_S30_a_link_is_refused(database: Database, settings: Settings) -> None:
    await Keyring.load(settings, database)
    path = settings.data / "keys.json"
    path.rename(settings.data / "elsewhere.json")
    path.symlink_to("elsewhere.json")
    with pytest.raises(Misconfigured, match="not a plain file"):
        await Keyring.load(settings, database)


async def test_S30_the_managers_credential_beats_the_named_file_beats_the_data_folder(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "named.json"
    settings = load({"data": str(tmp_path / "data")}, {"PARLEY_KEY_FILE": str(named)}, tmp_path)
    ring = await Keyring.load(settings, database)
    assert named.exists() and not (settings.data / "keys.json").exists()
    folder = tmp_path / "credentials"
    folder.mkdir()
    os.link(named, folder / keyfile.CREDENTIAL)
    named.write_bytes(b"no longer read")
    (folder / keyfile.CREDENTIAL).unlink()
    keyfile.write_keys(
        folder / keyfile.CREDENTIAL, KeyFile(ring.current, {ring.current: encode(ring._keys[ring.current])})
    )
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    (folder / keyfile.CREDENTIAL).chmod(0o440)
    assert (await Keyring.load(settings, database)).current == ring.current
