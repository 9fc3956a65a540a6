"""A real installation for fault tests: the server and the fake Graph API as processes of their own, started, killed,
looked at."""

import atexit
import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar

import httpx

ROOT = Path(__file__).parents[2]
SECRET = "app-secret-for-fault-tests"
NUMBER = "106540352242922"
TOKEN = "EAA" + "f" * 40
PASSWORD = "correct horse battery staple"
# For every client here: nothing is asked over TLS, and to load the certificates of the world takes 25 ms a client.
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# No limits of the provider's own, and no statuses unless a test wants them: what is tested here is what is lost or
# doubled.
QUIET = ("--set", "throughput=0", "--set", "pair_burst=1000000", "--set", "window_hours=0")
BOT = """
bot: Faults
language: en
rules:
  - name: hello
    when: {says: hello}
    do: [{say: "Hello {{ contact.first_name }}."}]
  - name: twice
    when: {says: twice}
    do: [{say: One.}, {say: Two.}]
fallback: {do: [{say: "Sorry?"}]}
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Process:
    """A child that is ended with its test, by its own id."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as out:
            self.child = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )

    def kill(self) -> None:
        if self.child.poll() is None:
            os.kill(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def stop(self, patience: float = 20) -> int:
        if self.child.poll() is None:
            os.kill(self.child.pid, signal.SIGTERM)
        return self.child.wait(patience)

    @property
    def running(self) -> bool:
        return self.child.poll() is None


class House:
    """One data folder, its server and the provider it talks to. `truth` is the provider's own record."""

    furnished: ClassVar["House | None"] = None

    def __init__(self, folder: Path, preload: dict[str, str] | None = None, python: list[str] | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.truth = folder / "truth.jsonl"
        self.port, self.graph_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.preload = preload or {}
        self.python = python or [sys.executable, "-m", "app"]
        self.server: Process | None = None
        self.graph: Process | None = None
        self.key = ""

    @property
    def database(self) -> Path:
        return self.data / "parley.db"

    @property
    def hook(self) -> str:
        return f"{self.url}/hooks/whatsapp/{self.key}"

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
        return kept | {
            "PARLEY_DATA": str(self.data),
            "PARLEY_GRAPH_URL": f"http://127.0.0.1:{self.graph_port}",
            "PARLEY_PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
        }

    def command(self, *words: str, given: str = "") -> str:
        """Run one of the product's own commands."""
        done = subprocess.run(
            [sys.executable, "-m", "app", *words], cwd=ROOT, env=self.environment(), input=given, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr or done.stdout
        return done.stdout

    def furnish(self, document: str = BOT) -> None:
        """Owner, channel and bot: made once by the command line, then copied. Another document is published then."""
        if House.furnished is None:
            made = House(Path(tempfile.mkdtemp(prefix="parley-faults-")))
            atexit.register(shutil.rmtree, made.folder, ignore_errors=True)
            made._furnish()
            House.furnished = made
        shutil.copytree(House.furnished.data, self.data)
        self.key = House.furnished.key
        if document != BOT:
            self._publish(document)

    def _furnish(self) -> None:
        self.command("setup", "--email", "owner@example.com", "--password-stdin", given=PASSWORD)
        self.command(
            "channel", "add", "whatsapp_cloud", "--name", "Shop", f"phone_number_id={NUMBER}", f"access_token={TOKEN}",
            f"app_secret={SECRET}", "verify_token=plum", "rate=0",
        )  # fmt: skip
        self._publish(BOT)
        self.key = json.loads(self.command("channel", "show", "Shop", "--json"))["key"]

    def _publish(self, text: str) -> None:
        document = self.folder / "bot.yaml"
        document.write_text(text)
        self.command("bot", "import", str(document))
        self.command("bot", "publish", "Faults", "--channel", "Shop")

    def start_graph(self, *words: str) -> None:
        self.graph = Process(
            [
                sys.executable, "-m", "tests.fakes.graph", "--port", str(self.graph_port), "--truth", str(self.truth),
                "--token", TOKEN, "--phone-number-id", NUMBER, "--app-secret", SECRET, *QUIET, *words,
            ],
            self.environment(), self.folder / "graph.log",
        )  # fmt: skip
        wait_for(lambda: listens(self.graph_port), "the fake Graph API")

    def start(self, patience: float = 20) -> None:
        self.server = Process([*self.python, "serve"], self.environment() | self.preload, self.folder / "server.log")
        wait_for(self.alive, "the server", patience)

    def alive(self) -> bool:
        assert self.server and self.server.running, (self.folder / "server.log").read_text()[-3000:]
        try:
            return httpx.get(f"{self.url}/healthz", timeout=2, verify=PLAIN).status_code == 200
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        for process in (self.server, self.graph):
            if process:
                process.kill()

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database says, read without the product."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10) as connection:
            return connection.execute(sql, values).fetchall()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(holds: Any, what: str, patience: float = 20) -> None:
    until = time.monotonic() + patience
    while not holds():
        if time.monotonic() > until:
            raise AssertionError(f"{what} did not come up in {patience} s")
        time.sleep(0.02)
