"""Numbered points at which the server dies: one message a point, posted again, as Meta does, to the next server."""

import random
import sys
import time
from collections.abc import Callable, Iterable
from itertools import count

import httpx

from tests.faults.house import PLAIN, ROOT, House, wait_for
from tests.faults.load import message, notification, signed

SCRIPT = str(ROOT / "tests" / "faults" / "serve_points.py")
BEYOND = 5  # points in a row that a message does not reach: it is through


def every(step: int) -> Iterable[int]:
    return count(1, step)


def some(number: int, most: int, seed: int) -> Iterable[int]:
    return sorted(random.Random(seed).sample(range(1, most), number))


def killed_at(
    house: House, points: Iterable[int], words: str, done: Callable[[], bool], judge: Callable[[int], None],
    files: str = "",
) -> tuple[int, int]:  # fmt: skip
    """At how many points it was tried, and died. `done`: nothing of what was posted is under way; `judge` is called for
    each point once its message was posted again."""
    tried = died = missed = 0
    before: int | None = None

    def again() -> None:
        if before is not None:
            assert post(house, before, words) == 200
            wait_for(done, f"rest after point {before}", 30)
            judge(before)

    for point in points:
        house.python = [sys.executable, SCRIPT, f"{point}:{files}"]
        house.start()
        again()
        try:
            assert post(house, point, words) == 200
            wait_for(lambda: ended(house) or done(), f"rest at point {point}", 30)
            time.sleep(0.1)  # there are points after the last commit
        except httpx.HTTPError:
            wait_for(lambda: ended(house), f"the end at point {point}")
        before, tried = point, tried + 1
        missed = 0 if ended(house) else missed + 1
        died += not missed
        assert house.server
        house.server.kill()
        if missed == BEYOND:
            break
    house.python = [sys.executable, "-m", "app"]
    house.start()
    again()
    house.server.kill()
    return tried, died


def post(house: House, point: int, words: str) -> int:
    body = notification([message(f"wamid.point.{point}", str(15553000000 + point), words)])
    return httpx.post(house.hook, content=body, headers=signed(body), timeout=10, verify=PLAIN).status_code


def ended(house: House) -> bool:
    return house.server is None or not house.server.running
