"""What a bot's steps make is taken by the network, as the fake of it knows the contract."""

import json

import pytest

from app.bot.scene import Send, State
from app.connectors.base import Address, Outbound
from app.connectors.whatsapp_cloud import limits
from app.connectors.whatsapp_cloud.outbound import body_of
from app.content import Content
from app.saying import aimed
from tests.bot.turns import rules, turn
from tests.fakes.graph import FakeGraph
from tests.fakes.graph.caller import ANNA, Caller

STEPS = """\
  - name: r
    when: {says: go}
    do:
      - {say: a text, quote: true}
      - {say: buttons, buttons: [a, b], header: {image: https://x.example/a.jpg}, footer: foot}
      - {say: a list, list: {label: open, choices: [a, b, c, d]}, header: head}
      - image: https://x.example/a.jpg
      - video: https://x.example/a.mp4
      - audio: https://x.example/a.ogg
      - {document: https://x.example/a.pdf, filename: a.pdf}
      - {location: {latitude: -8.0578, longitude: -34.8829, name: Luna, address: Rua da Aurora}, quote: true}
      - contact: {name: Ana Souza, phone: ["+55 81 99999-0000", "+1 555"], email: a@b.example, company: Luna}
      - reaction: 👍
      - {template: order_confirmation, language: en_US, parameters: ["{{ contact.first_name }}", 17], text: Thank you}
      - {template: hello_world, language: en_US}
      - {template: spring_sale, language: en, header: {image: https://x.example/a.jpg}, parameters: [9 %], urls: [cake]}
"""


def contents() -> list[tuple[Content, bool]]:
    decision = turn(rules(STEPS), "go", State(), limits.CAPABILITIES)
    assert decision.trace.degraded == decision.trace.problems == ()
    return [(effect.content, effect.quote) for effect in decision.effects if isinstance(effect, Send)]


async def test_every_step_that_sends_is_accepted() -> None:
    async with FakeGraph() as graph:
        caller = Caller(graph)
        try:
            asked = await graph.inbound(ANNA, "Hi")
            for number, (content, quote) in enumerate(contents()):
                reply_to = asked if quote else ""
                said = aimed(Send(content), reply_to).content
                assert limits.check(said) is None
                body = body_of(Outbound(f"k.{number}", Address(phone=ANNA, wa_id=ANNA), said, reply_to))
                assert await caller.accepted(json.loads(body))
        finally:
            caller.client.close()


@pytest.mark.parametrize("kind", ["location", "contacts", "reaction", "template"])
def test_the_steps_make_these_kinds(kind: str) -> None:
    bodies = [
        json.loads(body_of(Outbound("k", Address(phone=ANNA), aimed(Send(said), "wamid.1").content)))
        for said, _ in contents()
    ]
    assert kind in [body["type"] for body in bodies]
