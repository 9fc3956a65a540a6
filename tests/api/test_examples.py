"""The example programs of `docs/examples`, each run as it stands there against a real server."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.conftest import Program
from tests.api.test_handlers import BOT, Shop

pytestmark = pytest.mark.anyio
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def command(name: str) -> list[str]:
    """How it is run here. Node before version 22 wants to be told about WebSockets."""
    match Path(name).suffix:
        case ".py":
            return [sys.executable, name]
        case ".sh":
            return ["sh", name]
        case _:
            version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
            old = int(version.strip().lstrip("v").split(".")[0]) < 22
            return ["node", *(["--experimental-websocket"] if old else []), name]


@pytest.mark.parametrize("name", ["prices.py", "prices.mjs", "prices.sh"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_example_answers(api: Program, place: str, name: str) -> None:
    [live] = api.rt.channels.by_id.values()
    shop = Shop(api, live)
    await shop.publish(BOT.replace("message.text", "message.text | replace('price of ', '')"))
    head = await api.key("read", "send")
    key = head["Authorization"].removeprefix("Bearer ")
    environment = os.environ | {"PARLEY_URL": f"http://{place}", "PARLEY_KEY": key, "NODE_NO_WARNINGS": "1"}
    child = subprocess.Popen(command(str(EXAMPLES / name)), env=environment, start_new_session=True)
    try:
        await shop.hear("price of cake")
        await shop.until("It costs 20.")
        await shop.hear("price of gold")
        await shop.until("It costs 20.", "No price.")
        assert child.poll() is None
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        await asyncio.to_thread(child.wait)
