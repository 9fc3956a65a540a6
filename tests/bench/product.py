"""The product under test: a fresh installation with one channel that is not paced and a bot of fifty rules, served."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import machine, wire

# The last one fits what the load says, so that a message meets the whole list.
TOPICS = [f"subject{number}" for number in range(49)] + ["kettle"]
RULES = "".join(
    f'  - name: rule-{at}\n    when: {{says: [{word}, "about {word}", "more on {word}"]}}\n'
    f'    do: [{{say: "Here is what we know about {word}, answer {at}."}}]\n'
    for at, word in enumerate(TOPICS)
)
BOT = f'bot: Bench\nlanguage: en\nrules:\n{RULES}fallback: {{do: [{{say: "Sorry?"}}]}}\n'


@dataclass(frozen=True)
class Installation:
    """Where it is, the webhook's path, and the port at which it looks for the network."""

    data: Path
    hook: str
    network: int
    environment: dict[str, str]


@dataclass(frozen=True)
class Product:
    """A running server."""

    at: Installation
    port: int
    pid: int

    def load(self, **options: object) -> machine.Report:
        return machine.load(self.port, self.at.network, self.pid, path=self.at.hook, **options)


def parley(at: dict[str, str], *words: str, text: str = "") -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "app", *words], cwd=machine.ROOT, env=os.environ | at, input=text, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    if ended.returncode:
        raise RuntimeError(f"parley {words[0]}: {ended.stderr}")
    return ended.stdout


@contextlib.contextmanager
def installed() -> Iterator[Installation]:
    """A new installation on the disk of the working copy, removed afterwards."""
    machine.CACHE.mkdir(parents=True, exist_ok=True)
    data, network = Path(tempfile.mkdtemp(prefix="data-", dir=machine.CACHE)), machine.free_port()
    at = {"PARLEY_DATA": str(data), "PARLEY_GRAPH_URL": f"http://127.0.0.1:{network}", "PARLEY_LOG_LEVEL": "warning"}
    try:
        document = data / "bench.yaml"
        document.write_text(BOT)
        values = {"phone_number_id": wire.NUMBER, "access_token": "E" * 180, "app_secret": wire.SECRET}
        told = parley(
            at, "channel", "add", "--json", "--name", "Bench", "whatsapp_cloud", "rate=0", "verify_token=bench",
            *(f"{name}={value}" for name, value in values.items()),
        )  # fmt: skip
        parley(at, "bot", "import", str(document))
        parley(at, "bot", "publish", "Bench", "--channel", "Bench")
        yield Installation(data, hook_of(json.loads(told)), network, at)
    finally:
        shutil.rmtree(data, ignore_errors=True)


def hook_of(told: dict[str, str]) -> str:
    """The path of the webhook's address."""
    address = next(value for value in told.values() if isinstance(value, str) and "/hooks/whatsapp/" in value)
    return "/hooks/" + address.partition("/hooks/")[2]


@contextlib.contextmanager
def running(at: Installation, *, module: str = "app", **more: str) -> Iterator[Product]:
    port = machine.free_port()
    command = [sys.executable, "-m", module, "serve", "--port", str(port)]
    with machine.serving(command, port, path="/healthz", **(at.environment | more)) as pid:
        yield Product(at, port, pid)
