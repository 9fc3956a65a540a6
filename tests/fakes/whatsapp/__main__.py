"""A phone to play with, in this terminal, and a Parley whose linked devices reach it.

    python -m tests.fakes.whatsapp serve --data play

runs `parley serve` with the library turned to the fake. Then add a channel “WhatsApp Web” with any number, ask for a
code to type, and give it here: `enter ABCD-EFGH`. `help` lists the rest.
"""

import argparse
import asyncio
import os
import sys
import threading
from typing import Any

from .library import e2e
from .server import WhatsApp

GROUP = "120363000000000001@g.us"

HELP = """enter CODE          link by the code that Parley shows
scan TEXT           link by the text of a QR code (parley channel link NAME --json)
say WORDS           Alice writes
bob WORDS           Bob writes
late WORDS          Alice wrote this an hour ago
group WORDS         Alice mentions the owner in a group
room WORDS          Alice writes in that group and mentions nobody
once WORDS          Alice writes what may be seen once
vote ANSWER         Alice votes in the newest poll
fade WORDS          Alice writes what disappears after a minute
me WORDS            the owner writes to Alice, on the phone
read                Alice reads everything
drop                the connections end
unlink              the owner unlinks every device
ban                 the connections end, and the number is closed for an hour
open                the number is open again
help"""


def told(words: str, mentioned: str = "", lasts: int = 0) -> Any:
    """A text that mentions somebody, or disappears after so many seconds."""
    context = e2e.ContextInfo(mentionedJID=[mentioned] if mentioned else [], expiration=lasts)
    return e2e.Message(extendedTextMessage=e2e.ExtendedTextMessage(text=words, contextInfo=context))


class Phone:
    """Carries out lines, and prints what Parley sends."""

    def __init__(self, server: WhatsApp) -> None:
        self._server = server
        self._people = {"say": server.add("15557770001", "Alice"), "bob": server.add("15557770002", "Bob")}
        server.groups[GROUP] = [self._people["say"]]
        self._ids: list[str] = []

    async def do(self, line: str) -> None:
        word, _, rest = line.strip().partition(" ")
        server, alice = self._server, self._people["say"]
        match word:
            case "enter":
                await server.enter(rest)
            case "scan":
                await server.scan(rest)
            case "say" | "bob":
                await server.say(self._people[word], rest)
            case "late":
                await server.say(alice, rest, more={"t": str(int(server.now()) - 3600)})
            case "group":
                await server.send(alice, told(f"@{server.owner.lid} {rest}", str(server.owner.by_lid)), group=GROUP)
            case "room":
                await server.send(alice, told(rest), group=GROUP)
            case "once":
                await server.send(alice, e2e.Message(viewOnceMessageV2=e2e.FutureProofMessage(message=told(rest))))
            case "vote":
                await server.vote(alice, [id for id in self._ids if id in server.secrets][-1], [rest])
            case "fade":
                await server.send(alice, told(rest, lasts=60))
            case "me":
                await server.say(server.owner, rest, to=alice)
            case "read" if self._ids:
                await server.send_receipt(alice, self._ids, "read")
            case "drop":
                await server.end()
            case "unlink":
                await server.unlink()
            case "ban":
                server.refusal = {"reason": "402", "code": "101", "expire": "3600", "location": "play"}
                await server.end()
            case "open":
                server.refusal = {}
            case _:
                print(HELP)

    async def show(self) -> None:
        while True:
            told = await self._server.seen("message", patience=None)
            self._ids.append(told["id"])
            print(f"Parley: {told['text'] or told['message']}", flush=True)


async def play(server: WhatsApp, started: threading.Event) -> None:
    await server.start()
    phone, lines = Phone(server), asyncio.Queue[str]()
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=read, daemon=True).start()
    started.set()
    shown = asyncio.create_task(phone.show())
    while not shown.done():
        try:
            await phone.do(await lines.get())
        except (LookupError, StopIteration, ValueError, RuntimeError) as error:
            print(f"That did not work: {error!r}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.whatsapp", description=__doc__)
    parser.add_argument("parley", nargs=argparse.REMAINDER, help="arguments of parley, as: serve --data FOLDER")
    given = parser.parse_args()
    server, started = WhatsApp(), threading.Event()
    threading.Thread(target=lambda: asyncio.run(play(server, started)), daemon=True).start()
    started.wait()
    server.redirect()
    os.environ["PARLEY_WHATSAPP_WEB_URL"] = f"ws://127.0.0.1:{server.port}/ws/chat"
    run: Any = __import__("app.cli", fromlist=["main"]).main
    sys.argv = ["parley", *(given.parley or ["serve"])]
    return int(run() or 0)


if __name__ == "__main__":
    sys.exit(main())
