"""One connection of a client: before it is linked, and as a linked device."""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from . import answers
from .library import e2e
from .linking import Typed
from .nodes import SERVER, Jid, Node
from .people import Linked
from .signal import unpad
from .socket import Ended, Socket

if TYPE_CHECKING:
    from .server import WhatsApp

CODES = 6


class Connection:
    """A client that is connected. `linked` is None until it logs in."""

    def __init__(self, server: "WhatsApp", socket: Socket) -> None:
        self.server, self.socket = server, socket
        self.linked: Linked | None = None
        self.linking_id = ""
        self.typed: Typed | None = None

    async def run(self) -> None:
        server = self.server
        try:
            await self.socket.accept()
            await self.socket.handshake(server.static, server.chain)
            if server.refusal:
                await self.socket.send(Node("failure", {**server.refusal}))
                await self._hung_up()
                return
            if not (await self._log_in() if self.socket.payload.username else await self._offer_codes()):
                return
            while True:
                await self._take(await self.socket.receive())
        except (Ended, asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            if self in server.unlinked:
                server.unlinked.remove(self)
            if self.linked and self.linked.connection is self:
                self.linked.connection = None
            self.socket.close()
            server.tell("gone")

    async def _offer_codes(self) -> bool:
        self.server.unlinked.append(self)
        references = [Node("ref", {}, f"2@reference{number}".encode()) for number in range(CODES)]
        query: dict[str, str | Jid | None] = {"from": SERVER, "type": "set", "id": self.server.next_id(), "xmlns": "md"}
        await self.socket.send(Node("iq", query, [Node("pair-device", {}, references)]))
        return True

    async def _hung_up(self) -> None:
        """The client has a moment to end the connection itself."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                while True:
                    await self.socket.receive()

    async def _log_in(self) -> bool:
        server, payload = self.server, self.socket.payload
        linked = server.linked.get(payload.device)
        if linked is None or linked.noise != self.socket.key:
            await self.socket.send(Node("failure", {"reason": "401", "location": "test"}))
            await self._hung_up()
            return False
        if linked.connection:
            linked.connection.socket.close()
        self.linked, linked.connection = linked, None
        lid = Jid(f"{server.owner.lid}:{linked.number}@lid")
        await self.socket.send(
            Node("success", {"t": server.now(), "props": "1", "lid": lid, "location": "test", "abprops": "1"})
        )
        waiting: list[str] = []
        while new := [id for id in linked.waiting if id not in waiting]:
            for id in new:
                linked.waiting[id].attributes["offline"] = "0"
                await self.socket.send(linked.waiting[id])
            waiting += new
        # From here on what is said goes out at once, behind what waited.
        linked.connection = self
        await self.socket.send(Node("ib", {"from": SERVER}, [Node("offline", {"count": str(len(waiting))})]))
        server.tell("logged in", device=linked.number)
        return True

    async def answer(self, query: Node, content: list[Node] | None = None) -> None:
        to = query.jid("to") if query.get("to") else SERVER
        await self.socket.send(Node("iq", {"from": to, "id": query.get("id"), "type": "result"}, content))

    # ---- what the client sends ---------------------------------------------------------------------------------------

    async def _take(self, node: Node) -> None:
        match node.tag:
            case "iq" if node.get("type") in ("get", "set"):
                await answers.answer(self, node)
            case "iq" if node.get("id") == self.linking_id and node.get("type") == "result":
                # A client that was linked is told to connect again, then it logs in.
                self.server.tell("linked", device=max(self.server.linked))
                await self.socket.send(Node("stream:error", {"code": "515"}))
                await self._hung_up()
                self.socket.close()
            case "message":
                await self._message(node)
            case "receipt":
                if self.linked and node.get("type") != "retry":
                    self.linked.waiting.pop(node.get("id"), None)
                self.server.tell("receipt", id=node.get("id"), to=node.get("to"), type=node.get("type"))
                told: dict[str, str | Jid | None] = {"class": "receipt", "id": node.get("id"), "from": node.jid("to")}
                await self.socket.send(Node("ack", told | {"type": node.get("type") or None}))
            case "chatstate":
                self.server.tell("typing", to=node.get("to"), state=node.children[0].tag)

    async def _message(self, node: Node) -> None:
        server, to, id = self.server, node.jid("to"), node.get("id")
        if self.linked is None:
            return
        if server.error:
            told = {"class": "message", "id": id, "from": to, "t": server.now(), "error": server.error}
            await self.socket.send(Node("ack", {**told}))
            return
        if server.acknowledges:
            await self.socket.send(Node("ack", {"class": "message", "id": id, "from": to, "t": server.now()}))
        if id in server.taken:
            server.tell("message again", id=id)
            return
        server.taken.add(id)
        message = self._read(node, to)
        if message.messageContextInfo.messageSecret:
            server.secrets[id] = message.messageContextInfo.messageSecret
        server.tell("message", id=id, to=str(to), message=message, text=text_of(message))
        person = server.find(to)
        if person and server.delivers:
            await server.send_receipt(person, [id])

    def _read(self, node: Node, to: Jid) -> Any:
        """As the contact's phone decrypts it."""
        assert self.linked is not None
        if to.server == "g.us":
            return self._read_in_group(node, str(to))
        wrapped = node.child("participants")
        parts = [(child.jid("jid"), child.child("enc")) for child in (wrapped.children if wrapped else [])]
        parts.append((to, node.child("enc")))
        for jid, cipher in parts:
            person = self.server.find(jid)
            if cipher is None or person is None or person is self.server.owner or jid.device:
                continue
            plain = person.device.decrypt(f"bot:{self.linked.number}", cipher.get("type"), cipher.data())
            return e2e.Message.FromString(unpad(plain))
        return e2e.Message()

    def _read_in_group(self, node: Node, group: str) -> Any:
        """As the first member's phone decrypts it: the sender's key with the first message, then what it opens."""
        assert self.linked is not None
        member, name = self.server.groups[group][0], f"bot:{self.linked.number}"
        wrapped = node.child("participants")
        for child in wrapped.children if wrapped else []:
            cipher = child.child("enc")
            if cipher and self.server.find(child.jid("jid")) is member:
                plain = member.device.decrypt(name, cipher.get("type"), cipher.data())
                told = e2e.Message.FromString(unpad(plain)).senderKeyDistributionMessage
                member.device.learn_sender_key(group, name, told.axolotlSenderKeyDistributionMessage)
        cipher = node.child("enc")
        assert cipher is not None
        return e2e.Message.FromString(unpad(member.device.decrypt_from_group(group, name, cipher.data())))


def text_of(message: Any) -> str:
    return message.conversation or message.extendedTextMessage.text
