"""Every setting needed to boot, in one table that makes the command line's help, the docs page and the validation.

Flag > environment > `.env` in the working directory > `<data>/parley.toml` > default (interface.md, Settings). What
people change while it runs is in the database instead (`store/settings.py`).
"""

import ipaddress
import os
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from app.errors import Misconfigured
from app.said import N_, Sentence, joined, mark


class Settings(msgspec.Struct, frozen=True):
    """The settings of one run, checked. Never changes while it runs."""

    data: Path
    host: str
    port: int
    public_url: str
    database_url: str
    key_file: str
    log_level: str
    log_format: str
    trusted_proxies: tuple[str, ...]
    outbound_allow: tuple[str, ...]
    graph_url: str
    graph_version: str
    telegram_url: str
    whatsapp_web_url: str
    ai_url: str
    ai_key: str
    ai_model: str
    sentry_dsn: str
    media_url: str
    s3_endpoint: str
    s3_region: str
    s3_access_key: str
    s3_secret_key: str


class Setting(msgspec.Struct, frozen=True):
    """One row of the table. `read` turns text into the value or raises ValueError with what it must be (a
    `Sentence`)."""

    name: str
    default: str
    read: Callable[[str], Any]
    help: str
    flag: str = ""
    secret: bool = False

    @property
    def env(self) -> str:
        return f"PARLEY_{self.name.upper()}"


def text(value: str) -> str:
    return value.strip()


def path(value: str) -> Path:
    return Path(value).expanduser().absolute()


def port(value: str) -> int:
    if not re.fullmatch(r"\d{1,5}", value) or int(value) > 65535:
        raise ValueError(N_("a whole number from 0 to 65535 (0 takes any free port)"))
    return int(value)


def url(value: str) -> str:
    """An http(s) address without user, query and fragment; the closing slash goes."""
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query):
        raise ValueError(N_("an address such as https://chat.example.com"))
    return value.rstrip("/")


def web_socket(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError(N_("an address that begins with wss://"))
    return value


def database(value: str) -> str:
    if value and not value.startswith(("postgresql://", "postgres://", "sqlite:///")):
        raise ValueError(N_("an address that begins with postgresql:// (or empty for SQLite in the data folder)"))
    return value


def bucket(value: str) -> str:
    if value and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*/?", value):
        raise ValueError(N_("an address such as s3://bucket/folder (or empty for the data folder)"))
    return value.rstrip("/")


def one_of(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value.lower() not in choices:
            raise ValueError(N_("one of {names}", names=", ".join(choices)))
        return value.lower()

    return read


def networks(value: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in value.split(",") if part.strip())
    for name in names:
        try:
            ipaddress.ip_network(name, strict=False)
        except ValueError:
            raise ValueError(N_("IP addresses or networks with commas between, such as 10.0.0.0/8")) from None
    return names


def host_ports(value: str) -> tuple[str, ...]:
    names = tuple(part.strip().lower() for part in value.split(",") if part.strip())
    if not all(re.fullmatch(r"(\[[0-9a-f:]+\]|[a-z0-9._-]+):\d{1,5}", name) for name in names):
        raise ValueError(N_("host:port pairs with commas between, such as 192.168.1.20:8123"))
    return names


def version(value: str) -> str:
    if not re.fullmatch(r"v\d{1,3}\.\d", value):
        raise ValueError(N_("a version such as v25.0"))
    return value


def data_folder(environ: Mapping[str, str]) -> str:
    """The platform's place for a person's program data."""
    home = Path.home()
    if sys.platform == "win32":
        return str(Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "Parley")
    if sys.platform == "darwin":
        return str(home / "Library" / "Application Support" / "Parley")
    return str(Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "parley")


TABLE: Final = (
    Setting("data", "", path, mark("Folder of the database, keys, files and logs of this installation."), "--data"),
    Setting("host", "127.0.0.1", text, mark("Address to listen on; 0.0.0.0 lets other machines in."), "--host"),
    Setting("port", "8080", port, mark("Port to listen on; 0 takes any free one."), "--port"),
    Setting(
        "public_url",
        "",
        url,
        mark("Address under which the internet reaches this installation, for webhooks and links."),
    ),
    Setting(
        "database_url", "", database, mark("postgresql://… to keep the data in Postgres; empty = SQLite."), "--database"
    ),
    Setting("key_file", "", text, mark("File with the encryption keys; empty = keys.json in the data folder.")),
    Setting("log_level", "info", one_of("debug", "info", "warning", "error"), mark("How much is logged.")),
    Setting("log_format", "text", one_of("text", "json"), mark("text for people, json for programs.")),
    Setting("trusted_proxies", "", networks, mark("Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.")),
    Setting("outbound_allow", "", host_ports, mark("Private host:port pairs that bots and webhooks may call.")),
    Setting("graph_url", "https://graph.facebook.com", url, mark("Where Meta's Graph API is.")),
    Setting("graph_version", "v25.0", version, mark("Version of Meta's Graph API.")),
    Setting("telegram_url", "https://api.telegram.org", url, mark("Where Telegram's Bot API is.")),
    Setting(
        "whatsapp_web_url",
        "wss://web.whatsapp.com/ws/chat",
        web_socket,
        mark("Where linked devices reach WhatsApp; asked before each connection."),
    ),
    Setting("ai_url", "", url, mark("Any endpoint that speaks the OpenAI protocol; empty = off.")),
    Setting("ai_key", "", text, mark("Key for the AI endpoint."), secret=True),
    Setting("ai_model", "", text, mark("Model asked at the AI endpoint.")),
    Setting("sentry_dsn", "", text, mark("Where error reports go; empty = nowhere."), secret=True),
    Setting(
        "media_url", "", bucket, mark("s3://bucket/folder to keep files in S3-compatible storage; empty = data folder.")
    ),
    Setting("s3_endpoint", "", url, mark("Where that storage is, if it is not Amazon's.")),
    Setting("s3_region", "us-east-1", text, mark("Its region.")),
    Setting("s3_access_key", "", text, mark("Its access key.")),
    Setting("s3_secret_key", "", text, mark("Its secret key."), secret=True),
)


def load(
    flags: Mapping[str, str] | None = None, environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> Settings:
    """The settings of this run. `flags` by setting name; `folder` holds `.env`. Raises Misconfigured."""
    environ = os.environ if environ is None else environ
    near = {key: value for key, value in dotenv(folder or Path.cwd()).items() if value is not None}
    given = {setting.name: first(setting, flags or {}, environ, near) for setting in TABLE}
    stored = toml(path((given["data"] or ("", ""))[1] or data_folder(environ)))
    values: dict[str, Any] = {}
    faults: list[Sentence] = []
    for setting in TABLE:
        found = given[setting.name]
        if found is None and setting.name in stored:
            found = (f"{setting.name} in parley.toml", str(stored[setting.name]))
        default = data_folder(environ) if setting.name == "data" else setting.default
        source, value = found or (setting.env, default)
        try:
            values[setting.name] = setting.read(value)
        except ValueError as error:
            shown = N_("what is set") if setting.secret else N_("“{value}”", value=value)
            must = error.args[0]
            faults.append(N_("{setting} must be {must}, but is {shown}.", setting=source, must=must, shown=shown))
    if faults:
        raise Misconfigured(joined(faults, "\n"))
    return Settings(**values)


def first(
    setting: Setting, flags: Mapping[str, str], environ: Mapping[str, str], near: Mapping[str, str]
) -> tuple[str, str] | None:
    """(where it was found, text) of the strongest source, the file of the data folder aside."""
    sources = ((setting.flag, flags.get(setting.name)), (setting.env, environ.get(setting.env)))
    for source, value in (*sources, (f"{setting.env} in .env", near.get(setting.env))):
        if value is not None and value != "":
            return source, value
    return None


def dotenv(folder: Path) -> Mapping[str, str | None]:
    file = folder / ".env"
    if not file.is_file():
        return {}
    from dotenv import dotenv_values

    return dotenv_values(file, interpolate=False)


def toml(data: Path) -> dict[str, Any]:
    """`parley.toml` of the data folder; a name that no setting has is a fault, not a surprise."""
    file = data / "parley.toml"
    if not file.is_file():
        return {}
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(N_("parley.toml in the data folder cannot be read: {error}.", error=error)) from None
    names = {setting.name for setting in TABLE} - {"data"}
    if unknown := sorted(found.keys() - names):
        raise Misconfigured(
            N_("parley.toml in the data folder names {names}, which is not a setting.", names=", ".join(unknown))
        )
    return {name: ",".join(value) if isinstance(value, list) else value for name, value in found.items()}


def page() -> str:
    """`docs/settings.md`."""
    lines = [
        "# Settings",
        "",
        "Flag > environment > `.env` in the working directory > `parley.toml` in the data folder (the names below, in",
        "lower case without `PARLEY_`) > default. They are read at start. Everything else is changed in the dashboard.",
        "",
        "| environment | flag | default | what |",
        "|---|---|---|---|",
    ]
    for setting in TABLE:
        default = "the platform's user data folder" if setting.name == "data" else setting.default
        flag = f"`{setting.flag}`" if setting.flag else ""
        note = " Secret: never shown or logged." if setting.secret else ""
        lines.append(f"| `{setting.env}` | {flag} | {default or 'empty'} | {setting.help}{note} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
