"""Where requests come from, what they may do and how often: S5, S9, S13, S14, S22."""

import pytest

from app.clock import Clock
from app.errors import Forbidden, TooMany
from app.security import limits, permissions
from app.security.hosts import Hosts, network, split_host
from app.security.limits import Limits, Rate
from app.security.permissions import Action, may_change, may_give
from app.security.redirects import safe_path
from app.settings import load
from app.store.users import User
from tests.clock import ManualClock


def person(role: str, user_id: int = 1, disabled_at: int | None = None) -> User:
    return User(user_id, "a@b.example", "A", role, "", "", "", disabled_at=disabled_at)


def test_S13_each_role_holds_what_the_one_below_holds() -> None:
    viewer, agent, admin, owner = (permissions.POLICY[role] for role in ("viewer", "agent", "admin", "owner"))
    assert viewer < agent < admin < owner == frozenset(Action)
    assert viewer == {Action.SELF, Action.READ} and Action.ANSWER in agent and Action.OWN not in admin


def test_S13_an_unknown_role_and_a_disabled_person_may_nothing() -> None:
    for user in (person("root"), person(""), person("owner", disabled_at=1)):
        assert not any(permissions.may(user, action) for action in Action)
        with pytest.raises(Forbidden):
            permissions.require(user, Action.READ)


def test_S13_nobody_lifts_anyone_above_themselves() -> None:
    assert may_give(person("owner"), "owner") and may_give(person("admin"), "admin")
    assert not may_give(person("admin"), "owner") and not may_give(person("agent"), "viewer")
    assert not may_give(person("owner"), "root")
    assert may_change(person("owner", 1), person("owner", 2)) and not may_change(person("admin", 1), person("owner", 2))
    assert not may_change(person("owner", 1), person("owner", 1))


def hosts(**environ: str) -> Hosts:
    return Hosts(load({"data": "unused"}, {f"PARLEY_{name.upper()}": value for name, value in environ.items()}))


def test_S14_the_address_comes_from_the_nearest_proxy_that_is_trusted() -> None:
    known = hosts(trusted_proxies="10.0.0.0/8, fd00::/8")
    chain = {"host": "x", "x-forwarded-for": "1.2.3.4, 198.51.100.7, 10.0.0.2", "x-forwarded-proto": "https"}
    behind = known.origin("10.0.0.1", "http", chain)
    assert (behind.ip, behind.scheme, behind.secure) == ("198.51.100.7", "https", True)
    direct = known.origin("203.0.113.5", "http", chain)
    assert (direct.ip, direct.scheme, direct.loopback) == ("203.0.113.5", "http", False)
    assert known.origin("10.0.0.1", "http", {"x-forwarded-for": "garbage"}).ip == "10.0.0.1"


def test_loopback_is_the_machine_itself_without_a_proxy() -> None:
    known = hosts()
    assert known.origin("127.0.0.1", "http", {"host": "localhost"}).loopback
    assert not known.origin("127.0.0.1", "http", {"host": "localhost", "x-forwarded-for": "203.0.113.5"}).loopback
    assert not hosts(trusted_proxies="127.0.0.1").origin("127.0.0.1", "http", {}).loopback


def test_S7_a_lan_address_without_https_is_not_secure() -> None:
    known = hosts()
    assert known.origin("192.168.1.9", "http", {"host": "localhost:8080"}).secure
    assert not known.origin("192.168.1.9", "http", {"host": "192.168.1.5:8080"}).secure
    assert known.origin("192.168.1.9", "https", {"host": "192.168.1.5:8080"}).secure


def test_S9_the_public_host_is_ours() -> None:
    known = hosts(public_url="https://chat.example.com")
    assert known.is_ours("CHAT.example.com", "10.0.0.1") and known.is_ours("chat.example.com:443", "10.0.0.1")
    assert not known.is_ours("chat.example.com.evil.example", "10.0.0.1")


@pytest.mark.parametrize("host", ["", "a/b", "a@b", "a?b", "a#b", "a b", "a,b", "a:b", "[::1", "a\\b", "a\tb"])
def test_S9_what_is_no_host_is_none(host: str) -> None:
    assert split_host(host) is None


def test_S5_one_visitor_is_an_address_or_a_64() -> None:
    assert network("203.0.113.5") == "203.0.113.5" == network("::ffff:203.0.113.5")
    assert network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::9") != network("2001:db8:1:3::1")


def tokens(bucket: Limits, rate: Rate, tries: int = 1000) -> int:
    for count in range(tries):
        try:
            bucket.take("key", rate)
        except TooMany:
            return count
    return tries


def test_S14_a_bucket_holds_its_burst_and_fills_at_its_rate(clock: ManualClock) -> None:
    bucket = Limits(clock)
    assert tokens(bucket, limits.SESSION) == 60
    clock.advance(2)
    assert tokens(bucket, limits.SESSION) == 10
    clock.advance(3600)
    assert tokens(bucket, limits.SESSION) == 60
    assert tokens(bucket, Rate(5, 0)) == 1000


def test_P33_setting_the_clock_gives_nothing_away(clock: ManualClock) -> None:
    bucket = Limits(clock)
    tokens(bucket, limits.SESSION)
    clock.jump(3600)
    assert tokens(bucket, limits.SESSION) == 0
    clock.jump(-7200)
    clock.advance(1)
    assert tokens(bucket, limits.SESSION) == 5


def test_S14_how_long_to_wait_is_told(clock: ManualClock) -> None:
    bucket = Limits(clock)
    tokens(bucket, limits.AUTHENTICATION)
    with pytest.raises(TooMany) as caught:
        bucket.take("key", limits.AUTHENTICATION)
    assert caught.value.retry_after == pytest.approx(12)
    clock.advance(12.01)
    assert tokens(bucket, limits.AUTHENTICATION) == 1


def test_S14_only_so_many_visitors_are_remembered(clock: Clock) -> None:
    bucket = Limits(clock)
    for number in range(limits.MAX_KEYS + 500):
        bucket.take(str(number), limits.ANONYMOUS)
    assert len(bucket.buckets) == limits.MAX_KEYS and "0" not in bucket.buckets


@pytest.mark.parametrize("path", ["/", "/inbox/42", "/account?x=1", "/bots/7/diff?from=1&to=2"])
def test_S22_a_path_of_ours_is_kept(path: str) -> None:
    assert safe_path(path) == path


@pytest.mark.parametrize(
    "target",
    [
        "", "inbox", "//evil.example", "///evil", "/\\evil", "\\\\evil", "/%2f/evil", "/%2Fevil", "/%5cevil", "/\tevil",
        "/\nevil", "/%0aevil", "/%09/evil", "https://evil.example", "javascript:alert(1)", "data:text/html,x", " /x",
        "/x y", "/é", "/" + "x" * 600, "/%00", "http:/evil", "@evil", "/\x7f",
    ],
)  # fmt: skip
def test_S22_anything_else_leads_home(target: str) -> None:
    assert safe_path(target) == "/"
