"""Answers to the queries (`iq`) of a client."""

import asyncio
from typing import TYPE_CHECKING

from . import linking
from .nodes import SERVER, Jid, Node
from .people import Linked, Person

if TYPE_CHECKING:
    from .device import Connection
    from .server import WhatsApp

SETTINGS = ("last", "online", "profile", "status", "groupadd", "readreceipts", "calladd")
GONE = Node("error", {"code": "404", "text": "item-not-found"})


async def answer(connection: "Connection", query: Node) -> None:
    """Answer one query; what is not known is answered with an empty result."""
    asked = query.children[0] if query.children else Node("")
    server = connection.server
    match query.get("xmlns"), asked.tag:
        case "encrypt", _ if query.get("type") == "set" and query.child("list") and connection.linked:
            keep_keys(connection.linked, query)
            await connection.answer(query)
        case "encrypt", "count" if connection.linked:
            await connection.answer(query, [Node("count", {"value": str(len(connection.linked.prekeys))})])
        case "encrypt", "digest":
            await refuse(connection, query)
        case "encrypt", "key":
            await connection.answer(query, [Node("list", {}, [keys_of(connection, user) for user in asked.children])])
        case "usync", _:
            users = asked.child("list")
            found = [look_up(connection, user) for user in (users.children if users else [])]
            told = {"index": "0", "last": "true", "mode": asked.get("mode") or "query", "sid": asked.get("sid")}
            result = Node("result", {}, [Node("devices"), Node("lid")])
            await connection.answer(query, [Node("usync", {**told}, [result, Node("list", {}, found)])])
        case "w:g2", _:
            await connection.answer(query, [group_of(server, str(query.jid("to")))])
        case "w:m", _:
            host = {"hostname": f"localhost:{server.media.port}", "type": "primary"}
            told = {"auth": "AUTH", "ttl": "3600", "auth_ttl": "3600", "max_buckets": "12", "id": "1"}
            hosts = [Node("host", {**host}, [Node("download"), Node("upload")])]
            await connection.answer(query, [Node("media_conn", {**told}, hosts)])
        case "md", "remove-companion-device" if connection.linked:
            await connection.answer(query)
            server.linked.pop(connection.linked.number, None)
            server.tell("unlinked", device=connection.linked.number)
            await connection.socket.send(removed())
            await asyncio.sleep(0.05)
            connection.socket.close()
        case "md", linking.STAGES:
            await linking.stage(connection, query, asked)
        case "w:sync:app:state", _:
            names = [child.get("name") for child in asked.children]
            collections = [Node("collection", {"name": name, "type": "result", "version": "0"}) for name in names]
            await connection.answer(query, [Node("sync", {}, collections)])
        case "privacy", _:
            categories = [Node("category", {"name": name, "value": "all"}) for name in SETTINGS]
            await connection.answer(query, [Node("privacy", {}, categories)])
        case "w:profile:picture", _:
            await refuse(connection, query)
        case "passive", tag:
            await connection.answer(query, [Node(tag)])
        case _:
            await connection.answer(query)


def group_of(server: "WhatsApp", jid: str) -> Node:
    """A group and who is in it; the phone's owner is."""
    told: dict[str, str | Jid | None] = {"id": jid.split("@")[0], "subject": "Group", "creation": server.now()}
    told |= {"s_t": server.now(), "creator": server.owner.by_lid, "addressing_mode": "lid"}
    people = [server.owner, *server.groups.get(jid, [])]
    members = [Node("participant", {"jid": person.by_lid, "phone_number": person.by_phone}) for person in people]
    return Node("group", told, members)


async def refuse(connection: "Connection", query: Node) -> None:
    to = query.jid("to") if query.get("to") else SERVER
    await connection.socket.send(Node("iq", {"from": to, "id": query.get("id"), "type": "error"}, [GONE]))


def removed() -> Node:
    """What a device is told that the phone has unlinked."""
    return Node("stream:error", {"code": "401"}, [Node("conflict", {"type": "device_removed"})])


def keep_keys(linked: Linked, query: Node) -> None:
    linked.identity = query.data("identity")
    linked.signed = (query.data("skey", "id"), query.data("skey", "value"), query.data("skey", "signature"))
    listed = query.child("list")
    for key in listed.children if listed else []:
        linked.prekeys.append((int.from_bytes(key.data("id"), "big"), key.data("value")))


def keys_of(connection: "Connection", user: Node) -> Node:
    """The keys with which a session to this person begins."""
    jid = user.jid("jid")
    person = connection.server.find(jid)
    if person is None or jid.device:
        return Node("user", {"jid": jid}, [GONE])
    device = person.device
    number, public = device.new_prekey()
    signed = [
        Node("id", {}, device.signed_id.to_bytes(3, "big")),
        Node("value", {}, device.signed.public),
        Node("signature", {}, device.signature),
    ]
    children = [
        Node("registration", {}, device.registration.to_bytes(4, "big")),
        Node("type", {}, b"\x05"),
        Node("identity", {}, device.identity.public),
        Node("skey", {}, signed),
        Node("key", {}, [Node("id", {}, number.to_bytes(3, "big")), Node("value", {}, public)]),
    ]
    return Node("user", {"jid": jid, "t": connection.server.now()}, children)


def look_up(connection: "Connection", user: Node) -> Node:
    """Who this is: devices, LID, and whether they are on WhatsApp."""
    server = connection.server
    if not user.get("jid"):
        number = user.data("contact").decode().lstrip("+").split("@")[0]
        person = server.contacts.get(number)
        jid = person.by_phone if person else Jid(f"{number}@s.whatsapp.net")
        lid = [Node("lid", {"val": person.by_lid})] if person else []
        return Node("user", {"jid": jid}, [Node("contact", {"type": "in" if person else "out"}), *lid])
    jid = user.jid("jid")
    known = server.find(jid)
    if known is None:
        return Node("user", {"jid": jid.bare()}, [Node("devices")])
    lid = [Node("lid", {"val": known.by_lid})] if jid.server != "lid" else []
    return Node("user", {"jid": jid.bare()}, [devices_of(connection, known), *lid, Node("contact", {"type": "in"})])


def devices_of(connection: "Connection", person: Person) -> Node:
    server = connection.server
    numbers = [0, *sorted(server.linked)] if person is server.owner else [0]
    devices = [Node("device", {"id": str(number), "key-index": str(number) if number else None}) for number in numbers]
    return Node("devices", {}, [Node("device-list", {"hash": "2:abc"}, devices)])
