"""Whether it can work now, and if not, why: the words behind `/readyz` and the banner (P40)."""

import shutil
from typing import TYPE_CHECKING

from app.db import DatabaseError

if TYPE_CHECKING:
    from app.runtime import Runtime

DISK_NEEDED = 16 * 1024 * 1024


async def problems(rt: "Runtime") -> list[dict[str, str]]:
    """Each as {"code", "message"}."""
    found = []
    if rt.stopping:
        found.append(("stopping", "Parley is stopping."))
    try:
        await rt.db.health()
    except DatabaseError as error:
        found.append((error.code, str(error)))
    if shutil.disk_usage(rt.settings.data).free < DISK_NEEDED:
        found.append(("disk_full", "Less than 16 MB are free on the disk of the data folder."))
    return [{"code": code, "message": message} for code, message in found]
