"""Rate limits as virtual schedules: a key may run ahead of its steady pace by a burst, no further."""

PRUNE_AT = 200_000


class Pace:
    """One event per `every` ms and key, up to `burst` of them at once; the burst is borrowed from the future."""

    def __init__(self, every: float, burst: float) -> None:
        self.every, self.ahead = every, (burst - 1) * every
        self.due: dict[object, float] = {}

    def take(self, key: object, now: float) -> bool:
        """Counts one event, or says no and counts nothing. Times in ms."""
        if self.every <= 0:
            return True
        due = max(self.due.get(key, 0.0), now)
        if due - now > self.ahead + 1e-6:
            return False
        self.due[key] = due + self.every
        if len(self.due) > PRUNE_AT:
            self.due = {key: due for key, due in self.due.items() if due > now}
        return True


def per_second(rate: float) -> Pace:
    """A bucket of one second's worth; 0 = no limit."""
    return Pace(1000 / rate if rate else 0.0, max(rate, 1.0))


def per_hour(calls: int) -> Pace:
    return Pace(3_600_000 / calls if calls else 0.0, calls)
