"""Passwords: argon2id (S3) in two threads at most, and which ones are good enough (S4).

A hash takes some 20 MB and 50 ms of a core, so no more than two run at once and ten wait; the eleventh is told to come
back.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import Invalid, Unavailable

HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)
AT_ONCE: Final = 2
QUEUE: Final = 10
SHORTEST: Final = 15
LONGEST: Final = 1024
COMMON: Final = Path(__file__).with_name("common_passwords.txt")
# Words of this product, which a guesser would try first.
OURS: Final = ("parley", "whatsapp", "telegram", "password", "passphrase", "dashboard", "business", "chatbot")

P = ParamSpec("P")
R = TypeVar("R")


class Hashing:
    """The threads that hash, for the whole process: memory is what they are limited by."""

    def __init__(self) -> None:
        self.threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self.busy = 0

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if self.busy >= AT_ONCE + QUEUE:
            raise Unavailable("Too many people are logging in right now. Try again in a moment.")
        self.busy += 1
        try:
            return await asyncio.wrap_future(self.threads.submit(function, *args, **kwargs))
        finally:
            self.busy -= 1


hashing = Hashing()


async def hash_password(password: str) -> str:
    """The text to store. Raises Unavailable when too many wait."""
    return await hashing.run(HASHER.hash, password)


async def verify(stored: str | None, password: str) -> bool:
    """Is it the right one. Without a stored hash (nobody has that name) it takes the same time and says no."""
    if len(password) > LONGEST:
        return False
    right = await hashing.run(_matches, stored or _nobody(), password)
    return right and stored is not None


def is_outdated(stored: str) -> bool:
    """Was it made with other settings than today's."""
    return HASHER.check_needs_rehash(stored)


def check(password: str, *words: str) -> None:
    """Raises Invalid, naming the field, unless it is good enough. `words`: the person's own (name, e-mail)."""
    reason = weakness(password, words)
    if reason:
        raise Invalid(reason, code="weak_password", fields={"password": reason})


def weakness(password: str, words: tuple[str, ...] = ()) -> str:
    """Why it is not good enough, as a sentence, or ''. No rules on kinds of characters: length is what helps."""
    if len(password) < SHORTEST:
        return f"Use at least {SHORTEST} characters. Four words that do not belong together are easy to keep in mind."
    if len(password) > LONGEST:
        return f"Use at most {LONGEST} characters."
    plain = password.casefold()
    if len(set(plain)) < 5:
        return "This repeats the same few characters. Choose something less regular."
    if plain in common() or bare(plain) in common():
        return "This is among the passwords tried first. Choose another."
    parts = {part for word in words for part in word.casefold().replace("@", " ").replace(".", " ").split()}
    rest = plain
    for part in sorted(parts | set(OURS), key=len, reverse=True):
        if len(part) >= 4:
            rest = rest.replace(part, "")
    if len(bare(rest)) < 6:
        return (
            "This is made of your name, your address or the product's. Choose something that nobody connects with you."
        )
    return ""


def bare(text: str) -> str:
    """Letters only: digits and signs at the ends are what people add to a common word."""
    return "".join(char for char in text if char.isalpha())


@lru_cache(maxsize=1)
def common() -> frozenset[str]:
    """Passwords known to be tried first, lower case: those listed, and each of the commonest before another."""
    words = [line for line in COMMON.read_text(encoding="utf-8").split() if not line.startswith("#")]
    return frozenset(words) | {first + second for first in words[:120] for second in words[:120]}


@lru_cache(maxsize=1)
def _nobody() -> str:
    """A hash that no password fits, made like the others so that checking it takes as long."""
    return HASHER.hash("\0nobody")


def _matches(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
