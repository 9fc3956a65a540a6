"""A person in the terminal, for whoever has no bot at Telegram: a line typed is a message, answers appear."""

import asyncio
import sys
import threading

from . import people
from .truth import Sent
from .world import World

HELP = """A line is a message. A number alone presses the button with that number.
/from ID  become another person     /photo /voice /document  send a file     /quit  leave"""
Buttons = list[str]


def introduce(world: World) -> str:
    settings = world.settings
    return f"""Settings for a Telegram channel in Parley, which runs with PARLEY_TELEGRAM_URL={world.base}
  token  {settings.token}
  bot    @{settings.username}

{HELP}"""


def buttons_of(world: World, line: Sent) -> Buttons:
    message = world.messages.get((line.chat_id, line.message_id), {})
    rows = (message.get("reply_markup") or {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]


class Player:
    def __init__(self, world: World) -> None:
        self.world, self.who = world, 7001
        self.buttons: Buttons = []
        world.watchers.append(self.show)

    def show(self, line: Sent) -> None:
        self.buttons = buttons_of(self.world, line)
        print(f"  → {line.text or line.method}", flush=True)
        for number, title in enumerate(self.buttons, 1):
            print(f"      {number}) {title}", flush=True)

    def take(self, line: str) -> bool:
        """False when the person leaves."""
        word, _, rest = line.partition(" ")
        given: dict[str, object] = {"from": self.who}
        if word == "/quit":
            return False
        if word == "/from" and rest.strip().isdigit():
            self.who = int(rest)
        elif word in ("/photo", "/voice", "/document"):
            people.receive(self.world, given | {word[1:]: {}})
        elif line.isdigit() and 0 < int(line) <= len(self.buttons):
            people.press(self.world, given | {"title": self.buttons[int(line) - 1]})
        elif line.strip():
            people.receive(self.world, given | {"text": line})
        return True


async def play(world: World, ended: asyncio.Event) -> None:
    print(introduce(world), flush=True)
    player, loop = Player(world), asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line.rstrip("\n"))
        loop.call_soon_threadsafe(lines.put_nowait, "/quit")

    threading.Thread(target=read, daemon=True).start()
    while player.take(await lines.get()):
        pass
    ended.set()
