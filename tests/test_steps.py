"""Steps that say more than words, in the product: what they are about, and what the inbox keeps of them."""

from app.content import Reaction, decode
from app.runtime import Runtime
from tests.shop import open_shop, rows, said, take_in

BOT = """
bot: Shop
rules:
  - name: where
    when: {says: where}
    do:
      - reaction: 👍
      - {location: {latitude: 1, longitude: 2, name: Luna}, quote: true}
      - {template: order_confirmation, language: en_US, parameters: ["{{ contact.first_name }}", 7], text: "Order 7."}
      - say: Here.
fallback: {do: [{say: Sorry.}]}
"""


async def test_a_reaction_and_a_quote_are_about_the_message_that_came(rt: Runtime) -> None:
    live = await open_shop(rt, BOT)
    message = said(rt, "where?")
    await take_in(rt, live, message)
    kept = await rows(rt, "select kind, content, reply_to, text from message where direction = 'out' order by id")
    assert [(kind, reply_to, text) for kind, _, reply_to, text in kept] == [
        ("reaction", message.provider_id, "👍"),
        ("location", message.provider_id, "Luna"),
        ("template", "", "Order 7."),
        ("text", "", "Here."),
    ]
    assert decode(kept[0][1]) == Reaction(message.provider_id, "👍")
