"""Passwords: argon2id (S3) in two threads at most, and which ones are good enough (S4).

A hash takes 19 MiB and as many passes as this machine does in a quarter of a second, so no more than two run at once
and ten wait; the eleventh is told to come back.
"""

import asyncio
import math
import re
import secrets
import string
import timeit
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import Invalid, Unavailable
from app.said import N_, Sentence

MEMORY: Final = 19_456  # KiB
PASSES: Final = 2, 200  # the fewest that are safe with this memory (OWASP), and the most
TARGET: Final = 0.25  # seconds
SETTING: Final = "password_passes"  # of the installation
AT_ONCE: Final = 2
QUEUE: Final = 10
SHORTEST: Final = 15
LONGEST: Final = 1024
COMMON: Final = Path(__file__).with_name("common_passwords.txt")
MOST_WORDS: Final = 3
LEET: Final = str.maketrans("01345789@$!", "oleastbgasi")

P = ParamSpec("P")
R = TypeVar("R")


def hasher(passes: int) -> PasswordHasher:
    return PasswordHasher(passes, MEMORY, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)


HASHER = hasher(PASSES[0])  # what this installation's passwords are hashed with, see `use`


class Hashing:
    """The threads that hash, for the whole process: memory is what they are limited by."""

    def __init__(self) -> None:
        self.threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self.busy = 0

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if self.busy >= AT_ONCE + QUEUE:
            raise Unavailable(N_("Too many people are logging in right now. Try again in a moment."))
        self.busy += 1
        try:
            return await asyncio.wrap_future(self.threads.submit(function, *args, **kwargs))
        finally:
            self.busy -= 1


hashing = Hashing()


def use(passes: str) -> None:
    """From now on hash with so many passes, as the installation's settings have it; with the fewest where that is
    nothing. What has another number is hashed anew when its owner logs in."""
    global HASHER
    HASHER = hasher(max(PASSES[0], int(passes or 0)))


async def measure() -> str:
    """How many passes take this machine a quarter of a second, never fewer than are safe. Raises Unavailable."""
    return await hashing.run(_measure)


def _measure() -> str:
    least, most = PASSES
    slow = min(timeit.repeat(partial(hasher(least).hash, "a word"), number=1, repeat=3))
    return str(min(most, max(least, math.ceil(TARGET * least / slow))))


async def hash_password(password: str) -> str:
    """The text to store. Raises Unavailable when too many wait."""
    return await hashing.run(HASHER.hash, password)


async def verify(stored: str | None, password: str) -> bool:
    """Is it the right one. Without a stored hash (nobody has that name) it takes the same time and says no."""
    if len(password) > LONGEST:
        return False
    right = await hashing.run(_matches, stored or nobody(), password)
    return right and stored is not None


def is_outdated(stored: str) -> bool:
    """Was it made with other settings than today's."""
    return HASHER.check_needs_rehash(stored)


def check(password: str, *words: str) -> None:
    """Raises Invalid, naming the field, unless it is good enough. `words`: the person's own (name, e-mail)."""
    reason = weakness(password, words)
    if reason:
        raise Invalid(reason, code="weak_password", fields={"password": reason})


def weakness(password: str, words: tuple[str, ...] = ()) -> Sentence:
    """Why it is not good enough, as a sentence, or ''. No rules on kinds of characters: length is what helps."""
    if len(password) < SHORTEST:
        return N_(
            "Use at least {least} characters. Four words that do not belong together are easy to keep in mind.",
            least=SHORTEST,
        )
    if len(password) > LONGEST:
        return N_("Use at most {most} characters.", most=LONGEST)
    plain = password.casefold()
    if len(set(plain)) < 5 or is_run(plain):
        return N_("This repeats or counts. Choose something less regular.")
    core = plain.strip(string.digits + string.punctuation + " ")
    own = {part for word in words for part in re.split(r"\W+", word.casefold()) if len(part) >= 3}
    if any(few_words(bare(form), own) for form in (plain, core.translate(LEET))):
        return N_(
            "This is made of words that are tried first, or of your name or address. Add words that nobody expects."
        )
    return ""


def bare(text: str) -> str:
    """Letters only: digits and signs are what people add to a common word."""
    return "".join(char for char in text if char.isalpha())


def is_run(text: str) -> bool:
    """A short piece again and again, or characters that follow one another nearly everywhere: 123456…, abcdef…"""
    repeated = (text + text).find(text, 1) < len(text)
    steps = sum(abs(ord(one) - ord(other)) <= 1 for one, other in pairwise(text))
    return repeated or steps > 0.7 * len(text)


def few_words(text: str, own: set[str]) -> bool:
    """Is it nothing but at most three common words (or the person's own), one after the other."""
    known = common() | own
    longest = max(map(len, known))
    best = [0] + [MOST_WORDS + 1] * len(text)  # how few words the text up to here is made of
    for end in range(1, len(text) + 1):
        starts = range(max(0, end - longest), end)
        best[end] = min([best[start] + 1 for start in starts if text[start:end] in known], default=MOST_WORDS + 1)
    return bool(text) and best[-1] <= MOST_WORDS


@lru_cache(maxsize=1)
def common() -> frozenset[str]:
    """The words of `common_passwords.txt`: three of them make 10^8 passwords, so a list of those is not needed."""
    lines = COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def nobody() -> str:
    """A hash that no password fits, made up with the settings of the others so that checking it takes as long."""
    salt, tag = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19$m={HASHER.memory_cost},t={HASHER.time_cost},p=1${salt}${tag}"


def _matches(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
