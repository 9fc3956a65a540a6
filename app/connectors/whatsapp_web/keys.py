"""Where the library keeps the keys of a device, which are the account: a schema of the database, so that any process
of the installation can have the phone, or a file for the owner alone (docs/decisions/0043-keys-in-a-schema-per-phone).
"""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from app.connectors.base import SessionFailed, State, StatusChange
from app.system import make_private, make_private_folder, open_private

Find = Callable[[], Awaitable[str]]
Drop = Callable[[], Awaitable[None]]


class Keys:
    """The place of one account's keys. `find` and `drop` are the database's; without them it is the file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.find: Find | None = None
        self.drop: Drop | None = None

    async def place(self) -> str:
        """A path or a URL, made if it is missing. Raises `SessionFailed`."""
        make_private_folder(self.file.parent)
        try:
            place = await self.find() if self.find else ""
        except Exception as error:
            raise SessionFailed(StatusChange(State.RECONNECTING, "web.no_place", str(error))) from error
        if not place:
            # Made before the library opens it, which would let everybody read it.
            os.close(open_private(self.file))
            make_private(self.file)
        return place or str(self.file)

    async def forget(self) -> None:
        """With all that lies beside the file under the same name."""
        for left in self.file.parent.glob(f"{self.file.stem}.*"):
            left.unlink(missing_ok=True)
        if self.drop:
            await self.drop()
