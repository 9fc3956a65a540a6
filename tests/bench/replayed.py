"""10,000 past turns through a draft: `python -m tests.bench.replayed [TURNS]`, on a quiet machine.

What is stored is made by the product itself. The floor of the same run is deciding alone: the same number of turns, in
the same process, with nothing read, decoded or compared. The ratio is what the rest of a replay costs.
"""

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from app import bots, connecting, content, inbox, replay
from app.bot.decide import decide
from app.bot.document import compile_version
from app.bot.scene import TurnInput
from app.connectors.base import Address, Inbound
from app.db import Query
from app.runtime import Runtime, start, stop
from app.settings import load
from app.store.turns import CAPABILITIES, GIVEN
from tests.bench import wire

EACH = 10  # turns of a conversation
ROUNDS = 3
WORDS = ["hello there", "when are you open", "rye bread please", "what is a baguette", "thanks", "person"]
RULES = "".join(
    f'  - name: r{n}\n    when: {{says: [w{n}, "wo{n} rd{n}"]}}\n    do: [{{say: "Answer {n}."}}]\n' for n in range(50)
)
BOT = f"""bot: Bakery
rules:
  - name: greeting
    when: {{says: hello}}
    do: [{{say: "Hi {{{{ contact.first_name or 'there' }}}}!", buttons: [Menu, Order]}}]
  - name: open
    when: {{says: open}}
    do: [{{say: "From 8 to 18."}}]
{RULES}fallback: {{do: [{{say: "Sorry?"}}]}}
"""
DRAFT = BOT.replace("From 8 to 18", "From 9 to 18").replace("hello}", "[hello, thanks]}")
SECRET = {"access_token": "E" * 180, "app_secret": wire.SECRET, "verify_token": "bench"}
STORED = Query(f"select {GIVEN} from turn t {CAPABILITIES} order by t.id", str)


async def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        rt = await start(load({"data": place}, {}, Path(place)))
        try:
            await measure(rt, count)
        finally:
            await stop(rt)


async def measure(rt: Runtime, count: int) -> None:
    bot_id = await fill(rt, count)
    draft = compile_version(DRAFT)
    inputs = [msgspec.json.decode(text, type=TurnInput) for text in await rt.db.reader.all(STORED)]
    floors, takes = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for given in inputs:
            decide(draft, given.scene, given.event, given.now)
        floors.append(time.perf_counter() - began)
        began = time.perf_counter()
        report = await replay.replay(rt.db.reader, bot_id, draft, replay.Choice(last=10_000), lambda done, total: None)
        takes.append(time.perf_counter() - began)
    assert report.total_turns == count, report.turns
    floor, took = min(floors), min(takes)
    print(f"{count} turns in {took:.2f} s, deciding alone {floor:.2f} s: ratio {took / floor:.1f}")
    print(f"conversations {report.conversations}, turns {report.turns}")


async def fill(rt: Runtime, count: int) -> int:
    """Customers who write ten times each, in between each other. Returns the bot's id."""
    values = SECRET | {"phone_number_id": wire.NUMBER}
    channel_id = await connecting.add(rt.channels, "whatsapp_cloud", "Bench", values, rate=0)
    live = rt.channels.by_id[channel_id]
    live.sender.open = False
    bot_id = await bots.create(rt, "", BOT, None)
    await bots.publish(rt, bot_id, [channel_id], "", None)
    dice = random.Random(7)
    for at in range(0, count, 500):
        await asyncio.gather(
            *(
                rt.db.write(inbox.receive, rt.channels.intake, live.here, message(n, count, dice, rt.clock.now()))
                for n in range(at, min(at + 500, count))
            )
        )
    return bot_id


def message(n: int, count: int, dice: random.Random, now: int) -> Inbound:
    who = f"1650{n % (count // EACH):07}"
    # Every other one has a rule of its own: a bot that says the same again and again is stopped.
    text = dice.choice(WORDS) if n // (count // EACH) % 2 else f"w{dice.randrange(50)}"
    return Inbound(
        account=wire.NUMBER, provider_id=f"wamid.{n}", sender=Address(phone=who, wa_id=who), at=now,
        content=content.Text(text), raw=b"{}", name="Ana Souza",
    )  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
