"""The side channel `/_fake/…`: what a test does to the world. JSON in, JSON out; GET asks, POST changes.

Every verb is a function of the world and its arguments; `FakeTelegram` calls the same ones.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from . import people
from .world import World

Verb = Callable[[World, dict[str, Any]], Any]


def state(world: World, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "sent": len(world.sent),
        "refused": {str(code): count for code, count in world.refused.items()},
        "waiting": len(world.queue.waiting),
        "polled": world.queue.poll is not None,
        "answered": sorted(world.answered),
        "actions": world.actions,
        "webhook": world.hook.info(),
        "settings": msgspec.to_builtins(world.settings),
    }


async def sent(world: World, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Those after number `since`, once there are `wait` of them in all."""
    if wait := int(given.get("wait", 0)):
        await world.wait_sent(wait, float(given.get("timeout", 10)))
    return [msgspec.to_builtins(line) for line in world.sent if line.n > int(given.get("since", 0))]


async def settled(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Waits until every update was fetched and confirmed, or taken by the webhook."""
    async with asyncio.timeout(float(given.get("timeout", 10))):
        while world.queue.waiting:
            await asyncio.sleep(0.005)
    return {}


def update(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Any update: its `kind` with its `payload`."""
    return {"update_id": world.tell(given["kind"], given["payload"])}


def modes(world: World, given: dict[str, Any]) -> dict[str, Any]:
    world.faults.set(**given)
    return {}


def settings(world: World, given: dict[str, Any]) -> dict[str, Any]:
    world.change_settings(given)
    return {}


def clock(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """`advance` in seconds: what has expired and which paces are free follows this clock; timers are real."""
    world.offset += float(given.get("advance", 0))
    return {"now": world.now()}


VERBS: dict[tuple[str, str], Verb] = {
    ("GET", "state"): state,
    ("GET", "sent"): sent,
    ("GET", "settled"): settled,
    ("POST", "inbound"): people.receive,
    ("POST", "press"): people.press,
    ("POST", "edit"): people.edit,
    ("POST", "react"): people.react,
    ("POST", "block"): people.block,
    ("POST", "upgrade"): people.upgrade,
    ("POST", "update"): update,
    ("POST", "modes"): modes,
    ("POST", "settings"): settings,
    ("POST", "clock"): clock,
}


async def call(world: World, method: str, verb: str, given: dict[str, Any]) -> Any:
    """Raises `LookupError` for an unknown verb, `ValueError` for bad arguments, `TimeoutError` after a vain wait."""
    if (method, verb) not in VERBS:
        raise LookupError(f"no {method} {verb}; there are {', '.join(f'{m} {v}' for m, v in VERBS)}")
    try:
        result = VERBS[method, verb](world, given)
        return await result if isinstance(result, Awaitable) else result
    except (KeyError, TypeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
