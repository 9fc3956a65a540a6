"""Answers for the handler `prices` over the WebSocket. Needs: pip install websockets

PARLEY_URL=http://127.0.0.1:8080 PARLEY_KEY=pk_… python prices.py
"""

import asyncio
import json
import os

from websockets.asyncio.client import connect

PRICES = {"bread": 5, "cake": 20}
ADDRESS = os.environ["PARLEY_URL"].replace("http", "ws", 1) + "/api/v1/socket"
HEADERS = {"Authorization": f"Bearer {os.environ['PARLEY_KEY']}"}


def price(data):
    """What is asked is the `json` of the bot's step. A status as of HTTP chooses the branch of a failure."""
    item = data["item"]
    return (200, {"price": PRICES[item]}) if item in PRICES else (404, None)


async def work(socket):
    async def say(**words):
        await socket.send(json.dumps(words))

    await say(do="handle", id="hello", handlers=["prices"], at_once=4)
    offered = {}
    async for text in socket:
        message = json.loads(text)
        if "question" in message:
            question = message["question"]
            offered[question["id"]] = question
            await say(do="taken", id=question["id"], question=question["id"])
        elif message.get("id") in offered:  # the answer to `taken`: begin if it is ours
            question = offered.pop(message["id"])
            if message["ok"]:
                status, body = price(question["data"])
                await say(do="answer", question=question["id"], status=status, body=body)


async def main():
    async for socket in connect(ADDRESS, additional_headers=HEADERS):  # comes back after every break
        try:
            await work(socket)
        except OSError:
            pass


asyncio.run(main())
