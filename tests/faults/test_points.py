"""Killed at numbered points of one message's way: into the database, through the decision, out to the network (P11,
P18)."""

import random
import sys
import time
from pathlib import Path

import httpx

from tests.faults import check
from tests.faults.house import PLAIN, ROOT, House, wait_for
from tests.faults.load import message, notification, signed

POINTS, SMALL = 260, 5


def test_P11_P18_killed_at_every_point_a_message_is_answered_once_or_shown(tmp_path: Path, full: bool) -> None:
    """After the kill Meta posts the message again. It must be stored once, with one set of replies, none taken
    twice."""
    house = House(tmp_path)
    house.furnish()
    house.start_graph("--set", "statuses=0")
    dice = random.Random(3)
    points = range(1, POINTS, 4) if full else sorted(dice.sample(range(1, POINTS), SMALL))
    died = 0
    try:
        for point in points:
            died += killed_at(house, point)
        broken = check.faults_of(house.database, set(), check.truth(house.truth))
        print(f"{len(points)} points, the process died at {died} of them")
        assert died
        assert not broken, broken
    finally:
        house.close()


def killed_at(house: House, point: int) -> bool:
    """One message, one kill at most. Returns whether the point was reached."""
    house.python = [sys.executable, str(ROOT / "tests" / "faults" / "serve_points.py"), str(point)]
    house.start()
    body = notification([message(f"wamid.point.{point}", str(15551000000 + point), "twice")])
    try:
        httpx.post(house.hook, content=body, headers=signed(body), timeout=10, verify=PLAIN)
        time.sleep(0.5)
    except httpx.HTTPError:
        pass
    assert house.server
    died = not house.server.running
    house.server.kill()
    house.python = [sys.executable, "-m", "app"]
    house.start()
    answer = httpx.post(house.hook, content=body, headers=signed(body), timeout=10, verify=PLAIN)
    assert answer.status_code == 200
    wait_for(lambda: house.query(check.RESTLESS) == [(0,)], "rest", 30)
    house.server.kill()
    broken = check.faults_of(house.database, {f"wamid.point.{point}"}, check.truth(house.truth), settled=True)
    assert not broken, (point, broken)
    return died
