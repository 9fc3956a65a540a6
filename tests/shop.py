"""A small shop to test with: one WhatsApp Cloud channel, one bot, and customers who write."""

import hashlib
import hmac
import itertools
import json
from collections.abc import Callable
from typing import Any

from app import bots, connecting, content, inbox
from app.channels import Live
from app.connectors.base import Address, Inbound, Outbound, Sent
from app.content import Content, Text
from app.db import Query, Statement
from app.inbox import Outcome
from app.runtime import Runtime
from tests.canaries import plant

NUMBER = "106540352242922"
SECRET = plant("app-secret-of-the-shop")
BOT = """
bot: Shop
language: en
rules:
  - name: greeting
    when: {says: [hi, hello]}
    do:
      - say: "Hi {{ contact.first_name or 'there' }}!"
        buttons: [Menu, Order]
  - name: twice
    when: {says: twice}
    do: [{say: One.}, {say: Two.}]
  - name: person
    when: {says: person}
    do: [{say: A person will answer you here.}, {handoff: Asked for a person}]
fallback: {do: [{say: "Sorry, I did not get that."}]}
"""
numbers = itertools.count(1)


class Network:
    """The edge of the network: a session that keeps what it is given and answers as it is told."""

    def __init__(self) -> None:
        self.sent: list[Outbound] = []
        self.answer: Callable[[Outbound], Any] = lambda message: Sent(f"wamid.out.{next(numbers)}")

    async def run(self, on_event: Any) -> None:
        return None

    async def send(self, message: Outbound) -> Sent:
        self.sent.append(message)
        answer = self.answer(message)
        if isinstance(answer, Exception):
            raise answer
        return await answer if hasattr(answer, "__await__") else answer

    async def close(self) -> None:
        return None


async def open_shop(rt: Runtime, document: str = BOT, *, sending: bool = False, rate: float = 0) -> Live:
    """A channel with the bot live on it. With `sending` off, replies stay in the outbox."""
    values = {"phone_number_id": NUMBER, "access_token": "EAA-test", "app_secret": SECRET, "verify_token": "plum"}
    channel_id = await connecting.add(rt.channels, "whatsapp_cloud", "Shop", values, rate=rate)
    bot_id = await bots.create(rt, "", document, None)
    await bots.publish(rt, bot_id, [channel_id], "", None)
    live = rt.channels.by_id[channel_id]
    live.sender.open = sending
    return live


def network(live: Live) -> Network:
    """Put a network of our own behind the channel's sender."""
    edge = Network()
    live.session = live.sender._session = edge
    return edge


def said(rt: Runtime, words: str | Content, who: str = "16505551234", **more: Any) -> Inbound:
    """A message of a customer, as the connector hands it over."""
    number = next(numbers)
    what = Text(words) if isinstance(words, str) else words
    values: dict[str, Any] = {
        "account": NUMBER,
        "provider_id": f"wamid.in.{number}",
        "sender": Address(phone=who, wa_id=who, user_id=f"US.{who}"),
        "at": rt.clock.now() - 1000,
        "content": what,
        "raw": b'{"secret":"raw of %d"}' % number,
        "name": "Ana Souza",
    } | more
    return Inbound(**values)


async def take_in(rt: Runtime, live: Live, message: Inbound, slot: bool = False) -> Outcome:
    return await rt.db.write(inbox.receive, rt.channels.intake, live.here, message, slot)


async def rows(rt: Runtime, sql: str, **params: Any) -> list[tuple[Any, ...]]:
    return await rt.db.reader.all(Query(sql, lambda *row: row), **params)


async def change(rt: Runtime, sql: str, **params: Any) -> int:
    return await rt.db.write(lambda tx: tx.run(Statement(sql), **params))


def notification(*messages: dict[str, Any], statuses: tuple[dict[str, Any], ...] = (), number: str = NUMBER) -> bytes:
    """The body of a webhook."""
    contacts = [
        {"profile": {"name": "Ana Souza"}, "wa_id": message["from"], "user_id": f"US.{message['from']}"}
        for message in messages
        if "from" in message
    ]
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
    }
    if messages:
        value |= {"contacts": contacts, "messages": list(messages)}
    if statuses:
        value["statuses"] = list(statuses)
    change = {"field": "messages", "value": value}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).encode()


def text_message(rt: Runtime, words: str, who: str = "16505551234", wamid: str = "") -> dict[str, Any]:
    return {
        "from": who,
        "from_user_id": f"US.{who}",
        "id": wamid or f"wamid.in.{next(numbers)}",
        "timestamp": str(rt.clock.now() // 1000),
        "type": "text",
        "text": {"body": words},
    }


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


def plain(encoded: str) -> str:
    """The words of a stored content."""
    return content.text(content.decode(encoded))
