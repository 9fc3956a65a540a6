"""Log-in for programs that act for a person: e-mail and password for a short access and a long refresh token."""

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from app import second_factor, tokens
from app.audit import Actor, entry, logged
from app.db import Tx
from app.errors import Unauthenticated
from app.routes.api.endpoint import Body, Call
from app.routes.login import stored_password
from app.said import N_
from app.security import access, passwords, throttle
from app.store import users

if TYPE_CHECKING:
    from app.runtime import Runtime

WRONG = N_("E-mail or password is not right.")
CODE_WANTED = N_("This person logs in with a code of their app besides the password: send it as “totp”.")


class LogIn(Body, frozen=True):
    """`totp` is a code of the app or a recovery code, of people who have two-step log-in. Without it they are refused
    with `totp_required`, with a wrong one with `totp_wrong`."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]
    scopes: list[Literal["read", "send", "manage", "admin"]] | None = None
    totp: Annotated[str, msgspec.Meta(max_length=40)] = ""


class Refreshing(Body, frozen=True):
    refresh_token: Annotated[str, msgspec.Meta(max_length=200)]


class Revoking(Body, frozen=True):
    refresh_token: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Tokens(msgspec.Struct, frozen=True):
    """`expires_in` is seconds of the access token; the refresh token lives 30 days and changes at each use."""

    access_token: str
    refresh_token: str
    expires_in: int
    scope: str
    token_type: Literal["Bearer"] = "Bearer"


async def log_in(call: Call, body: LogIn) -> Tokens:
    """The scopes asked for, as far as the person's role goes; all of those where none are named."""
    rt, ip = call.rt, call.request.state.origin.ip
    app = call.request.app
    app.state.throttle.begin(ip)
    await rt.db.read(throttle.check, body.email, ip, rt.clock.now())
    user = await rt.db.read(users.find_by_email, body.email)
    stored = await stored_password(rt, user)
    if not await passwords.verify(stored, body.password) or user is None or stored is None:
        line = entry("login.failed", body.email, actor=Actor("?", None, ip))
        await rt.db.write(logged, line, throttle.failed, body.email, ip)
        rt.metrics.count("logins", result="refused")
        raise Unauthenticated(WRONG)
    app.state.throttle.succeeded(ip)
    if await second_factor.standing(rt, user.id) is not None:
        await check_code(call, user, body.totp)
    scopes = access.scopes_for(user.role)
    if body.scopes is not None:
        scopes &= frozenset(body.scopes)
    line = entry("login", user.email, "API", Actor(user.email, user.id, ip))
    refresh_token = await rt.db.write(logged, line, begin, user, ip, scopes)
    rt.metrics.count("logins", result="in")
    return pair(call, user, scopes, refresh_token)


async def check_code(call: Call, user: users.User, code: str) -> None:
    """Raises `Unauthenticated` with a code of its own, `TooMany`."""
    if not code:
        raise Unauthenticated(CODE_WANTED, code="totp_required")
    ip = call.request.state.origin.ip
    verdict = await call.rt.db.write(second_factor.check, call.rt.keys, user, code, ip)
    if verdict.wait:
        raise throttle.too_many(verdict.wait)
    if not verdict.right:
        call.rt.metrics.count("logins", result="refused")
        raise Unauthenticated(second_factor.WRONG, code="totp_wrong")


def begin(tx: Tx, user: users.User, ip: str, scopes: frozenset[str]) -> str:
    throttle.forget(tx, user.email, ip)
    return tokens.begin(tx, user.id, scopes)


async def refresh(call: Call, body: Refreshing) -> Tokens:
    """Used a second time, a refresh token ends everything that came from its log-in."""
    call.request.app.state.throttle.begin(call.request.state.origin.ip)
    renewed = await call.rt.db.write(tokens.refresh, body.refresh_token, entry("login.reused"))
    if renewed is None:
        raise Unauthenticated(access.REFUSED)
    call.request.app.state.throttle.succeeded(call.request.state.origin.ip)
    return pair(call, renewed.user, renewed.scopes, renewed.refresh)


async def revoke(call: Call, body: Revoking) -> None:
    """Log out: the access token that is shown and the refresh token that is sent are of no use any more."""
    if call.caller.jti:
        await call.rt.db.write(tokens.deny, call.caller.jti, call.caller.expires_at)
    if body.refresh_token:
        await call.rt.db.write(tokens.revoke, body.refresh_token)


def pair(call: Call, user: users.User, scopes: frozenset[str], refresh_token: str) -> Tokens:
    rt: Runtime = call.rt
    given = call.request.app.state.signer.give(user.id, user.token_version, scopes, rt.clock.now())
    return Tokens(given, refresh_token, access.LIFETIME // 1000, access.text_of(scopes))
