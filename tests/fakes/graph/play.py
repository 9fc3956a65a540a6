"""A customer in the terminal, for a person without an account at Meta: a line typed is a message, replies appear."""

import asyncio
import contextlib
import itertools
import sys
import threading
from typing import Any

import msgspec

from . import inbound
from .admin import settled
from .config import Number
from .truth import Accepted
from .world import World

HELP = """A line is a message from the customer. A number alone taps the button or row with that number.
/from PHONE or /from @NAME  become another customer     /image /video /audio /document /sticker [caption]  send a file
/location LAT LON  send a place     /react EMOJI  react to the last reply     /quit  leave"""
FILES = ("image", "video", "audio", "document", "sticker")
Choice = tuple[str, dict[str, Any]]  # kind of reply, its content


def introduce(world: World, number: Number) -> str:
    return f"""Settings for a WhatsApp Cloud channel in Parley:
  Graph address    {world.base}
  phone_number_id  {number.phone_number_id}
  account (WABA)   {number.waba}
  access token     {number.token}
  app secret       {number.app_secret}
  verify token     {number.verify_token}
  webhooks go to   {number.webhook or "nowhere yet: start again with --webhook and the address that Parley shows"}

{HELP}"""


def choices(body: dict[str, Any]) -> list[Choice]:
    """What a customer can tap in a message, in the order shown."""
    action = (body.get("interactive") or {}).get("action") or {}
    buttons = [("button_reply", button["reply"]) for button in action.get("buttons", []) if "reply" in button]
    sections = action.get("sections", [])
    return buttons + [("list_reply", row) for section in sections for row in section.get("rows", [])]


def shown(kind: str, body: dict[str, Any]) -> str:
    content = body.get(kind) or {}
    if kind == "text":
        return str(content["body"])
    if kind == "interactive":
        lines = [str((content.get(part) or {}).get("text", "")) for part in ("header", "body", "footer")]
        lines += [f"  {n}) {choice['title']}" for n, (_, choice) in enumerate(choices(body), 1)]
        return "\n    ".join(line for line in lines if line)
    if kind in FILES:
        name = content.get("filename") or content.get("link") or content.get("id")
        return f"[{kind} {name}] {content.get('caption', '')}"
    return f"[{kind}] {msgspec.json.encode(content).decode()}"


class Player:
    """One customer at a time and what they saw last."""

    def __init__(self, world: World, number: Number) -> None:
        self.world, self.number = world, number
        self.who = "16505551234"
        self.last = ""  # message id of the last reply
        self.asked: tuple[str, list[Choice]] = ("", [])  # the last one with something to tap

    def watch(self, line: Accepted, body: bytes) -> None:
        decoded = msgspec.json.decode(body)
        self.last = line.wamid
        if found := choices(decoded):
            self.asked = (line.wamid, found)
        print(f"  < {shown(line.type, decoded)}", flush=True)

    def say(self, line: str) -> None:
        """Raises `ValueError` for a command that cannot be understood."""
        command, _, rest = line.partition(" ")
        wamid, options = self.asked
        given: dict[str, Any] = {"text": line}
        if line.isdigit() and 1 <= int(line) <= len(options):
            kind, content = options[int(line) - 1]
            given = {kind: content, "context": {"from": self.number.display_phone_number, "id": wamid}}
        elif command == "/from":
            self.who = rest.strip()
            self.world.people.meet(self.who)
            return
        elif command[1:] in FILES and command[0] == "/":
            given = {command[1:]: {"caption": rest} if rest else {}}
        elif command == "/location":
            latitude, longitude = rest.split()
            given = {"location": {"latitude": float(latitude), "longitude": float(longitude)}}
        elif command == "/react":
            given = {"reaction": {"message_id": self.last, "emoji": rest}}
        elif command.startswith("/"):
            raise ValueError(HELP)
        inbound.receive(self.world, self.number, {"from": self.who, **given})


def _type(lines: asyncio.Queue[str], loop: asyncio.AbstractEventLoop) -> None:
    """Reads in a thread: a terminal made non-blocking would break printing."""
    for line in itertools.chain(sys.stdin, ["/quit"]):
        loop.call_soon_threadsafe(lines.put_nowait, line.strip())


async def play(world: World, ended: asyncio.Event) -> None:
    """Until /quit, the end of the input or a signal."""
    player = Player(world, next(iter(world.numbers.values())))
    print(introduce(world, player.number), flush=True)
    world.watchers.append(player.watch)
    lines: asyncio.Queue[str] = asyncio.Queue()
    threading.Thread(target=_type, args=(lines, asyncio.get_running_loop()), daemon=True).start()
    world.spawn(_quit_at(ended, lines))
    while (line := await lines.get()) != "/quit":
        try:
            if line:
                player.say(line)
        except ValueError as error:
            print(error, flush=True)
    with contextlib.suppress(TimeoutError):
        await settled(world, {"timeout": 2})


async def _quit_at(ended: asyncio.Event, lines: asyncio.Queue[str]) -> None:
    await ended.wait()
    lines.put_nowait("/quit")
