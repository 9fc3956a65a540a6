"""All that the server knows: the bot, people and groups, messages, files, updates, paces, faults, the truth."""

import asyncio
import random
import time
from collections import Counter
from typing import Any

import msgspec

from ..graph.faults import Faults
from ..graph.limits import Pace
from .config import Settings, changed
from .errors import ApiError, bad, slow_down
from .hook import Hook
from .truth import Refused, Sent, Told, Truth
from .updates import Queue

Message = dict[str, Any]


class Chat(msgspec.Struct):
    """A person's chat with the bot (positive id) or a group (negative). `started`: the bot may write."""

    id: int
    names: dict[str, str] = {}
    type: str = "private"
    started: bool = False
    blocked: bool = False
    gone: bool = False
    moved_to: int = 0
    last: int = 0  # the newest message id

    def shown(self) -> dict[str, Any]:
        return {"id": self.id, **self.names, "type": self.type}


class File(msgspec.Struct):
    data: bytes
    mime: str
    size: int
    path: str = ""
    expires: float = 0.0


class World:
    def __init__(self, settings: Settings, truth: Truth) -> None:
        self.settings, self.truth = settings, truth
        self.base = ""
        self.offset = 0.0  # seconds added to the clock
        self.dice = random.Random(settings.seed)
        self.faults = Faults(self.dice)
        self.chats: dict[int, Chat] = {}
        self.messages: dict[tuple[int, int], Message] = {}
        self.files: dict[str, File] = {}
        self.callbacks: dict[str, float] = {}
        self.answered: dict[str, dict[str, Any]] = {}
        self.actions: list[tuple[int, str]] = []
        self.sent: list[Sent] = []
        self.refused: Counter[int] = Counter()
        self.waiters: list[tuple[int, asyncio.Future[None]]] = []
        self.watchers: list[Any] = []
        self.tasks: set[asyncio.Task[Any]] = set()
        self.queue = Queue(self)
        self.hook = Hook(self)
        self.set_paces()

    @property
    def id(self) -> int:
        return int(self.settings.token.partition(":")[0])

    def me(self) -> dict[str, Any]:
        return {"id": self.id, "is_bot": True, "first_name": self.settings.name, "username": self.settings.username}

    def now(self) -> float:
        return time.time() + self.offset

    def change_settings(self, changes: dict[str, Any]) -> None:
        fresh = changed(self.settings, changes)
        for name in changes:
            setattr(self.settings, name, getattr(fresh, name))
        self.set_paces()

    def set_paces(self) -> None:
        settings = self.settings
        self.chat_pace = Pace(settings.chat_every * 1000, settings.chat_burst)
        self.group_pace = Pace(settings.group_every * 1000, settings.group_burst)
        rate = settings.per_second
        self.bot_pace = Pace(1000 / rate if rate else 0.0, max(rate, 1.0))

    # ---- chats and messages -----------------------------------------------------------------------------------------

    def chat(self, id: int, **names: str) -> Chat:
        """The chat, made if it is new."""
        known = self.chats.setdefault(id, Chat(id, type="private" if id > 0 else "supergroup"))
        if names:
            known.names = known.names | names
        if id > 0 and not known.names:
            known.names = {"first_name": f"Person {id}"}
        if id < 0 and "title" not in known.names:
            known.names = {**known.names, "title": f"Group {-id}"}
        return known

    def may_write(self, id: int) -> Chat:
        """The chat that a bot writes to. Raises as Telegram does."""
        chat = self.chats.get(id)
        if chat is None:
            raise bad("chat not found")
        if chat.moved_to:
            raise ApiError(400, "group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.moved_to)
        if chat.gone:
            known = "user is deactivated" if id > 0 else "bot was kicked from the supergroup chat"
            raise ApiError(403, known)
        if chat.blocked:
            raise ApiError(403, "bot was blocked by the user")
        if not chat.started:
            raise ApiError(403, "bot can't initiate conversation with a user")
        return chat

    def pace(self, chat: Chat) -> None:
        """Raises 429 with the whole seconds to wait."""
        now = self.now() * 1000
        pace = self.chat_pace if chat.id > 0 else self.group_pace
        for one, key in ((pace, chat.id), (self.bot_pace, "bot")):
            if not one.take(key, now):
                wait = max(1, int((one.due[key] - one.ahead - now) / 1000 + 0.999))
                raise slow_down(wait)

    def message(self, chat: Chat, sender: dict[str, Any], content: dict[str, Any]) -> Message:
        chat.last += 1
        made = {"message_id": chat.last, "from": sender, "chat": chat.shown(), "date": int(self.now()), **content}
        self.messages[chat.id, chat.last] = made
        return made

    # ---- what happened ----------------------------------------------------------------------------------------------

    def accept(self, line: Sent) -> None:
        """The moment of truth: from now on it counts as done, whatever the caller gets to hear."""
        self.truth.write(line)
        self.sent.append(line)
        for count, future in self.waiters:
            if len(self.sent) >= count and not future.done():
                future.set_result(None)
        self.waiters = [waiter for waiter in self.waiters if not waiter[1].done()]
        for watcher in self.watchers:
            watcher(line)

    def refuse(self, method: str, error: ApiError) -> None:
        self.refused[error.code] += 1
        self.truth.write(
            Refused(at=int(self.now() * 1000), method=method, code=error.code, description=error.description)
        )

    def tell(self, kind: str, payload: dict[str, Any]) -> int:
        """A new update for the bot. Returns its id."""
        update_id = self.queue.add(kind, payload)
        number = payload.get("message_id", 0)
        self.truth.write(
            Told(at=int(self.now() * 1000), update_id=update_id, what=kind,
                 message_id=number if isinstance(number, int) else 0)
        )  # fmt: skip
        return update_id

    async def wait_sent(self, count: int, seconds: float) -> None:
        """Raises `TimeoutError`."""
        if len(self.sent) < count:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiters.append((count, future))
            async with asyncio.timeout(seconds):
                await future

    def spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def close(self) -> None:
        self.hook.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.truth.close()
