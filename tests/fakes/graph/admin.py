"""The side channel `/_fake/…`: what a test does to the world. JSON in, JSON out; GET asks, POST changes.

Every verb is a function of the world and its arguments; `FakeGraph` calls the same ones.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from . import inbound, numbers, review, statuses, templates
from .config import Number
from .webhooks import Update
from .world import World

Verb = Callable[[World, dict[str, Any]], Any]


def number_of(world: World, given: dict[str, Any]) -> Number:
    """The number named by `phone_number_id`, else the first one. Raises `ValueError`."""
    wanted = given.get("phone_number_id")
    found = world.numbers.get(str(wanted)) if wanted else next(iter(world.numbers.values()))
    if found is None:
        raise ValueError(f"no number {wanted}")
    return found


def state(world: World, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "now": world.now(),
        "accepted": world.total,
        "refused": {str(code): count for code, count in world.refused.items()},
        "posts": sum(hook.posts for hook in world.hooks.values()),
        "verified": {hook.url: hook.verified.is_set() for hook in world.hooks.values()},
        "read": world.read,
        "settings": msgspec.to_builtins(world.settings),
        "numbers": msgspec.to_builtins(list(world.numbers.values())),
    }


async def accepted(world: World, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Those after number `since`, once there are `wait` of them in all."""
    if wait := int(given.get("wait", 0)):
        await world.wait_accepted(wait, float(given.get("timeout", 10)))
    since = int(given.get("since", 0))
    return [
        msgspec.to_builtins(line) | {"body": msgspec.json.decode(body)}
        for line, body in zip(world.accepted, world.bodies, strict=True)
        if line.n > since
    ]


async def settled(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Waits until every webhook that is due was answered 200. Statuses still to come are not waited for."""
    async with asyncio.timeout(float(given.get("timeout", 10))):
        while not all(hook.idle for hook in world.hooks.values()):
            await asyncio.sleep(0.005)
    return {}


def receive(world: World, given: dict[str, Any]) -> dict[str, Any]:
    return {"id": inbound.receive(world, number_of(world, given), given)}


def echo(world: World, given: dict[str, Any]) -> dict[str, Any]:
    return {"id": inbound.echo(world, number_of(world, given), given)}


def webhook(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Any `field` with any `value`; `time` if that field carries one."""
    number = number_of(world, given)
    world.push(Update(number, given["field"], "", given["value"], None, given["field"], given.get("time")))
    return {}


def status(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """A status for an accepted `wamid`, whenever and in whatever order: `status`, `code` if it failed."""
    line = next((line for line in world.accepted if line.wamid == given["wamid"]), None)
    if line is None:
        raise ValueError(f"never accepted: {given['wamid']}")
    number = world.numbers[line.phone_number_id]
    person = statuses.person_of(world, line)
    code = int(given.get("code", 131026))
    world.push(statuses.build(world, number, line, person, given["status"], world.now(), code))
    return {}


def modes(world: World, given: dict[str, Any]) -> dict[str, Any]:
    world.faults.set(**given)
    return {}


def settings(world: World, given: dict[str, Any]) -> dict[str, Any]:
    world.change_settings(given)
    return {}


def clock(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """`offset` or `advance` in ms. Timers keep running in real time; windows, limits and expiry follow this clock."""
    world.offset = int(given.get("offset", world.offset)) + int(given.get("advance", 0))
    return {"now": world.now()}


def person(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """A user, met if new: `who` (phone, BSUID or @username) and what to change of them."""
    changes = {key: value for key, value in given.items() if key != "who"}
    return dict(msgspec.to_builtins(world.people.change(str(given["who"]), changes)))


def number(world: World, given: dict[str, Any]) -> dict[str, Any]:
    return dict(msgspec.to_builtins(numbers.add_or_change(world, given)))


def template(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Adds a template, or replaces the one of that name and language."""
    made = templates.complete({key: value for key, value in given.items() if key != "phone_number_id"})
    known = world.templates[number_of(world, given).waba]
    known[:] = [each for each in known if (each["name"], each["language"]) != (made["name"], made["language"])]
    known.append(made)
    return made


def template_news(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Meta changes a template, named by `name` (and `language`), and tells: `event` with whatever goes along,
    `quality`, or `category` (`impending`: only announced)."""
    number = number_of(world, given)
    language = given.get("language")
    known = world.templates[number.waba]
    found = next((one for one in known if one["name"] == given["name"] and language in (None, one["language"])), None)
    if found is None:
        raise ValueError(f"no template {given['name']}")
    if "quality" in given:
        review.rate(world, number, found, given["quality"])
    elif "category" in given:
        review.recategorise(world, number, found, given["category"], impending=bool(given.get("impending")))
    else:
        more = {key: given[key] for key in ("reason", "other_info", "disable_info", "rejection_info") if key in given}
        review.change(world, number, found, given["event"], **more)
    return found


async def verify(world: World, given: dict[str, Any]) -> dict[str, Any]:
    endpoint = world.endpoint(number_of(world, given))
    return {"verified": endpoint is not None and await endpoint.handshake()}


VERBS: dict[tuple[str, str], Verb] = {
    ("GET", "state"): state,
    ("GET", "accepted"): accepted,
    ("GET", "settled"): settled,
    ("POST", "inbound"): receive,
    ("POST", "echo"): echo,
    ("POST", "webhook"): webhook,
    ("POST", "status"): status,
    ("POST", "modes"): modes,
    ("POST", "settings"): settings,
    ("POST", "clock"): clock,
    ("POST", "people"): person,
    ("POST", "numbers"): number,
    ("POST", "templates"): template,
    ("POST", "template-news"): template_news,
    ("POST", "verify"): verify,
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
