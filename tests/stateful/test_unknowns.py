"""The outbox with unknown outcomes (P18, P19, P21, P23): a network that takes, refuses, says nothing and tells late."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from app import claims, handoff, outbox, settle
from app.connectors.base import Outbound, Problem, Receipt, SendFailed, Sent, Status
from app.content import Text
from app.errors import Conflict
from tests.databases import Templates
from tests.shop import NUMBER, change, network, open_shop, rows, said, take_in
from tests.stateful.machine import Machine, walk

# What each status may be replaced by when the network tells something.
FORWARD = {
    "queued": {"unknown", "accepted", "failed", "sent", "delivered", "read"},
    "unknown": {"accepted", "failed", "sent", "delivered", "read"},
    "discarded": {"failed", "sent", "delivered", "read"},
    "accepted": {"failed", "sent", "delivered", "read"},
    "sent": {"failed", "delivered", "read"},
    "failed": {"delivered", "read"},
    "delivered": {"read"},
    "read": set(),
}
EARLIEST_FIRST = ["sent", "failed", "delivered", "read"]
BLOCKS = ("queued", "sending", "unknown")


@dataclass
class Message:
    """One of ours as it should be. `state` is '' once it left the outbox; `taken`: by the network, since a person last
    decided."""

    id: int
    conversation_id: int
    place: int
    state: str = "queued"
    status: str = "queued"
    provider_id: str | None = None
    attempts: int = 0
    due: int = 0
    taken: bool = False

    def advance(self, status: str) -> None:
        if status in FORWARD[self.status]:
            self.status = status


@dataclass
class Attempt:
    """One send under way, and what the network made of it. `tells`: its receipts carry our own word."""

    message: Message
    answer: "asyncio.Future[Sent]"
    provider_id: str = ""
    tells: bool = True
    over: bool = False
    told: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)


class Outbox(Machine):
    def __init__(self, templates: Templates) -> None:
        self.messages: dict[int, Message] = {}
        self.attempts: list[Attempt] = []
        self.places = 0
        super().__init__(templates)

    async def made(self) -> None:
        self.live = await open_shop(self.rt)
        self.edge = network(self.live)
        self.edge.answer = self.arrives
        self.conversations = [
            (await take_in(self.rt, self.live, said(self.rt, "hi", who))).conversation_id for who in ("111", "222")
        ]
        await change(self.rt, "delete from outbox")
        self.live.sender.start()

    def teardown(self) -> None:
        self.do(self.live.sender.stop(0))
        super().teardown()

    # ---- the network ------------------------------------------------------------------------------------------------

    def arrives(self, outbound: Outbound) -> "asyncio.Future[Sent]":
        """Nothing arrives that was taken before, or out of its turn."""
        message = self.messages[int(outbound.opaque.partition(".")[2])]
        assert not message.taken, "sent again after the network took it"
        assert message.state == "queued" and message.due <= self.clock.now(), message
        ahead = [other for other in self.of(message.conversation_id) if other.place < message.place]
        assert not any(other.state in BLOCKS for other in ahead), "sent before what was said earlier"
        message.state, message.attempts = "sending", message.attempts + 1
        attempt = Attempt(message, asyncio.get_running_loop().create_future())
        self.attempts.append(attempt)
        return attempt.answer

    def of(self, conversation_id: int) -> list[Message]:
        return [each for each in self.messages.values() if each.conversation_id == conversation_id]

    def calm(self) -> None:
        """All that can go now is under way."""
        self.do(self._calm())
        for conversation_id in self.conversations:
            waiting = [each for each in self.of(conversation_id) if each.state in BLOCKS]
            first = min(waiting, key=lambda each: each.place, default=None)
            due = first is not None and first.state == "queued" and first.due <= self.clock.now()
            assert not due, f"{first} waits for nothing"
        self.clock.advance(1)

    async def _calm(self) -> None:
        sender, quiet = self.live.sender, 0
        sender.wake()
        while quiet < 3:
            before = len(self.edge.sent)
            await self.rt.db.settled()
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self.edge.sent) == before and not sender._claiming else 0

    def under_way(self) -> list[Attempt]:
        return [each for each in self.attempts if not each.over]

    def one_of(self, data: st.DataObject, attempts: list[Attempt]) -> Attempt:
        return attempts[data.draw(st.integers(0, len(attempts) - 1))]

    # ---- what happens -----------------------------------------------------------------------------------------------

    @rule(which=st.integers(0, 1), several=st.integers(1, 3))
    def a_person_writes(self, which: int, several: int) -> None:
        for _ in range(several):
            self.places += 1
            number = self.do(self._says(self.conversations[which]))
            assert number in self.messages
        self.calm()

    async def _says(self, conversation_id: int) -> int:
        """Known to the model before the network can see it."""
        sender = self.live.sender
        sender.open = False
        number = await handoff.reply(self.rt, conversation_id, Text(f"number {self.places}"), 5)
        self.messages[number] = Message(number, conversation_id, self.places)
        sender.open = True
        return number

    @precondition(lambda self: any(not each.provider_id for each in self.under_way()))
    @rule(data=st.data(), tells=st.booleans())
    def the_network_takes_one(self, data: st.DataObject, tells: bool) -> None:
        """And has not said so yet."""
        attempt = self.one_of(data, [each for each in self.under_way() if not each.provider_id])
        attempt.provider_id, attempt.tells = f"wamid.{self.attempts.index(attempt)}", tells
        attempt.message.taken = True

    @precondition(lambda self: any(each.provider_id for each in self.under_way()))
    @rule(data=st.data())
    def the_network_says_so(self, data: st.DataObject) -> None:
        attempt = self.one_of(data, [each for each in self.under_way() if each.provider_id])
        attempt.over, message = True, attempt.message
        if message.status in ("queued", "unknown"):
            message.status, message.provider_id = "accepted", attempt.provider_id
        message.state = ""
        for status in EARLIEST_FIRST:
            if status in attempt.waiting:
                message.advance(status)
        attempt.waiting.clear()
        attempt.answer.set_result(Sent(attempt.provider_id))
        self.calm()

    @precondition(lambda self: any(not each.provider_id for each in self.under_way()))
    @rule(data=st.data(), temporary=st.booleans())
    def the_network_refuses(self, data: st.DataObject, temporary: bool) -> None:
        attempt = self.one_of(data, [each for each in self.under_way() if not each.provider_id])
        attempt.over, message = True, attempt.message
        if temporary and message.attempts < outbox.ATTEMPTS:
            if message.state == "sending":
                wait = min(900, 2 * 2 ** (message.attempts - 1))
                message.state, message.due = "queued", self.clock.now() + wait * 1000
        else:
            message.state = ""
            message.advance("failed")
        attempt.answer.set_exception(SendFailed(Problem("131016"), certain=True, temporary=temporary))
        self.calm()

    @precondition(lambda self: self.under_way())
    @rule(data=st.data(), broken=st.booleans())
    def the_connection_is_lost(self, data: st.DataObject, broken: bool) -> None:
        """Whether it was taken or not."""
        attempt = self.one_of(data, self.under_way())
        self.unknown(attempt)
        lost = OSError("reset") if broken else SendFailed(Problem("send.timeout"), certain=False, temporary=True)
        attempt.answer.set_exception(lost)
        self.calm()

    def unknown(self, attempt: Attempt) -> None:
        attempt.over, message = True, attempt.message
        if message.state == "sending":
            message.state, message.due = "unknown", self.clock.now() + settle.UNKNOWN_FOR
        message.advance("unknown")

    @rule()
    def the_channel_stops_and_starts(self) -> None:
        for attempt in self.under_way():
            self.unknown(attempt)
        self.do(self.live.sender.stop(0))
        self.do(self.rt.db.settled())
        self.live.sender.open = True
        self.calm()

    @precondition(lambda self: any(each.provider_id for each in self.attempts))
    @rule(data=st.data(), status=st.sampled_from(EARLIEST_FIRST), times=st.integers(1, 2))
    def a_receipt_comes(self, data: st.DataObject, status: str, times: int) -> None:
        attempt = self.one_of(data, [each for each in self.attempts if each.provider_id])
        message, word = attempt.message, f"{self.rt.install}.{attempt.message.id}"
        told = Receipt(
            NUMBER, attempt.provider_id, Status(status), 1, b"{}", word if attempt.tells else "",
            problem=Problem("131026") if status == "failed" else None,
        )  # fmt: skip
        if status not in attempt.told:
            attempt.told.add(status)
            if attempt.tells or message.provider_id == attempt.provider_id:
                if message.status in ("queued", "unknown"):
                    message.state = ""
                message.provider_id = message.provider_id or attempt.provider_id
                message.advance(status)
            else:
                attempt.waiting.add(status)
        for _ in range(times):
            self.do(self.rt.db.write(settle.receipt, self.live.row.id, self.rt.install, told))
        self.calm()

    @rule(seconds=st.sampled_from([2, 10, 121, 300]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        for message in self.messages.values():
            if message.state == "unknown" and message.due <= self.clock.now():
                message.state = "held"
        self.do(self.rt.db.write(claims.hold_overdue))
        self.calm()

    @precondition(lambda self: self.messages)
    @rule(data=st.data(), again=st.booleans())
    def a_person_decides(self, data: st.DataObject, again: bool) -> None:
        """Only what is held waits for that; most of what is asked for here is."""
        held = [each for each in self.messages.values() if each.state == "held"] or [*self.messages.values()]
        message = held[data.draw(st.integers(0, len(held) - 1))]
        decide = handoff.resend if again else handoff.discard
        if message.state != "held":
            try:
                self.do(decide(self.rt, message.id))
            except Conflict:
                return
            raise AssertionError(f"{message} was not held")
        if again:
            self.places += 1
            message.place, message.due, message.attempts, message.taken = self.places, 0, 0, False
            message.state = message.status = "queued"
        else:
            message.state, message.status = "", "discarded"
        self.do(decide(self.rt, message.id))
        self.calm()

    # ---- what holds -------------------------------------------------------------------------------------------------

    @invariant()
    def everything_is_where_it_should_be(self) -> None:
        found = self.do(rows(self.rt, "select id, status, provider_id from message where author = 'user' order by id"))
        mine = sorted(self.messages.values(), key=lambda each: each.id)
        assert found == [(each.id, each.status, each.provider_id) for each in mine]
        left = self.do(rows(self.rt, "select message_id, state from outbox order by message_id"))
        assert left == [(each.id, each.state) for each in mine if each.state]


def test_P19_whatever_the_network_does_nothing_is_taken_twice(sqlite_templates: Templates) -> None:
    walk(lambda: Outbox(sqlite_templates), 60)
