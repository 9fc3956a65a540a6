"""How the phone links a device: the QR code it scans, or the code that its owner types."""

import base64
import hashlib
import hmac
import os
import time
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .curve import KeyPair, hkdf
from .library import adv
from .nodes import SERVER, Jid, Node
from .people import Linked

if TYPE_CHECKING:
    from .device import Connection
    from .server import WhatsApp

STAGES = "link_code_companion_reg"


class Typed:
    """A link by pairing code under way, on the phone's side."""

    def __init__(self, wrapped: bytes) -> None:
        self.wrapped = wrapped
        self.reference = b"linkref" + os.urandom(4)
        self.ephemeral = KeyPair()
        self.theirs = b""


async def scan(server: "WhatsApp", code: str) -> None:
    """The phone scans a QR code. Raises `LookupError` if no device shows it."""
    _, noise, identity, secret, *_ = code.rsplit("#", 1)[-1].split(",")
    key = base64.b64decode(noise)
    for connection in server.unlinked:
        if connection.socket.key == key:
            return await finish(server, connection, base64.b64decode(identity), base64.b64decode(secret))
    raise LookupError("no device shows this code")


async def finish(server: "WhatsApp", connection: "Connection", identity: bytes, secret: bytes) -> None:
    """The phone vouches for the device: it signs the identity, and proves with the secret that it saw the code."""
    told = connection.socket.payload.devicePairingData
    number = server.next_device()
    signing = server.owner.device.identity
    details = adv.ADVDeviceIdentity(rawID=1234, timestamp=int(time.time()), keyIndex=number).SerializeToString()
    signed = adv.ADVSignedDeviceIdentity(
        details=details,
        accountSignatureKey=signing.public,
        accountSignature=signing.sign(b"\x06\x00" + details + identity),
    ).SerializeToString()
    proof = hmac.new(secret, signed, hashlib.sha256).digest()
    container = adv.ADVSignedDeviceIdentityHMAC(details=signed, HMAC=proof).SerializeToString()
    server.linked[number] = Linked(
        number, identity, connection.socket.key, (told.eSkeyID, told.eSkeyVal, told.eSkeySig)
    )
    connection.linking_id = server.next_id()
    owner = server.owner
    names = {
        "jid": Jid(f"{owner.phone}:{number}@s.whatsapp.net"),
        "lid": Jid(f"{owner.lid}:{number}@lid"),
    }
    success = [Node("device-identity", {}, container), Node("device", {**names}), Node("platform", {"name": "android"})]
    query = {"from": SERVER, "type": "set", "id": connection.linking_id, "xmlns": "md", "t": server.now()}
    await connection.socket.send(Node("iq", {**query}, [Node("pair-success", {}, success)]))


# ---- by code --------------------------------------------------------------------------------------------------------


def _cipher(code: str, salt: bytes, iv: bytes, data: bytes) -> bytes:
    key = hashlib.pbkdf2_hmac("sha256", code.encode(), salt, 2 << 16, 32)
    made = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    return made.update(data) + made.finalize()


async def enter(server: "WhatsApp", code: str) -> None:
    """The phone's owner types the code that the device shows."""
    connection = next(one for one in server.unlinked if one.typed)
    typed = connection.typed
    assert typed is not None
    plain = code.replace("-", "")
    typed.theirs = _cipher(plain, typed.wrapped[:32], typed.wrapped[32:48], typed.wrapped[48:])
    salt, iv = os.urandom(32), os.urandom(16)
    children = [
        Node(
            "link_code_pairing_wrapped_primary_ephemeral_pub",
            {},
            salt + iv + _cipher(plain, salt, iv, typed.ephemeral.public),
        ),
        Node("primary_identity_pub", {}, server.owner.device.identity.public),
        Node("link_code_pairing_ref", {}, typed.reference),
    ]
    told = {"from": SERVER, "id": server.next_id(), "type": STAGES, "t": server.now()}
    await connection.socket.send(Node("notification", {**told}, [Node(STAGES, {"stage": "primary_hello"}, children)]))


async def stage(connection: "Connection", query: Node, step: Node) -> None:
    """What the device asks and tells while it is linked by code."""
    server = connection.server
    if step.get("stage") == "companion_hello":
        connection.typed = Typed(step.data("link_code_pairing_wrapped_companion_ephemeral_pub"))
        answer = [Node("link_code_pairing_ref", {}, connection.typed.reference)]
        await connection.answer(query, [Node(STAGES, {"stage": "companion_hello"}, answer)])
        server.tell("code wanted", phone=step.get("jid"))
        return
    await connection.answer(query)
    if step.get("stage") == "companion_finish" and connection.typed:
        agreed = connection.typed.ephemeral.agree(connection.typed.theirs)
        bundle = step.data("link_code_pairing_wrapped_key_bundle")
        key = hkdf(agreed, bundle[:32], b"link_code_pairing_key_bundle_encryption_key", 32)
        plain = AESGCM(key).decrypt(bundle[32:44], bundle[44:], b"")
        identity, random = plain[:32], plain[64:]
        secret = hkdf(agreed + server.owner.device.identity.agree(identity) + random, None, b"adv_secret", 32)
        await finish(server, connection, identity, secret)
