"""Load with a memory: signed messages from many customers, and a log line for every post and what came of it.

Outcomes as in Jepsen: `ok` (answered 200), `refused` (a clear other answer), `unknown` (no answer). Only `ok`
promises that the message is on disk. `mark` is the size of the disk recorder's log when the answer was there.
"""

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from tests.faults.house import NUMBER, PLAIN, SECRET, House

WORDS = ("hello", "twice", "what is this")
# So many that a run of minutes leaves each within the reply budget; and no multiple of the words, for who says the same
# three times is handed to a person, and the bot falls silent.
CUSTOMERS = 1201


class Load:
    """`log` holds {"wamid", "who", "text", "outcome", "mark"} in the order of the answers; `words` is what is said."""

    words: Sequence[str] = WORDS

    def __init__(self, house: House, mark: Callable[[], int] = lambda: 0, customers: int = CUSTOMERS) -> None:
        self.house = house
        self.mark = mark
        self.customers = customers
        self.numbers = itertools.count(int(time.time() * 1000) % 10**9 * 1000)
        self.log: list[dict[str, Any]] = []

    async def run(self, seconds: float, at_once: int = 8, batch: int = 1) -> None:
        """Post for a while, `at_once` in parallel; stops by itself when the server is gone."""
        until = time.monotonic() + seconds
        limits = httpx.Limits(max_connections=at_once)
        async with httpx.AsyncClient(timeout=10, limits=limits, verify=PLAIN) as client:
            await asyncio.gather(*(self._worker(client, until, batch) for _ in range(at_once)))

    async def _worker(self, client: httpx.AsyncClient, until: float, batch: int) -> None:
        while time.monotonic() < until and self.house.server and self.house.server.running:
            if not await self.post(client, [self.message() for _ in range(batch)]):
                await asyncio.sleep(0.01)

    async def post(self, client: httpx.AsyncClient, messages: list[dict[str, Any]]) -> bool:
        body = notification(messages)
        try:
            answer = await client.post(self.house.hook, content=body, headers=signed(body))
            outcome = "ok" if answer.status_code == 200 else "refused"
        except httpx.HTTPError:
            outcome = "unknown"
        mark = self.mark()
        for message in messages:
            kept = {"wamid": message["id"], "who": message["from"], "text": message["text"]["body"]}
            self.log.append({**kept, "outcome": outcome, "mark": mark})
        return outcome == "ok"

    async def repeat(self, patience: float = 20) -> None:
        """Do as Meta does: post again what was not answered 200, until it is."""
        until = time.monotonic() + patience
        async with httpx.AsyncClient(timeout=10, verify=PLAIN) as client:
            for entry in [entry for entry in self.log if entry["outcome"] != "ok"]:
                while not await self.post(client, [message(entry["wamid"], entry["who"], entry["text"])]):
                    assert time.monotonic() < until, "the server does not take messages again"
                    await asyncio.sleep(0.05)

    def message(self) -> dict[str, Any]:
        number = next(self.numbers)
        return message(
            f"wamid.load.{number}", str(15550000000 + number % self.customers), self.words[number % len(self.words)]
        )

    def answered(self) -> set[str]:
        return {entry["wamid"] for entry in self.log if entry["outcome"] == "ok"}


def message(wamid: str, who: str, text: str) -> dict[str, Any]:
    return {
        "from": who, "id": wamid, "timestamp": str(int(time.time())), "type": "text", "text": {"body": text},
        "from_user_id": f"US.{who}",
    }  # fmt: skip


def notification(messages: list[dict[str, Any]]) -> bytes:
    people = {message["from"] for message in messages}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": f"Customer {who}"}, "wa_id": who, "user_id": f"US.{who}"} for who in people],
        "messages": messages,
    }
    entry = {"id": "102290129340398", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def signed(body: bytes) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}
