"""Ingest and deduplication (P3, P4): messages in any order, repeated, changed, alone and together."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from app import content, handoff, inbox
from app.connectors.base import Inbound
from app.content import Content, Delete, Edit, Reaction, Text
from tests.databases import Templates
from tests.shop import open_shop, rows, said
from tests.stateful.machine import Machine, walk

PEOPLE = [f"1650555000{number}" for number in range(3)]
IDS = [f"wamid.{number}" for number in range(16)]
BOT = """
bot: Echo
language: en
rules: []
fallback: {do: [{say: "You said {{ message.text }}"}]}
"""
ids = st.sampled_from(IDS)
contents = st.one_of(
    st.integers(0, 99).map(lambda number: Text(f"word {number}")),
    st.integers(0, 99).map(lambda number: Text(f"word {number}")),
    st.builds(Edit, ids, st.integers(100, 199).map(lambda number: Text(f"word {number}"))),
    st.builds(Delete, ids),
    st.builds(Reaction, ids, st.sampled_from(["❤️", ""])),
)
flags = st.sampled_from([{}, {}, {}, {"echo": True}, {"history": True}, {"standby": True}])
names = st.sampled_from(["Ana", "Ana", "Ana Souza"])


@dataclass(frozen=True)
class Came:
    """One message as a network tells it; told again, its id may come with anything."""

    id: str
    who: str
    what: Content
    flags: dict[str, bool]
    name: str


def told_of(name: str, who: str, what: Content, flags: dict[str, bool], known: str) -> Came:
    """No two texts are the same: a bot that answers the same three times asks for a person."""
    return Came(name, who, Text(f"{what.text} of {name}") if isinstance(what, Text) else what, flags, known)


came = st.builds(told_of, ids, st.sampled_from(PEOPLE), contents, flags, names)


@dataclass
class Kept:
    """What is to be known of a message."""

    who: str
    text: str
    direction: str
    edited: bool = False
    deleted: bool = False


@dataclass
class Model:
    kept: dict[str, Kept] = field(default_factory=dict)
    early: dict[str, list[Came]] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)

    def hear(self, one: Came) -> bool:
        """Whether it was new."""
        if one.id in self.kept:
            return False
        self.kept[one.id] = Kept(one.who, content.text(one.what), direction(one))
        self._overtaken(one)
        if self.kept[one.id].deleted:
            return True
        if isinstance(one.what, Edit | Delete):
            if one.what.target in self.kept:
                self._change(one)
            else:
                self.early.setdefault(one.what.target, []).append(one)
        elif isinstance(one.what, Text):
            if direction(one) == "out":
                self.taken.add(one.who)
            elif not one.flags and one.who not in self.taken:
                self.answered.add(one.id)
        return True

    def _overtaken(self, one: Came) -> None:
        """A deletion goes before all edits."""
        changes = [each for each in self.early.pop(one.id, []) if side(each) == side(one)]
        deletions = [each for each in changes if isinstance(each.what, Delete)]
        for each in deletions or changes:
            self._change(each)

    def _change(self, one: Came) -> None:
        """Each side of a conversation changes its own."""
        assert isinstance(one.what, Edit | Delete)
        target = self.kept[one.what.target]
        if (target.who, target.direction) == side(one):
            if isinstance(one.what, Edit):
                target.text, target.edited = content.text(one.what.content), True
            else:
                target.deleted = True


def direction(one: Came) -> str:
    return "out" if one.flags.get("echo", False) else "in"


def side(one: Came) -> tuple[str, str]:
    return one.who, direction(one)


class Ingest(Machine):
    def __init__(self, templates: Templates) -> None:
        super().__init__(templates)
        self.model = Model()
        self.stored: dict[str, int] = {}

    async def made(self) -> None:
        self.live = await open_shop(self.rt, BOT)

    @initialize(all=st.lists(came, min_size=4, max_size=10))
    def begins_with_some(self, all: list[Came]) -> None:
        self.together(all)

    @rule(one=came)
    def alone(self, one: Came) -> None:
        self.told([one], self.do(self._apart([one])))

    @rule(one=came, times=st.integers(2, 4))
    def again_at_once(self, one: Came, times: int) -> None:
        self.told([one] * times, self.do(self._apart([one] * times)))

    @rule(all=st.lists(came, min_size=2, max_size=8))
    def together(self, all: list[Came]) -> None:
        """In one unit, as messages that waited for the writer are."""
        calls = [(self.rt.channels.intake, self.live.here, self._inbound(one), False) for one in all]
        outcomes = self.do(self.rt.db.write(inbox.receive_all, calls))
        self.told(all, outcomes)

    @rule(all=st.lists(came, min_size=2, max_size=8))
    def at_once(self, all: list[Came]) -> None:
        self.told(all, self.do(self._apart(all)))

    @rule(who=st.sampled_from(PEOPLE))
    def given_back(self, who: str) -> None:
        found = self.do(rows(self.rt, "select v.id from conversation v join contact c on c.id = v.contact_id"
                             " where c.phone = :who", who=who))  # fmt: skip
        assert len(found) == (who in {kept.who for kept in self.model.kept.values()})
        for (conversation_id,) in found:
            self.do(handoff.give_back(self.rt, conversation_id))
        self.model.taken.discard(who)

    async def _apart(self, all: list[Came]) -> list[inbox.Outcome]:
        """Each a unit of its own; what waits is done together."""
        loop, heard = asyncio.get_running_loop(), []
        for one in all:
            future = loop.create_future()
            heard.append(future)
            self.rt.db.submit(
                inbox.RECEIVE, self.rt.channels.intake, self.live.here, self._inbound(one), False,
                done=partial(_settle, future),
            )  # fmt: skip
        return await asyncio.gather(*heard)

    def _inbound(self, one: Came) -> Inbound:
        return said(self.rt, one.what, one.who, provider_id=one.id, name=one.name, **one.flags)

    def told(self, all: list[Came], outcomes: list[inbox.Outcome]) -> None:
        """What is answered for each: new once, by the message that is kept."""
        for one, outcome in zip(all, outcomes, strict=True):
            assert outcome.duplicate is not self.model.hear(one), one
            if not outcome.duplicate:
                self.stored[one.id] = outcome.message_id
        # So late that the bot does not take the customer for another bot.
        self.clock.advance(3600)

    @invariant()
    def every_id_is_kept_once_as_it_was_last_changed(self) -> None:
        found = self.do(rows(self.rt, "select m.provider_id, m.id, c.phone, m.text, m.direction, m.edited_at is not"
                             " null, m.deleted_at is not null from message m join conversation v on"
                             " v.id = m.conversation_id join contact c on c.id = v.contact_id"
                             " where m.author <> 'bot' order by m.id"))  # fmt: skip
        kept = self.model.kept
        assert len(found) == len(kept)
        for provider_id, message_id, *rest in found:
            one = kept[provider_id]
            assert message_id == self.stored[provider_id]
            assert rest == [one.who, one.text, one.direction, one.edited, one.deleted], provider_id

    @invariant()
    def who_said_nothing_new_is_nobody(self) -> None:
        found = self.do(rows(self.rt, "select c.phone from contact c join conversation v on v.contact_id = c.id"))
        assert sorted(found) == sorted({(kept.who,) for kept in self.model.kept.values()})

    @invariant()
    def each_is_answered_once_and_in_its_place(self) -> None:
        turns = self.do(rows(self.rt, "select m.provider_id, t.error from turn t join message m on m.id = t.id"))
        assert sorted(turns) == sorted((name, "") for name in self.model.answered)
        replies = self.do(rows(self.rt, "select count(*), count(distinct turn_id) from message where author = 'bot'"))
        assert replies == [(len(turns), len(turns))]
        places = self.do(rows(self.rt, "select count(*), count(distinct place), max(place) from outbox"
                              " group by conversation_id"))  # fmt: skip
        assert all(count == different == last for count, different, last in places)


def _settle(
    future: "asyncio.Future[inbox.Outcome]", outcome: inbox.Outcome | None, error: BaseException | None
) -> None:
    if error is not None:
        future.set_exception(error)
    elif outcome is not None:
        future.set_result(outcome)


def test_P3_whatever_comes_is_kept_once_and_answered_once(sqlite_templates: Templates) -> None:
    walk(lambda: Ingest(sqlite_templates), 60)
