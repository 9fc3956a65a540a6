"""An installation for made-up requests, and for each operation of the API a request that it takes."""

import itertools
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import httpx

from app import connecting, tokens, users
from app.connectors.base import Address
from app.db import Statement, Tx
from app.security import sessions
from app.store import outbox
from app.store import webhooks as store
from tests.api.conftest import EMAIL, PASSWORD
from tests.browser.house import House
from tests.fakes.graph import Number
from tests.shop import said, take_in

SHEET: Final = "phone,name\n+5511977776666,Caio\n"
DOCUMENT: Final = """bot: Luna
rules:
  - name: ready
    when: {trigger: ready}
    do: [{say: It is ready.}]
  - name: hello
    when: {says: hello}
    do: [{say: Hi!}]
  - name: price
    when: {says: price}
    do: [{call: {handler: prices, timeout: 30}, failed: [{say: No price.}]}]
tests:
  - name: hello
    chat: [{user: hello}, {bot: Hi!}]
"""
VALUES: Final = {
    "phone_number_id": "206540352242922", "access_token": Number().token, "app_secret": "s", "verify_token": "v",
    "waba_id": Number().waba,
}  # fmt: skip
SENT: Final = Statement("update message set status = 'sent', provider_id = :key where id = :id")
HOLD: Final = Statement("update outbox set state = 'held' where message_id = :id")


class Guest(House):
    """An installation with an owner, a channel whose messages nobody fetches, a bot, and a key that may do everything.
    Each request comes from another address, by a proxy that is believed."""

    def __enter__(self) -> "Guest":
        super().__enter__()
        self.run(self.fill())
        self.numbers = itertools.count(5511900000000)
        self.client = httpx.Client(base_url=f"{self.url}/api/v1", headers=self.head, timeout=30)
        self.bot: Any = self.ask("POST", "/bots", document=DOCUMENT)
        self.ask("POST", f"/bots/{self.bot['id']}/publish", channels=["Shop"], anyway=True)
        self.version = self.ask("GET", f"/bots/{self.bot['id']}/versions")["items"][0]
        return self

    def __exit__(self, *error: object) -> None:
        self.client.close()
        super().__exit__(*error)

    async def fill(self) -> None:
        await users.create_owner(self.rt, email=EMAIL, name="Rosa", password=PASSWORD)
        self.owner = (await users.find(self.rt, EMAIL)).id
        self.channel = await connecting.add(self.rt.channels, "whatsapp_cloud", "Shop", VALUES)
        self.phone = await connecting.add(
            self.rt.channels, "whatsapp_web", "Phone", {"phone": "+1 (555) 000-1111", "risk": "yes"}
        )
        for channel_id in (self.channel, self.phone):
            self.rt.channels.by_id[channel_id].sender.open = False
        scopes = ["read", "send", "manage", "admin"]
        made = await tokens.create(self.rt, name="all", scopes=scopes, rate=0, user_id=self.owner)
        self.head = {"Authorization": f"Bearer {made.secret}"}

    def address(self) -> dict[str, str]:
        """The header of a visitor who was not here before; sixty log-ins a minute are not all there may be (S5)."""
        self.app.state.limits.buckets.pop("authentication", None)
        number = next(self.numbers)
        return {"X-Forwarded-For": f"198.{18 + number % 2}.{number // 2 % 250}.{number // 500 % 250}"}

    def ask(self, method: str, path: str, **body: Any) -> Any:
        answer = self.client.request(method, path, json=body or None)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    def contact(self) -> str:
        return str(self.ask("POST", "/contacts", phone=f"+{next(self.numbers)}")["id"])

    def merged(self) -> tuple[dict[str, str], dict[str, str]]:
        """A contact into which another went, and the merge."""
        keep = self.contact()
        self.ask("POST", f"/contacts/{keep}/merge", contact_id=self.contact())
        [merge] = self.ask("GET", f"/contacts/{keep}/merges")["merges"]
        return {"id": keep}, {"merge_id": merge["id"]}

    def message(self, held: bool = False) -> dict[str, Any]:
        sent: dict[str, Any] = self.ask("POST", "/messages", channel="Shop", to=f"+{next(self.numbers)}", text="Hi")
        if held:
            self.run(self.rt.db.write(hold, int(sent["id"])))
        return sent

    def chat(self) -> str:
        return str(self.message()["conversation_id"])

    def webhook(self) -> str:
        return str(self.ask("POST", "/webhooks", url="https://crm.invalid/in", types=["bot.updated"])["id"])

    def person(self) -> str:
        email = f"p{next(self.numbers)}@luna.example"
        return str(self.ask("POST", "/users", email=email, role="viewer")["id"])

    def key(self) -> str:
        return str(self.ask("POST", "/tokens", name="CRM", scopes=["read"])["id"])

    def shop(self) -> str:
        values = VALUES | {"phone_number_id": str(next(self.numbers))}
        return str(self.ask("POST", "/channels", kind="whatsapp_cloud", name=f"S{values['phone_number_id']}",
                            values=values)["id"])  # fmt: skip

    def invitation(self) -> str:
        email = f"i{next(self.numbers)}@luna.example"
        self.ask("POST", "/invitations", email=email, role="viewer")
        return str(self.ask("GET", "/invitations")["items"][0]["id"])

    def team(self) -> str:
        return str(self.ask("POST", "/teams", name=f"Team {next(self.numbers)}")["id"])

    def media(self) -> str:
        head = {"Content-Type": "application/octet-stream"}
        return str(self.client.post("/media?filename=menu.pdf", content=b"%PDF-1.7 a menu", headers=head).json()["id"])

    def file(self, started: bool = False) -> str:
        """Contacts that wait to be brought in, or that were: one of them does not fit."""
        path, head = "/contacts/imports?name=people.csv", {"Content-Type": "text/csv"}
        one = self.client.post(path, content=f"{SHEET}12,Short\n", headers=head).json()
        if started:
            self.ask("POST", f"/contacts/imports/{one['id']}/start", mapping=["phone", "name"])
            until = time.monotonic() + 60
            while self.ask("GET", f"/contacts/imports/{one['id']}")["state"] != "done" and time.monotonic() < until:
                time.sleep(0.02)
        return str(one["id"])

    def template(self) -> str:
        body = [{"type": "BODY", "text": "Your order is ready."}]
        made = {"name": f"t{next(self.numbers)}", "language": "en", "category": "UTILITY", "components": body}
        return str(self.ask("POST", "/templates", channel="Shop", **made)["id"])

    def said_by_phone(self) -> str:
        """A text that went out by a linked phone, which can still change it."""
        who = str(next(self.numbers))
        message = said(self.rt, "Hello", account="", sender=Address(wa_id=who))
        self.run(take_in(self.rt, self.rt.channels.by_id[self.phone], message))
        sent = self.ask("POST", "/messages", channel="Phone", to=f"+{who}", text="Hi")["id"]
        self.run(self.rt.db.write(lambda tx: tx.run(SENT, id=int(sent), key=f"3EB0{sent}")))
        return str(sent)

    def question(self) -> str:
        """One that a bot has just asked, begun by us."""
        self.run(
            take_in(self.rt, self.rt.channels.by_id[self.channel], said(self.rt, "price", str(next(self.numbers))))
        )
        return str(self.ask("POST", "/questions/next", handler="prices", wait=20)["question"]["id"])

    def trouble(self) -> str:
        """A group of errors, of a kind of its own: one that was set aside stays so."""
        try:
            raise type(f"MadeUp{next(self.numbers)}", (ValueError,), {})
        except ValueError:
            logging.getLogger("app.made_up").exception("it failed")
        return str(self.ask("GET", "/errors")["items"][0]["id"])

    def session(self) -> str:
        self.run(self.rt.db.write(partial(sessions.begin, user_id=self.owner, agent="", ip="")))
        return str(self.ask("GET", "/sessions")["items"][-1]["id"])

    def revision(self) -> int:
        return int(self.ask("GET", f"/bots/{self.bot['id']}/draft")["revision"])

    def refresh_token(self) -> str:
        body = {"email": EMAIL, "password": PASSWORD}
        answer = self.client.post("/auth/token", json=body, headers=self.address())
        return str(answer.json()["refresh_token"])


def hold(tx: Tx, message_id: int) -> None:
    """Nobody knows what became of this message."""
    assert tx.one(outbox.STATE, message_id=message_id) == "queued"
    tx.run(HOLD, id=message_id)


def delivery(guest: Guest) -> tuple[str, str]:
    """A webhook and one of its deliveries."""
    webhook = guest.webhook()
    delivery_id = guest.run(guest.rt.db.write(deliver, int(webhook)))
    return webhook, str(delivery_id)


def deliver(tx: Tx, webhook_id: int) -> int:
    one = tx.new_id()
    tx.run(
        store.INSERT_DELIVERY, id=one, webhook_id=webhook_id, seq=1, type="bot.updated", body="{}", now=tx.now,
        conversation_id=None, message_id=None,
    )  # fmt: skip
    return one


Right = Callable[[Guest], tuple[dict[str, str], dict[str, Any] | str | None]]


def at(thing: Callable[[Guest], str], **body: Any) -> Right:
    """A request to one thing."""
    return lambda guest: ({"id": thing(guest)}, body or None)


def with_body(make: Callable[[Guest], dict[str, Any]]) -> Right:
    return lambda guest: ({}, make(guest))


def replaying(guest: Guest) -> tuple[dict[str, str], dict[str, Any]]:
    webhook, one = delivery(guest)
    return {"id": webhook}, {"delivery_id": one}


def leaving(guest: Guest) -> tuple[dict[str, str], None]:
    team, person = guest.team(), guest.person()
    guest.ask("PUT", f"/teams/{team}/members/{person}")
    return {"id": team, "user": person}, None


def luna(guest: Guest) -> str:
    return str(guest.bot["id"])


def shop(guest: Guest) -> str:
    return str(guest.channel)


# What each operation is asked first; those that are not here need nothing.
RIGHT: Final[dict[str, Right]] = {
    "logIn": with_body(lambda guest: {"email": EMAIL, "password": PASSWORD}),
    "refreshToken": with_body(lambda guest: {"refresh_token": guest.refresh_token()}),
    "revokeToken": with_body(lambda guest: {"refresh_token": guest.refresh_token()}),
    "sendMessage": with_body(lambda guest: {"channel": "Shop", "to": f"+{next(guest.numbers)}", "text": "Hi"}),
    "correctMessage": at(Guest.said_by_phone, text="Hi!"),
    "takeBackMessage": at(Guest.said_by_phone),
    "getMessage": at(lambda guest: guest.message()["id"]),
    "resendMessage": at(lambda guest: guest.message(held=True)["id"]),
    "discardMessage": at(lambda guest: guest.message(held=True)["id"]),
    **dict.fromkeys(
        ("getConversation", "listMessages", "takeConversation", "giveBackConversation", "closeConversation"),
        at(Guest.chat),
    ),
    "assignConversation": lambda guest: ({"id": guest.chat()}, {"user_id": str(guest.owner)}),
    "nextQuestion": with_body(lambda guest: {"handler": "prices"}),
    "answerQuestion": at(Guest.question, body={"price": 9}),
    "trigger": at(Guest.chat, name="ready"),
    "triggerContact": with_body(lambda guest: {"channel": "Shop", "to": f"+{next(guest.numbers)}", "name": "ready"}),
    "createContact": with_body(lambda guest: {"phone": f"+{next(guest.numbers)}"}),
    **dict.fromkeys(("getContact", "eraseContact", "listAliases", "listMerges"), at(Guest.contact)),
    "changeContact": at(Guest.contact, name="Caio"),
    "mergeContacts": lambda guest: ({"id": guest.contact()}, {"contact_id": guest.contact()}),
    "unmergeContact": lambda guest: guest.merged(),
    "importContacts": with_body(lambda guest: {"csv": SHEET, "apply": True}),
    "sendMessages": with_body(
        lambda guest: {"messages": [{"channel": "Shop", "to": f"+{next(guest.numbers)}", "text": "Hi"}]}
    ),
    "putContacts": with_body(lambda guest: {"contacts": [{"phone": f"+{next(guest.numbers)}"}]}),
    "changeContacts": with_body(lambda guest: {"ids": [guest.contact()], "add_tags": ["vip"]}),
    "uploadMedia": lambda guest: ({}, "%PDF-1.7 a menu"),
    **dict.fromkeys(("getMedia", "downloadMedia"), at(Guest.media)),
    "createImport": lambda guest: ({}, SHEET),
    **dict.fromkeys(("getImport", "deleteImport"), at(Guest.file)),
    "previewImport": lambda guest: ({"id": guest.file()}, {}),
    "startImport": lambda guest: ({"id": guest.file()}, {}),
    "getWrongRows": at(lambda guest: guest.file(started=True)),
    "createBot": with_body(lambda guest: {"starter": "blank"}),
    **dict.fromkeys(("getBot", "getDraft", "testBot", "listVersions"), at(luna)),
    "saveDraft": lambda guest: ({"id": luna(guest)}, {"document": DOCUMENT, "revision": guest.revision()}),
    "lintBot": at(luna, document=DOCUMENT),
    "publishBot": at(luna, channels=["Shop"], anyway=True),
    "getVersion": lambda guest: ({"id": luna(guest), "number": "1"}, None),
    "createChannel": with_body(
        lambda guest: {
            "kind": "whatsapp_cloud",
            "name": f"N{next(guest.numbers)}",
            "values": VALUES | {"phone_number_id": str(next(guest.numbers))},
        }
    ),
    **dict.fromkeys(("getChannel", "testChannel"), at(shop)),
    **dict.fromkeys(("getHealth", "listAway"), at(lambda guest: str(guest.phone))),
    "decideAway": at(lambda guest: str(guest.phone), decision="skip"),
    "changeChannel": at(Guest.shop, rate=5),
    "deleteChannel": at(Guest.shop),
    "pointChannel": lambda guest: ({"id": shop(guest)}, {"version_id": guest.version["id"]}),
    "createTemplate": with_body(
        lambda guest: {
            "channel": "Shop",
            "name": f"u{next(guest.numbers)}",
            "language": "en",
            "category": "UTILITY",
            "components": [{"type": "BODY", "text": "Hello."}],
        }
    ),
    "fetchTemplates": with_body(lambda guest: {"channel": "Shop"}),
    **dict.fromkeys(("getTemplate", "submitTemplate", "deleteTemplate"), at(Guest.template)),
    "changeTemplate": at(Guest.template, components=[{"type": "BODY", "text": "It is ready."}]),
    "createWebhook": with_body(lambda guest: {"url": "https://crm.invalid/in", "types": ["bot.updated"]}),
    **dict.fromkeys(
        ("getWebhook", "deleteWebhook", "rotateSecret", "testWebhook", "listDeliveries"), at(Guest.webhook)
    ),
    "changeWebhook": at(Guest.webhook, types=[]),
    "replayDelivery": replaying,
    "createUser": with_body(lambda guest: {"email": f"n{next(guest.numbers)}@luna.example", "role": "agent"}),
    "getUser": at(Guest.person),
    "changeUser": at(Guest.person, role="agent"),
    "createInvitation": with_body(lambda guest: {"email": f"j{next(guest.numbers)}@luna.example", "role": "agent"}),
    "revokeInvitation": at(Guest.invitation),
    "createTeam": with_body(lambda guest: {"name": f"Team {next(guest.numbers)}"}),
    "changeTeam": at(Guest.team, channels=["Shop"]),
    "deleteTeam": at(Guest.team),
    "joinTeam": lambda guest: ({"id": guest.team(), "user": guest.person()}, None),
    "leaveTeam": leaving,
    "createToken": with_body(lambda guest: {"name": "CRM", "scopes": ["read"]}),
    **dict.fromkeys(("getToken", "deleteToken"), at(Guest.key)),
    "getError": at(Guest.trouble),
    "markError": at(Guest.trouble, state="resolved"),
    "endSession": at(Guest.session),
}
# What an operation does not do without behind the “?”.
QUERIES: Final = {"searchMessages": {"q": "hi"}}
# What is known to be there is put in the place of what was made up, half of the time.
KNOWN: Final = {"channel": "Shop", "to": "+5511988887777", "kind": "whatsapp_cloud", "channels": ["Shop"]}
