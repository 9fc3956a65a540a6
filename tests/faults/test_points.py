"""Killed at numbered points of one message's way: into the database, through the decision, out to the network (P11,
P18)."""

from tests.faults import check, points
from tests.faults.house import House

STEP = 15  # odd: a call's beginning, then another's end
FEW, MOST = 5, 900


def test_P11_P18_killed_at_every_point_a_message_is_answered_once_or_shown(house: House, full: bool) -> None:
    """After the kill Meta posts the message again. It must be stored once, with one set of replies, none taken
    twice."""
    house.furnish()
    house.start_graph("--set", "statuses=0")

    def at_rest() -> bool:
        return house.query(check.RESTLESS) == [(0,)]

    def judge(point: int) -> None:
        accepted = check.truth(house.truth)
        broken = check.faults_of(house.database, {f"wamid.point.{point}"}, accepted, settled=True)
        assert not broken, (point, broken)

    tried, died = points.killed_at(
        house, points.every(STEP) if full else points.some(FEW, MOST, seed=3), "twice", at_rest, judge
    )
    print(f"{tried} points, the process died at {died} of them")
    assert died
