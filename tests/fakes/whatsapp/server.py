"""The server: one phone with its contacts and linked devices; what contacts do, and what was seen."""

import asyncio
import itertools
import os
import time
from typing import Any

from . import linking, votes
from .answers import removed
from .curve import KeyPair
from .device import Connection
from .library import e2e
from .media import MediaHost, cut_off
from .nodes import Jid, Node
from .noise import ROOT, certify
from .people import Linked, Person
from .redirect import redirect
from .signal import Session, pad
from .socket import Socket

PATIENCE = 20.0


class WhatsApp:
    """Start it, `redirect` the library to it, then let the phone scan and contacts write.

    `acknowledges`: sends are acknowledged; `delivers`: phones of contacts report delivery; `error`: a code with which
    every send is refused; `refusal`: with which attributes every
    connection is refused.
    """

    def __init__(self, phone: str = "15550001111", lid: str = "100000000000001") -> None:
        self.owner = Person(phone, lid, "Owner")
        self.contacts: dict[str, Person] = {}
        self.groups: dict[str, list[Person]] = {}
        self.linked: dict[int, Linked] = {}
        self.unlinked: list[Connection] = []
        self.static = KeyPair()
        self.chain = certify(self.static.public)
        self.media = MediaHost()
        self.port = 0
        self.acknowledges = self.delivers = True
        self.error = ""
        self.refusal: dict[str, str] = {}
        self._seen: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self._ids = itertools.count(1)
        self._devices = itertools.count(1)
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.taken: set[str] = set()
        self.secrets: dict[str, bytes] = {}

    async def start(self, port: int = 0) -> None:
        await self.media.start()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        await self.media.close()
        if self._server:
            self._server.close()
        await cut_off(self._serving)

    def redirect(self) -> None:
        """Turn the library loaded in this process here."""
        redirect(self.port, ROOT.public)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await Connection(self, Socket(reader, writer)).run()
        finally:
            self._serving.discard(task)

    # ---- what was seen ----------------------------------------------------------------------------------------------

    def tell(self, what: str, **told: Any) -> None:
        self._seen.put_nowait((what, told))

    async def seen(self, what: str, *, patience: float | None = PATIENCE, **wanted: Any) -> dict[str, Any]:
        """Wait for the next event of this kind with these values; what came before it is passed over."""
        async with asyncio.timeout(patience):
            while True:
                kind, told = await self._seen.get()
                if kind == what and all(told.get(name) == value for name, value in wanted.items()):
                    return told

    # ---- the phone --------------------------------------------------------------------------------------------------

    async def scan(self, code: str) -> None:
        await linking.scan(self, code)

    async def enter(self, code: str) -> None:
        await linking.enter(self, code)

    async def unlink(self) -> None:
        """The owner removes every linked device."""
        for linked in list(self.linked.values()):
            self.linked.pop(linked.number)
            if linked.connection:
                socket = linked.connection.socket
                await socket.send(removed())
                await asyncio.sleep(0.05)
                socket.close()

    async def end(self, *stanzas: Node) -> None:
        """Every connection ends, after these stanzas if any."""
        for linked in self.linked.values():
            if linked.connection:
                socket = linked.connection.socket
                for stanza in stanzas:
                    await socket.send(stanza)
                await asyncio.sleep(0.05)
                socket.close()

    async def demand_passkey(self) -> None:
        """What the server answers since June 2026 where an account has to prove itself with a passkey."""
        options = b'{"challenge": "YWJj", "rpId": "whatsapp.com", "timeout": 60000, "allowCredentials": []}'
        told = {
            "from": Jid("s.whatsapp.net"),
            "id": self.next_id(),
            "type": "passkey_prologue_request",
            "t": self.now(),
        }
        await self.unlinked[0].socket.send(
            Node("notification", {**told}, [Node("passkey_request_options", {}, options)])
        )

    # ---- contacts ---------------------------------------------------------------------------------------------------

    def add(self, phone: str, name: str) -> Person:
        person = self.contacts[phone] = Person(phone, "2" + phone[-14:].rjust(14, "0"), name)
        return person

    def find(self, jid: Jid) -> Person | None:
        people = [self.owner, *self.contacts.values()]
        return next((person for person in people if jid.user in (person.phone, person.lid)), None)

    async def say(self, who: Person, text: str, **how: Any) -> str:
        return await self.send(who, e2e.Message(conversation=text), **how)

    async def send(
        self, who: Person, message: Any, *, id: str = "", lid: bool = True, to: Person | None = None,
        group: str = "", media: str = "", more: dict[str, str | Jid | None] | None = None,
    ) -> str:  # fmt: skip
        """A contact writes; or the owner, from the phone, `to` a contact. Returns the id.

        `lid`: by which of their names the server shows people; `more`: attributes of the stanza that differ.
        """
        id = id or "3EB0" + os.urandom(9).hex().upper()
        if to:
            sent = e2e.DeviceSentMessage(destinationJID=str(to.jid(lid)), message=message)
            message = e2e.Message(deviceSentMessage=sent)
        for linked in self.linked.values():
            node = self._stanza(linked, who, message, id, lid, to, group, media)
            node.attributes |= more or {}
            linked.waiting[id] = node
            if linked.connection:
                await linked.connection.socket.send(node)
        return id

    def _stanza(
        self, linked: Linked, who: Person, message: Any, id: str, lid: bool, to: Person | None, group: str,
        media: str,
    ) -> Node:  # fmt: skip
        told: dict[str, str | Jid | None] = {"id": id, "t": self.now(), "notify": who.name}
        told |= {"type": "media" if media else "text", "addressing_mode": "lid" if lid else "pn"}
        other = "pn" if lid else "lid"
        if group:
            told |= {"from": Jid(group), "participant": who.jid(lid), f"participant_{other}": who.jid(not lid)}
        else:
            told |= {"from": who.jid(lid), f"sender_{other}": who.jid(not lid)}
        if to:
            told |= {"recipient": to.jid(lid), f"peer_recipient_{other}": to.jid(not lid)}
        plain = message
        if group:
            key = e2e.SenderKeyDistributionMessage(
                groupID=group, axolotlSenderKeyDistributionMessage=who.device.sender_key(group)
            )
            plain = e2e.Message(senderKeyDistributionMessage=key)
        kind, cipher = self._session(who, linked).encrypt(pad(plain.SerializeToString()))
        parts = [Node("enc", {"v": "2", "type": kind, "mediatype": media or None}, cipher)]
        if group:
            shared = who.device.encrypt_for_group(group, pad(message.SerializeToString()))
            parts.append(Node("enc", {"v": "2", "type": "skmsg"}, shared))
        return Node("message", told, list(parts))

    def _session(self, who: Person, linked: Linked) -> Session:
        name = f"bot:{linked.number}"
        if name not in who.device.sessions:
            prekey = linked.prekeys.pop(0) if linked.prekeys else None
            signed_id, signed, _ = linked.signed
            who.device.start(name, linked.identity, int.from_bytes(signed_id, "big"), signed, prekey)
        return who.device.sessions[name]

    async def vote(self, who: Person, poll: str, titles: list[str], *, secret: bytes = b"") -> str:
        """A contact votes for answers of a poll that the client under test sent."""
        return await self.send(who, votes.vote(self.owner, who, poll, titles, secret or self.secrets[poll]))

    async def send_receipt(self, who: Person, ids: list[str], type: str = "") -> None:
        """`type`: nothing for delivered, or read, played."""
        told = {"from": who.by_lid, "id": ids[0], "t": self.now(), "type": type or None}
        rest = [Node("list", {}, [Node("item", {"id": id}) for id in ids[1:]])] if len(ids) > 1 else None
        for linked in self.linked.values():
            if linked.connection:
                await linked.connection.socket.send(Node("receipt", {**told}, rest))

    # ---- numbers ----------------------------------------------------------------------------------------------------

    def next_id(self) -> str:
        return f"srv{next(self._ids)}"

    def next_device(self) -> int:
        return next(self._devices)

    @staticmethod
    def now() -> str:
        return str(int(time.time()))
