"""Whether it can work now, and if not, why: the words behind `/readyz` and the banner (P40)."""

import asyncio
import shutil
from typing import TYPE_CHECKING

from app.db import DatabaseError

if TYPE_CHECKING:
    from app.runtime import Runtime

DISK_NEEDED = 16 * 1024 * 1024


async def alive() -> tuple[int, dict[str, str]]:
    """Status and body of `/healthz`: the event loop turns, it woke within a second of when it should."""
    loop = asyncio.get_running_loop()
    due = loop.time() + 0.01
    await asyncio.sleep(0.01)
    late = loop.time() - due
    return (200, {"status": "ok"}) if late < 1 else (503, {"status": "slow"})


async def problems(rt: "Runtime") -> list[dict[str, str]]:
    """Each as {"code", "message"}."""
    found = []
    if rt.stopping:
        found.append(("stopping", "Parley is stopping."))
    try:
        await rt.db.health()
    except DatabaseError as error:
        found.append((error.code, str(error)))
    if not await rt.media.ready():
        found.append(("storage", "The file storage of PARLEY_MEDIA_URL cannot be reached, or does not take the key."))
    if shutil.disk_usage(rt.settings.data).free < DISK_NEEDED:
        found.append(("disk_full", "Less than 16 MB are free on the disk of the data folder."))
    return [{"code": code, "message": message} for code, message in found]
