"""Sessions and credentials (S6, S10, S11, S12): who is let in, whatever was logged in, taken back or over before."""

from dataclasses import dataclass, field
from itertools import count

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from starlette.applications import Starlette

from app import tokens, users
from app.audit import entry, logged
from app.security import access, sessions
from app.store import users as user_rows
from app.web import create_app
from tests.canaries import plant
from tests.databases import Templates
from tests.shell import ORIGIN, PASSWORD, Browser
from tests.stateful.machine import Machine, walk

OTHER = plant("seven green lamps hum")
MINUTE, HOUR, DAY = 60, 3600, 86_400
API = "/api/v1"


@dataclass
class Person:
    """`version` changes with whatever ends access tokens."""

    id: int
    email: str
    password: str = PASSWORD
    version: int = 0
    off: bool = False


@dataclass
class Session:
    whose: Person
    browser: Browser
    began: int
    seen: int
    ended: bool = False


@dataclass
class Access:
    whose: Person
    token: str
    version: int
    until: int
    denied: bool = False


@dataclass
class Family:
    """What came from one log-in of a program: its refresh tokens, the last one unused, each with its end."""

    whose: Person
    tokens: list[tuple[str, int]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    ended: bool = False


@dataclass
class Key:
    id: int
    secret: str
    whose: Person
    until: int | None
    deleted: bool = False


class Credentials(Machine):
    app: Starlette

    def __init__(self, templates: Templates) -> None:
        self.people: list[Person] = []
        self.sessions: list[Session] = []
        self.access: list[Access] = []
        self.families: list[Family] = []
        self.keys: list[Key] = []
        self.networks = count(1)
        super().__init__(templates)

    async def made(self) -> None:
        await users.create_owner(self.rt, email="olga@luna.example", name="Olga", password=PASSWORD)
        for email in ("rosa@luna.example", "paul@luna.example"):
            number, _ = await users.add(self.rt, email=email, name="", role="admin", password=PASSWORD)
            self.people.append(Person(number, email))
        self.app = create_app(self.rt)

    # ---- asking -----------------------------------------------------------------------------------------------------

    def browser(self) -> Browser:
        """From a network of its own, so that nobody asks too often."""
        number = next(self.networks)
        transport = httpx.ASGITransport(self.app, client=(f"10.{number >> 8}.{number & 255}.1", 50_000))
        return Browser(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN})

    def ask(self, method: str, path: str, bearer: str = "", body: object = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
        return self.do(self.browser().request(method, f"{API}{path}", headers=headers, json=body))

    def is_in(self, bearer: str) -> bool:
        answer = self.ask("GET", "/auth/access", bearer)
        assert answer.status_code in (200, 401), answer.text
        return answer.status_code == 200

    def person(self, data: st.DataObject) -> Person:
        return data.draw(st.sampled_from(self.people))

    def now(self) -> int:
        return self.clock.now()

    # ---- what should be ---------------------------------------------------------------------------------------------

    def lives(self, one: Session) -> bool:
        idle, old = self.now() - one.seen >= sessions.IDLE, self.now() - one.began >= sessions.ABSOLUTE
        return not (one.ended or idle or old or one.whose.off)

    def is_good(self, one: Access) -> bool:
        whose = one.whose
        return not one.denied and not whose.off and one.version == whose.version and self.now() < one.until

    def opens(self, key: Key) -> bool:
        return not key.deleted and not key.whose.off and (key.until is None or self.now() < key.until)

    def all_out(self, whose: Person, but: Session | None = None) -> None:
        for one in self.sessions:
            if one.whose is whose and one is not but:
                one.ended = True

    # ---- browsers ---------------------------------------------------------------------------------------------------

    @rule(data=st.data(), right=st.sampled_from([True, True, True, False]))
    def log_in(self, data: st.DataObject, right: bool) -> None:
        whose, browser = self.person(data), self.browser()
        given = whose.password if right else "not the password at all"
        answer = self.do(browser.log_in(whose.email, given))
        if right and not whose.off:
            assert answer.status_code == 303
            self.sessions.append(Session(whose, browser, self.now(), self.now()))
        else:
            assert answer.status_code == 422 and not browser.jar

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.sessions))
        answer = self.do(one.browser.get("/account"))
        assert answer.status_code == (200 if self.lives(one) else 303)
        if self.lives(one) and self.now() - one.seen > sessions.TOUCH_EVERY:
            one.seen = self.now()

    @precondition(lambda self: any(self.lives(one) for one in self.sessions))
    @rule(data=st.data())
    def log_out(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from([each for each in self.sessions if self.lives(each)]))
        kept = dict(one.browser.jar)
        assert self.do(one.browser.submit("/logout")).status_code == 303
        one.browser.jar, one.ended = kept, True

    @precondition(lambda self: any(self.lives(one) for one in self.sessions))
    @rule(data=st.data())
    def change_password(self, data: st.DataObject) -> None:
        """Every other session ends, and every log-in of programs."""
        one = data.draw(st.sampled_from([each for each in self.sessions if self.lives(each)]))
        whose, new = one.whose, OTHER if one.whose.password == PASSWORD else PASSWORD
        self.do(self._change(one, new))
        whose.password, whose.version = new, whose.version + 1
        self.all_out(whose, one)
        for family in self.families:
            family.ended |= family.whose is whose

    async def _change(self, one: Session, new: str) -> None:
        user = await self.rt.db.reader.one(user_rows.BY_ID, id=one.whose.id)
        assert user is not None
        await users.change_password(self.rt, user, current=one.whose.password, new=new, keep=self.hashed(one))

    def hashed(self, one: Session) -> str:
        [cookie] = one.browser.jar.values()
        return sessions.digest(cookie.rpartition(".")[0])

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def end_one_session(self, data: st.DataObject) -> None:
        """Of somebody else; it may be over."""
        one = data.draw(st.sampled_from(self.sessions))
        line = entry("session.ended", one.whose.email)
        self.do(self.rt.db.write(logged, line, sessions.end, one.whose.id, self.hashed(one)))
        one.ended = True

    @rule(data=st.data())
    def end_all_sessions(self, data: st.DataObject) -> None:
        whose = self.person(data)
        self.do(self.rt.db.write(logged, entry("session.ended", whose.email), sessions.end_all, whose.id))
        self.all_out(whose)

    @rule(data=st.data())
    def switch_off_or_on(self, data: st.DataObject) -> None:
        """What was begun before does not come back, but for keys and refresh tokens."""
        whose = self.person(data)
        self.do((users.enable if whose.off else users.disable)(self.rt, whose.id))
        whose.off, whose.version = not whose.off, whose.version + 1
        if whose.off:
            self.all_out(whose)

    # ---- programs ---------------------------------------------------------------------------------------------------

    @rule(data=st.data(), right=st.sampled_from([True, True, True, False]))
    def log_in_a_program(self, data: st.DataObject, right: bool) -> None:
        whose = self.person(data)
        given = whose.password if right else "not the password at all"
        answer = self.ask("POST", "/auth/token", body={"email": whose.email, "password": given})
        if right and not whose.off:
            assert answer.status_code == 200, answer.text
            self.families.append(Family(whose))
            self.given(self.families[-1], answer)
        else:
            assert answer.status_code == 401

    def given(self, family: Family, answer: httpx.Response) -> None:
        pair, whose = answer.json(), family.whose
        plant(pair["access_token"]), plant(pair["refresh_token"])
        family.tokens.append((pair["refresh_token"], self.now() + access.REFRESH_LIFETIME))
        self.access.append(Access(whose, pair["access_token"], whose.version, _second(self.now() + access.LIFETIME)))

    @precondition(lambda self: self.families)
    @rule(data=st.data(), last=st.sampled_from([True, True, False]))
    def refresh(self, data: st.DataObject, last: bool) -> None:
        """Used a second time, one ends all that came from its log-in."""
        family = data.draw(st.sampled_from(self.families[-2:]))
        token, until = family.tokens[-1] if last else data.draw(st.sampled_from(family.tokens))
        answer = self.ask("POST", "/auth/refresh", body={"refresh_token": token})
        known = not family.ended and self.now() < until
        if known and token not in family.used and not family.whose.off:
            assert answer.status_code == 200, answer.text
            family.used.add(token)
            self.given(family, answer)
            return
        assert answer.status_code == 401
        if known:
            family.ended |= token in family.used
            family.used.add(token)
        if family.ended:
            assert self.ask("POST", "/auth/refresh", body={"refresh_token": family.tokens[-1][0]}).status_code == 401

    @precondition(lambda self: any(self.is_good(one) for one in self.access))
    @rule(data=st.data(), both=st.booleans())
    def log_out_a_program(self, data: st.DataObject, both: bool) -> None:
        one = data.draw(st.sampled_from([each for each in self.access if self.is_good(each)]))
        family = data.draw(st.sampled_from(self.families))
        body = {"refresh_token": family.tokens[-1][0]} if both else {}
        assert self.ask("POST", "/auth/revoke", one.token, body).status_code == 204
        one.denied = True
        family.ended |= both and self.now() < family.tokens[-1][1]

    @rule(data=st.data(), days=st.sampled_from([0, 1, 2]))
    def make_a_key(self, data: st.DataObject, days: int) -> None:
        whose = self.person(data)
        made = self.do(tokens.create(self.rt, name="k", scopes=["read"], days=days, user_id=whose.id))
        until = self.now() + days * DAY * 1000 if days else None
        self.keys.append(Key(made.id, plant(made.secret), whose, until))

    @precondition(lambda self: any(not key.deleted for key in self.keys))
    @rule(data=st.data())
    def delete_a_key(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from([each for each in self.keys if not each.deleted]))
        self.do(self.rt.db.write(logged, entry("token.deleted", key.id), tokens.delete_key, key.id))
        key.deleted = True

    # ---- time and what holds ----------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 61, 14 * MINUTE, 15 * MINUTE, 7 * HOUR, 8 * HOUR, DAY, 31 * DAY]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self.access or self.keys)
    @rule(data=st.data())
    def show_any(self, data: st.DataObject) -> None:
        """So that some are believed when the next thing happens, and some are not."""
        one = data.draw(st.sampled_from([*self.access, *self.keys]))
        assert self.is_in(one.token if isinstance(one, Access) else one.secret) is self.expected(one)

    def expected(self, one: Access | Key) -> bool:
        return self.is_good(one) if isinstance(one, Access) else self.opens(one)

    @invariant()
    def who_came_last_is_let_in_or_not(self) -> None:
        """The last of each kind after every step, all of them at the end."""
        for one in self.access[-2:]:
            assert self.is_in(one.token) is self.is_good(one), one
        for key in self.keys[-2:]:
            assert self.is_in(key.secret) is self.opens(key), key

    def teardown(self) -> None:
        try:
            self.clock.advance(10)
            for one in self.access:
                assert self.is_in(one.token) is self.is_good(one), one
            for key in self.keys:
                assert self.is_in(key.secret) is self.opens(key), key
            for session in self.sessions:
                found = self.do(session.browser.get("/account")).status_code
                assert found == (200 if self.lives(session) else 303), session
        finally:
            super().teardown()


def _second(at: int) -> int:
    return at // 1000 * 1000


def test_S11_exactly_the_credentials_that_are_good_are_believed(sqlite_templates: Templates) -> None:
    walk(lambda: Credentials(sqlite_templates), 30)
