"""The table of settings: where a value comes from, what is refused, and that the docs page is its picture."""

from pathlib import Path

import msgspec
import pytest

from app import settings
from app.errors import Misconfigured
from app.settings import TABLE, load

DOCS = Path(__file__).parent.parent / "docs" / "settings.md"


def test_the_docs_page_is_made_from_the_table() -> None:
    assert DOCS.read_text(encoding="utf-8") == settings.page(), "run: python -m app.settings > docs/settings.md"


def test_every_setting_is_a_field_and_every_field_a_setting() -> None:
    assert [setting.name for setting in TABLE] == list(settings.Settings.__struct_fields__)
    assert all(setting.help.endswith(".") for setting in TABLE)


def test_defaults_bind_to_this_machine_and_hold_no_secret(tmp_path: Path) -> None:
    found = load({}, {"XDG_DATA_HOME": str(tmp_path)}, tmp_path)
    assert (found.host, found.port, found.database_url) == ("127.0.0.1", 8080, "")
    assert all(not setting.default for setting in TABLE if setting.secret)


def test_flag_beats_environment_beats_dotenv_beats_file_beats_default(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    environ = {"PARLEY_DATA": str(data)}

    def port(flags: dict[str, str]) -> int:
        return load(flags, environ, tmp_path).port

    assert port({}) == 8080
    (data / "parley.toml").write_text("port = 9001\n")
    assert port({}) == 9001
    (tmp_path / ".env").write_text("PARLEY_PORT=9002\n")
    assert port({}) == 9002
    environ["PARLEY_PORT"] = "9003"
    assert port({}) == 9003
    assert port({"port": "9004"}) == 9004


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert load({}, {"PARLEY_PORT": "", "PARLEY_DATA": str(tmp_path)}, tmp_path).port == 8080


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "70000"),
        ("PORT", "-1"),
        ("PUBLIC_URL", "chat.example.com"),
        ("PUBLIC_URL", "https://me:pw@chat.example.com"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("LOG_FORMAT", "xml"),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
        ("OUTBOUND_ALLOW", "192.168.1.20"),
        ("GRAPH_VERSION", "25"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_must_be(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        load({}, {f"PARLEY_{name}": value, "PARLEY_DATA": str(tmp_path)}, tmp_path)
    assert str(caught.value).startswith(f"PARLEY_{name} must be ") and value in str(caught.value)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as caught:
        load({"port": "x"}, {"PARLEY_LOG_LEVEL": "loud", "PARLEY_DATA": str(tmp_path)}, tmp_path)
    assert len(str(caught.value).splitlines()) == 2 and "--port must be" in str(caught.value)


def test_a_misspelt_name_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "parley.toml").write_text("prot = 9001\n")
    with pytest.raises(Misconfigured, match="prot"):
        load({}, {"PARLEY_DATA": str(tmp_path)}, tmp_path)


def test_lists_are_split_and_addresses_trimmed(tmp_path: Path) -> None:
    environ = {"PARLEY_TRUSTED_PROXIES": "10.0.0.1, fd00::/8", "PARLEY_PUBLIC_URL": "https://chat.example.com/"}
    found = load({"data": str(tmp_path)}, environ, tmp_path)
    assert found.trusted_proxies == ("10.0.0.1", "fd00::/8") and found.public_url == "https://chat.example.com"


def test_settings_do_not_change_while_it_runs(tmp_path: Path) -> None:
    found = load({"data": str(tmp_path)}, {}, tmp_path)
    with pytest.raises(AttributeError):
        found.port = 1
    assert msgspec.structs.replace(found, port=1).port == 1
