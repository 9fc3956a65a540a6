"""Two days of a bakery, written through the real pipeline: long names, many scripts, every message, every trouble."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from app import bots, connecting, handoff, inbox, media, settle, simulator, users
from app import content as c
from app.connectors.base import Address, Inbound, Malformed, Problem, Receipt, Status
from app.db import Query, Tx
from app.demo import files
from app.runtime import Runtime
from app.store import media as media_rows
from app.store import settings as setting_rows
from tests.browser.house import EMAIL, PASSWORD, before

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
BOT = Path(__file__).with_name("bakery.yaml")
LONG = "Maximiliano Fernández-Villaverde y García de la Torre, Panadería y Pastelería Artesanal de la Plaza Mayor, " + (
    "entrada por la puerta lateral junto a la fuente, preguntar por Doña Mercedes o por su hija Inés Isabel"
)
QUEUED = Query("select message_id, conversation_id from outbox where state = 'queued' order by place", lambda *row: row)
NEWEST_OUT = Query(
    """
    select provider_id, content from message
    where conversation_id = :id and direction = 'out' order by at desc limit 1
    """,
    lambda *row: row,
)
NEWEST_MEDIA = Query("select id from media where state = 'wanted' order by id desc limit 1", int)


class ManualClock:
    """A clock that stands until it is set."""

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.at / 1000


class Bakery:
    """The installation while it is filled. `at` moves its time forward."""

    def __init__(self, rt: Runtime, clock: ManualClock) -> None:
        self.rt, self.clock = rt, clock
        # Nobody sends or fetches anything while it is filled.
        self.intake = msgspec.structs.replace(
            rt.channels.intake, send=lambda _: None, wake=lambda _: None, due=lambda *_: None
        )
        self.count = 0
        self.shop = self.rosa = self.paulo = 0

    def wamid(self) -> str:
        self.count += 1
        return f"wamid.{self.count:06}"

    async def hear(self, phone: str, name: str, said: c.Content | str, at: int, **more: Any) -> tuple[int, str]:
        """A customer writes; what the bot answers is delivered and read. Returns the conversation and the wamid."""
        self.clock.at = at
        said = c.Text(said) if isinstance(said, str) else said
        live = self.rt.channels.by_id[self.shop]
        wamid = self.wamid()
        inbound = Inbound(
            live.row.account, wamid, Address(phone=phone, wa_id=phone), at - 400, said, b"{}", name=name, **more
        )
        outcome = await self.rt.db.write(inbox.receive, self.intake, live.here, inbound)
        await self.deliver(at)
        return outcome.conversation_id, wamid

    async def say(self, conversation_id: int, text: str, at: int, user_id: int, *, fate: str = "read") -> int:
        """Somebody of the team answers."""
        self.clock.at = at
        message_id = await self.rt.db.write(handoff.say, conversation_id, c.Text(text), user_id)
        await self.deliver(at, fate)
        return message_id

    async def deliver(self, at: int, fate: str = "read") -> None:
        for message_id, conversation_id in await self.rt.db.reader.all(QUEUED):
            self.clock.at = at + 214
            await self.settle(message_id, conversation_id, fate)

    async def settle(self, message_id: int, conversation_id: int, fate: str) -> None:
        write, problem = self.rt.db.write, Problem("send.no_answer")
        if fate == "held":
            await write(settle.unsure, message_id, conversation_id, problem)
            await write(settle.held, message_id, conversation_id)
        elif fate == "failed":
            await write(settle.failed, message_id, conversation_id, Problem("131026", "Message undeliverable"))
        else:
            wamid = self.wamid()
            await write(settle.accepted, self.shop, message_id, conversation_id, wamid, None)
            steps = {"sent": (), "delivered": (Status.DELIVERED,), "read": (Status.DELIVERED, Status.READ)}[fate]
            for status in steps:
                account = self.rt.channels.by_id[self.shop].row.account
                receipt = Receipt(account, wamid, status, self.clock.at, b"{}")
                await write(settle.receipt, self.shop, self.rt.install, receipt)

    async def keep_file(self, data: bytes, mime: str) -> None:
        """The newest file that is wanted is there now."""
        media_id = await self.rt.db.reader.one(NEWEST_MEDIA)
        assert media_id is not None
        row = await self.rt.db.reader.one(media_rows.MEDIA, id=media_id)
        assert row is not None
        sha256 = await self.rt.media.add(data)
        await self.rt.db.write(media.stored, row, sha256, len(data), mime)


def fill(data: Path, now: int, environment: dict[str, str] | None = None) -> None:
    """Write the whole story into an empty data folder, ending a moment before `now` (ms UTC)."""
    clock = ManualClock(now - 2 * DAY)

    async def work(rt: Runtime) -> None:
        await tell(Bakery(rt, clock), now)

    before(data, clock, work, environment)


async def tell(shop: Bakery, now: int) -> None:
    await open_shop(shop)
    await yesterday(shop, now - DAY)
    await long_chat(shop, now - 3 * HOUR)
    await small_talk(shop, now)
    await ana(shop, now)
    await troubles(shop, now)
    shop.clock.at = now


async def open_shop(shop: Bakery) -> None:
    rt = shop.rt
    shop.rosa = await users.create_owner(rt, email=EMAIL, name="Rosa Martins", password=PASSWORD)
    rosa = await users.find(rt, EMAIL)
    paulo, _password = await users.add(rt, email="paulo@luna.example", name="Paulo Reis", role="agent", by=rosa)
    shop.paulo = paulo
    await rt.db.write(sign, "Luna Bakery", afternoon(shop.rt.clock.now()))
    await simulator.channel(rt)
    values = {
        "phone_number_id": "106540352242922", "access_token": "EAAexample", "app_secret": "0" * 32,
        "verify_token": "plum-otter-4417", "waba_id": "102290129340398",
    }  # fmt: skip
    shop.shop = await connecting.add(rt.channels, "whatsapp_cloud", "Shop", values)
    bot_id = await bots.create(rt, "", BOT.read_text(encoding="utf-8"), rosa)
    await bots.publish(rt, bot_id, None, "Opening day", rosa)
    live = rt.channels.by_id[shop.shop]
    live.sender.open = False
    await rt.channels.verified(live)
    await rt.channels.heard(live)


def sign(tx: Tx, business: str, zone: str) -> None:
    tx.run(setting_rows.PUT, name="business", value=business)
    tx.run(setting_rows.PUT, name="zone", value=zone)


def afternoon(at: int) -> str:
    """The zone in which it is two o'clock: the story's "today" is then today in every picture."""
    ahead = (14 - at // HOUR % 24 + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+}" if ahead else "Etc/GMT"


async def yesterday(shop: Bakery, at: int) -> None:
    """Some traffic to compare today with."""
    for number in range(30):
        text = ("hi", "when are you open?", "menu", "do you have bread")[number % 4]
        await shop.hear(f"55119400{number:05}", f"Visitor {number + 1}", text, at - 9 * HOUR + number * 20 * MINUTE)


async def long_chat(shop: Bakery, at: int) -> None:
    """Three hundred messages with somebody of a very long name."""
    texts = ("¿Hacen entregas a domicilio los domingos?", "menu", "hi", "when are you open?", "gracias 🙏")
    for number in range(150):
        await shop.hear("34600111222", LONG[:200], f"{texts[number % 5]} ({number + 1})", at + number * MINUTE)


async def small_talk(shop: Bakery, now: int) -> None:
    """Names and messages of many scripts."""
    people: Iterable[tuple[str, str, str, int]] = (
        ("5511977770001", "Keiko Tanaka", "thank you 👍", 300),
        ("48601222333", "Tomasz Wiśniewski", "hi", 260),
        ("5511977770002", "Dona Lúcia 💐", "Obrigada minha filha, Deus abençoe 🙏🙏", 190),
        ("447700900218", "", "menu", 150),
        ("5511977770003", "João", "when are you open?", 120),
        ("5511977770004", "Café Aurora (wholesale)", "hi", 95),
        ("972501234567", "נועה לוי", "hi", 70),
    )
    for phone, name, text, minutes in people:
        await shop.hear(phone, name, text, now - minutes * MINUTE)
    await shop.hear("919812345678", "प्रिया शर्मा", "क्या आज शाम तक दो दर्जन कपकेक मिल जाएँगे?", now - 15 * MINUTE)
    await shop.hear("919812345678", "प्रिया शर्मा", "talk to a person", now - 14 * MINUTE)
    await shop.hear("966501234567", "أحمد الخطيب", "هل لديكم كعكة عيد ميلاد بدون سكر؟", now - 8 * MINUTE)
    await shop.hear("966501234567", "أحمد الخطيب", "talk to a person", now - 6 * MINUTE)
    await shop.hear("966501234567", "أحمد الخطيب", "من فضلكم 🙏", now - 5 * MINUTE)


async def ana(shop: Bakery, now: int) -> None:
    """One chat with every kind of message, taken over by a person."""
    phone, name = "5511987654321", "Ana Beatriz Souza"

    async def hear(said: c.Content | str, minutes: float, **more: Any) -> tuple[int, str]:
        return await shop.hear(phone, name, said, now - int(minutes * MINUTE), **more)

    chat, _ = await hear("hi", 40)
    greeting, offered = await shop.rt.db.reader.one(NEWEST_OUT, id=chat) or ("", "")
    choice = c.decode(offered).choices[0]
    await hear(c.Pressed(choice.id, choice.title), 39, reply_to=greeting)
    await hear(c.Location(-23.5614, -46.6559, "Avenida Paulista", "Bela Vista, São Paulo"), 38)
    await hear("when are you open?", 37.8)
    await hear(c.Contacts((c.Card("Dona Célia", (("+55 11 91234-5678", "CELL"),)),)), 37.5)
    await hear(c.Document("m1", mime="application/pdf", filename="Menu for November.pdf"), 37)
    await shop.keep_file(b"%PDF-1.4 menu" + b"\0" * 412_000, "application/pdf")
    await hear("menu", 36.5)
    await hear(c.Unsupported("poll", "Message type is not supported"), 36)
    await hear("hi", 35.8)
    await hear(c.Order("111", ({"product_retailer_id": "strawberry-cake", "quantity": 2, "item_price": 96},)), 35.5)
    await hear(c.FlowReply("delivery", "", {"street": "Rua das Flores 12", "floor": "3"}), 35)
    await hear("menu", 34.5)
    await hear("Hi! 😊 I want to order a cake for my *mum's 70th* birthday, see https://luna.example/cakes", 34)
    await hear(c.Image("m2", mime="image/png", caption="24 please, like this one but with _strawberries_ 🍓"), 33)
    await shop.keep_file(files.cake(), "image/png")
    await hear("hi", 32.5)
    await hear("big order", 32)
    shop.clock.at = now - 30 * MINUTE
    await shop.rt.db.write(handoff._take, chat, shop.rosa)
    await shop.say(chat, "Hello Ana, Rosa here! 24 slices or 24 small cakes?", now - 29 * MINUTE, shop.rosa)
    _, asked = await hear("24 slices. Sorry, *slices* of course", 28)
    await hear(c.Reaction(asked, "❤️"), 27.9)
    await hear(c.Audio("m3", mime="audio/ogg", voice=True), 27)
    await shop.keep_file(b"OggS" + b"\0" * 22_000, "audio/ogg")
    _, wrong = await hear("For Saturday at 9", 26)
    await hear(c.Edit(wrong, c.Text("For Saturday at 10")), 25.5)
    _, gone = await hear("never mind", 25)
    await hear(c.Delete(gone), 24.9)
    await hear("Can you write her name on it?", 24, reply_to=asked)
    await shop.say(chat, "Here is last year's album to choose from", now - 20 * MINUTE, shop.rosa, fate="failed")
    await shop.say(chat, "Order 4822 is confirmed for Saturday, 10:00 🎂", now - 3 * MINUTE, shop.rosa, fate="held")
    await shop.say(chat, "Of course! I have put two aside 🎂", now - 2 * MINUTE, shop.rosa, fate="delivered")


async def troubles(shop: Bakery, now: int) -> None:
    """Things that need somebody."""
    chat, _ = await shop.hear("5511977770009", "Bruno Keller", "talk to a person", now - 50 * MINUTE)
    await shop.say(chat, "Paulo here. The oven is free at four.", now - 45 * MINUTE, shop.paulo, fate="failed")
    shop.clock.at = now - MINUTE
    await shop.rt.db.write(
        inbox.quarantine, shop.intake, None, "unknown_account", Malformed("999", "No channel has it.", b"{}")
    )
    await shop.rt.db.write(
        inbox.quarantine, shop.intake, shop.shop, "malformed", Malformed("1", "messages[0].from is a list", b"{}")
    )
