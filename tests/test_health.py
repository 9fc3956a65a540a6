"""How a linked phone stands: counted from what happened, and each reason with what helps."""

import pytest

from app import health
from app.configuring import set_state
from app.connectors.abilities import Allowance
from app.connectors.base import Address, Problem, State, StatusChange
from app.runtime import Runtime
from app.sending import Recipient, send
from app.settle import accepted, failed
from app.store.health import DAY, Facts, read_facts
from tests.shop import Text, open_shop, said, take_in

pytestmark = pytest.mark.anyio
CALM, NOW = Facts(0, 0, 0, 0, 0, 0, 0), 100 * DAY
FRESH = Allowance(0, 1000, 0, 200)


def test_calm_number_is_well_and_each_trouble_costs() -> None:
    assert health.judge(CALM, FRESH, False, NOW) == health.Health(100, "good", (), FRESH)
    closed = Facts(0, 0, 0, 1, NOW - DAY, NOW, NOW - 50 * DAY)
    found = health.judge(closed, FRESH, True, NOW)
    assert (found.score, found.level) == (35, "poor") and "closed the number" in found.findings[0].said
    assert health.judge(CALM, FRESH, True, NOW).score == 85
    assert health.judge(Facts(9, 9, 9, 0, 0, 0, NOW - DAY), FRESH, False, NOW).score == 100 - 30 - 20 - 15 - 10
    assert health.judge(CALM, Allowance(80, 100, 0, 20), False, NOW).score == 90


async def test_what_happened_is_counted_and_told_to_the_next_session(rt: Runtime) -> None:
    live = await open_shop(rt)
    channel_id, now = live.row.id, rt.clock.now()
    await rt.db.write(set_state, channel_id, StatusChange(State.STARTING, "web.linked"))
    for code in ("web.banned", "starting", "web.banned"):  # tried again meanwhile, and told so
        state = State.STARTING if code == "starting" else State.BROKEN
        await rt.db.write(set_state, channel_id, StatusChange(state, code, "", now + 5000))
    for number in range(3):
        sent = await rt.db.write(
            send, rt.channels.by_id[channel_id].here, Recipient(address=Address(phone=f"1555000{number}")), Text("Buy")
        )
        if number:
            await rt.db.write(accepted, channel_id, int(sent.id), int(sent.conversation_id), f"w{number}", None)
        else:
            await rt.db.write(failed, int(sent.id), int(sent.conversation_id), Problem("web.not_there"))
    await take_in(rt, live, said(rt, "hm?", sender=Address(wa_id="15550001")))
    facts = await rt.db.read(read_facts, channel_id, now)
    assert facts == Facts(1, 1, 1, 1, now, now + 5000, now)
    past = await rt.db.read(health.read_past, channel_id, now)
    assert (len(past.sent), len(past.opened), past.linked_at, past.closed_until) == (2, 1, now, now + 5000)
    assert (await rt.db.read(health.read_past, channel_id, now + 2 * DAY)).sent == ()
