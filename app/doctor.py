"""What an installation stands on and whether it is sound: one line a finding, for `parley doctor`."""

import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app import vault
from app.connectors.states import sentence
from app.said import N_, Sentence
from app.store import channels as channel_rows
from app.version import VERSION

if TYPE_CHECKING:
    from app.runtime import Runtime

LEAST_FREE: Final = 500_000_000  # bytes: below this the disk is soon full
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO

Finding = dict[str, Any]


async def examine(rt: "Runtime") -> list[Finding]:
    """`{"name", "ok", "text"}` each; `ok` is None for what is only told or waits for a person."""
    findings = [*program(), *database(rt), *folder(rt.settings.data), *await storage(rt), *keys(rt), *await secrets(rt)]
    rows = await rt.db.reader.all(channel_rows.ALL)
    for row in rows:
        ok = {"connected": True, "broken": False, "logged_out": False}.get(row.state)
        detail = f" ({row.state_detail})" if row.state_detail else ""
        findings.append(
            finding(
                N_("channel {name}", name=row.name),
                ok,
                N_("{state}{detail}", state=N_(sentence(row.state_code)), detail=detail),
            )
        )
        if row.rate == 0 and row.connector != "simulator":
            findings.append(
                finding(N_("channel {name}", name=row.name), None, N_("Its messages are not paced (rate=0)."))
            )
    return findings


def finding(name: Sentence, ok: bool | None, text: Sentence) -> Finding:
    return {"name": name, "ok": ok, "text": text}


def program() -> Iterator[Finding]:
    yield finding(
        "parley", None, f"{VERSION}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    )


def database(rt: "Runtime") -> Iterator[Finding]:
    name = {"sqlite": "SQLite", "postgres": "Postgres"}[rt.db.dialect]
    yield finding(N_("database"), True, f"{name} {rt.db.stats().get('version', '')}".rstrip())


def folder(data: Path) -> Iterator[Finding]:
    """Is the data folder writable, private, and is there room."""
    writable = os.access(data, os.W_OK)
    yield finding(
        N_("data folder"), writable, str(data) if writable else N_("{data} cannot be written.", data=str(data))
    )
    if sys.platform != "win32" and data.stat().st_mode & OTHERS:
        yield finding(
            "permissions", False, N_("Others can look into the data folder. Run: chmod 700 {data}", data=str(data))
        )
    free = shutil.disk_usage(data).free
    size = f"{free / 1e9:.1f} GB"
    enough = free >= LEAST_FREE
    yield finding(
        "disk", enough, N_("{free} free.", free=size) if enough else N_("{free} free. Make room soon.", free=size)
    )


async def storage(rt: "Runtime") -> list[Finding]:
    """Where files lie, if not in the data folder."""
    url = rt.settings.media_url
    if not url:
        return []
    ok = await rt.media.ready()
    said = N_("{url} answers.", url=url) if ok else N_("{url} cannot be reached, or does not take the key.", url=url)
    return [finding(N_("file storage"), ok, said)]


def keys(rt: "Runtime") -> Iterator[Finding]:
    """A key file that others can read, or that does not fit the database, stops the start already."""
    yield finding(N_("keys"), True, N_("Key {current} opens what is stored.", current=rt.keys.current))


async def secrets(rt: "Runtime") -> list[Finding]:
    """Those that bots name; nothing is told while there are none."""
    closed = await vault.unreadable(rt)
    if closed:
        names = ", ".join(closed)
        return [finding(N_("secrets"), False, N_("These do not open and have to be set again: {names}.", names=names))]
    count = len(await vault.list_all(rt))
    return [finding(N_("secrets"), True, N_("All {count} open.", count=count))] if count else []
