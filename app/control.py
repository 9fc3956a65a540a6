"""The door of a running Parley for its own command line: `<data>/control`, for the owner of the data folder only.

A Unix socket that nobody else may open. Where there is none (Windows, or a path too long for a socket) a file of that
name tells a port on loopback and a token. One line of JSON each way: `{"command", "values", "token"}` →
`{"result"}` or `{"error": {"code", "message", "fields", "status"}}`.
"""

import asyncio
import hmac
import logging
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.errors import Invalid, ParleyError, Unavailable
from app.said import N_, Sentence
from app.system import make_private, open_private

if TYPE_CHECKING:
    from app.runtime import Runtime

NAME: Final = "control"
LONGEST_NAME: Final = 100  # bytes of a Unix socket's path that every system takes
LONGEST_LINE: Final = 8_000_000
PATIENCE: Final = 10.0
HOST: Final = "127.0.0.1"

log = logging.getLogger(__name__)


class Request(msgspec.Struct, frozen=True):
    """A command with its values by name."""

    command: str
    values: dict[str, Any] = {}
    token: str = ""


class Fault(msgspec.Struct, frozen=True):
    """A refusal on its way to the caller."""

    code: str
    message: Sentence
    fields: dict[str, Sentence] = {}
    status: int = 500


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    result: Any = None
    error: Fault | None = None


class Address(msgspec.Struct, frozen=True):
    """What the file holds where no socket can be."""

    port: int
    token: str


class NotListening(Exception):
    """Nobody answers at this folder's door."""


class Lost(Unavailable):
    """The door closed after the command had gone through it, so nobody here knows what became of it."""

    def __init__(self) -> None:
        super().__init__(
            N_(
                "Parley stopped before it answered. The command may have been carried out or not: look at what it "
                "was to change, and give it again if nothing did."
            )
        )


class Refused(ParleyError):
    """The running Parley refused; it says the same as if it had been refused here."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message, code=fault.code, fields=fault.fields)
        self.status = fault.status


class Control:
    """Listens while the server runs. `commands` gives them by name: async functions of the runtime and
    named values."""

    def __init__(self, rt: "Runtime", commands: Callable[[], dict[str, Any]]) -> None:
        self._rt = rt
        self._commands = commands
        self._path = rt.settings.data / NAME
        self._token = ""
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._path.unlink(missing_ok=True)  # left by a killed process; the folder's lock is ours
        if sys.platform != "win32" and fits_socket(self._path):
            self._server = await asyncio.start_unix_server(self._serve, self._path, limit=LONGEST_LINE)
            make_private(self._path)
        else:
            self._token = secrets.token_hex(32)
            self._server = await asyncio.start_server(self._serve, HOST, 0, limit=LONGEST_LINE)
            self._tell(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    def _tell(self, port: int) -> None:
        with open(open_private(self._path), "wb") as file:
            file.write(msgspec.json.encode(Address(port, self._token)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), PATIENCE)
            writer.write(msgspec.json.encode(await self._answer(line)) + b"\n")
            await writer.drain()
        except (OSError, TimeoutError, ValueError):
            log.warning("a command came in that could not be read or answered")
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> Answer:
        try:
            asked = msgspec.json.decode(line, type=Request)
            if not hmac.compare_digest(asked.token.encode(), self._token.encode()):
                raise Invalid(N_("The token of this command is not right."))
            log.info("command %s", asked.command)
            return Answer(await run(self._rt, self._commands(), asked.command, asked.values))
        except msgspec.DecodeError:
            return Answer(error=Fault("invalid", N_("This is not a command."), status=422))
        except ParleyError as error:
            return Answer(error=Fault(error.code, error.said, error.fields, error.status))
        except Exception:
            log.exception("a command failed")
            return Answer(error=Fault("internal", N_("The command failed inside Parley. Its log says where.")))


async def run(rt: "Runtime", commands: dict[str, Any], command: str, values: dict[str, Any]) -> Any:
    """Carry a command out. Raises `Invalid` for one that does not exist."""
    if command not in commands:
        raise Invalid(N_("There is no command “{command}”. Is the running Parley of another version?", command=command))
    return await commands[command](rt, **values)


async def ask(data: Path, command: str, values: dict[str, Any]) -> Any:
    """The running Parley's result. Raises `NotListening` (nothing was asked), `Refused`, `Lost`."""
    reader, writer, token = await _connect(data / NAME)
    try:
        writer.write(msgspec.json.encode(Request(command, values, token)) + b"\n")
        await writer.drain()
        line = await reader.readline()
    except OSError:
        raise Lost from None
    finally:
        writer.close()
    if not line.endswith(b"\n"):
        raise Lost
    answer = msgspec.json.decode(line, type=Answer)
    if answer.error is not None:
        raise Refused(answer.error)
    return answer.result


async def _connect(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
    try:
        if sys.platform != "win32" and fits_socket(path):
            reader, writer = await asyncio.open_unix_connection(path, limit=LONGEST_LINE)
            return reader, writer, ""
        address = msgspec.json.decode(path.read_bytes(), type=Address)
        reader, writer = await asyncio.open_connection(HOST, address.port, limit=LONGEST_LINE)
        return reader, writer, address.token
    except (OSError, msgspec.DecodeError) as error:
        raise NotListening from error


def fits_socket(path: Path) -> bool:
    return len(bytes(path)) <= LONGEST_NAME
