"""One Signal device: X3DH, the double ratchet and sender keys, enough for a contact who writes and reads."""

import hashlib
import hmac
import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .curve import KeyPair, hkdf

VERSION = b"\x33"
SKIPPED_AT_MOST = 2000  # libsignal says 2^32-1 when it has sent nothing


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def pack(fields: dict[int, int | bytes | None]) -> bytes:
    """A protobuf message of numbers and bytes, by field number."""
    out = b""
    for number, value in sorted(fields.items()):
        if isinstance(value, bytes):
            out += _varint(number << 3 | 2) + _varint(len(value)) + value
        elif value is not None:
            out += _varint(number << 3) + _varint(value)
    return out


def unpack(data: bytes) -> dict[int, int | bytes]:
    fields: dict[int, int | bytes] = {}
    place = 0

    def varint() -> int:
        nonlocal place
        number = shift = 0
        while True:
            byte = data[place]
            place += 1
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    while place < len(data):
        tag = varint()
        if tag & 7 == 0:
            fields[tag >> 3] = varint()
        elif tag & 7 == 2:
            length = varint()
            fields[tag >> 3] = data[place : place + length]
            place += length
        else:
            raise ValueError(f"wire type {tag & 7}")
    return fields


def encrypt(key: bytes, iv: bytes, plain: bytes) -> bytes:
    """AES-CBC with PKCS#7."""
    missing = 16 - len(plain) % 16
    made = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return made.update(plain + bytes([missing]) * missing) + made.finalize()


def decrypt(key: bytes, iv: bytes, data: bytes) -> bytes:
    made = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    plain = made.update(data) + made.finalize()
    return plain[: -plain[-1]]


def pad(plain: bytes) -> bytes:
    """WhatsApp hides the length of a message behind 1 to 15 more bytes."""
    count = os.urandom(1)[0] & 15 or 15
    return plain + bytes([count]) * count


def unpad(plain: bytes) -> bytes:
    return plain[: -plain[-1]]


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


@dataclass
class Session:
    """A double ratchet with one device. `pending` names the keys that began it until the other side has answered."""

    own: KeyPair
    theirs: bytes
    root: bytes
    sending_key: KeyPair
    sending: bytes = b""
    sent: int = 0
    sent_before: int = 0
    receiving_key: bytes = b""
    receiving: bytes = b""
    received: int = 0
    skipped: dict[tuple[bytes, int], tuple[bytes, bytes, bytes]] = field(default_factory=dict)
    pending: tuple[int, int | None, int, bytes] | None = None
    base: bytes = b""

    def step(self, agreed: bytes) -> bytes:
        """The next root; returns the chain that begins with it."""
        out = hkdf(agreed, self.root, b"WhisperRatchet", 64)
        self.root = out[:32]
        return out[32:]

    @staticmethod
    def _next(chain: bytes) -> tuple[tuple[bytes, bytes, bytes], bytes]:
        out = hkdf(_mac(chain, b"\1"), None, b"WhisperMessageKeys", 80)
        return (out[:32], out[32:64], out[64:80]), _mac(chain, b"\2")

    def encrypt(self, plain: bytes) -> tuple[str, bytes]:
        (key, mac_key, iv), self.sending = self._next(self.sending)
        cipher = encrypt(key, iv, plain)
        body = VERSION + pack({1: self.sending_key.typed, 2: self.sent, 3: self.sent_before, 4: cipher})
        message = body + _mac(mac_key, self.own.typed + self.theirs + body)[:8]
        self.sent += 1
        if self.pending is None:
            return "msg", message
        registration, prekey, signed, base = self.pending
        first = {1: prekey, 2: base, 3: self.own.typed, 4: message, 5: registration, 6: signed}
        return "pkmsg", VERSION + pack(first)

    def decrypt(self, message: bytes) -> bytes:
        body, mac = message[:-8], message[-8:]
        fields = unpack(body[1:])
        key, number, before = fields[1], int(fields.get(2, 0)), int(fields.get(3, 0))
        assert isinstance(key, bytes) and isinstance(fields[4], bytes)
        self.pending = None
        cipher_key, mac_key, iv = self.skipped.pop((key, number), None) or self._advance(key, number, before)
        if not hmac.compare_digest(_mac(mac_key, self.theirs + self.own.typed + body)[:8], mac):
            raise ValueError("the message's code is wrong")
        return decrypt(cipher_key, iv, fields[4])

    def _advance(self, key: bytes, number: int, before: int) -> tuple[bytes, bytes, bytes]:
        if key != self.receiving_key:
            if self.receiving and before - self.received < SKIPPED_AT_MOST:
                self._skip_to(before)
            self.receiving_key, self.received = key, 0
            self.receiving = self.step(self.sending_key.agree(key))
            self.sent_before, self.sent, self.sending_key = self.sent, 0, KeyPair()
            self.sending = self.step(self.sending_key.agree(key))
        self._skip_to(number)
        keys, self.receiving = self._next(self.receiving)
        self.received += 1
        return keys

    def _skip_to(self, number: int) -> None:
        while self.received < number:
            keys, self.receiving = self._next(self.receiving)
            self.skipped[self.receiving_key, self.received] = keys
            self.received += 1


@dataclass
class SenderKey:
    """With what one device writes to one group."""

    id: int
    chain: bytes
    signing: KeyPair
    count: int = 0


class Device:
    """An identity with prekeys, and its sessions by the name of the other device."""

    def __init__(self) -> None:
        self.identity = KeyPair()
        self.registration = int.from_bytes(os.urandom(2), "big") | 1
        self.signed_id, self.signed = 1, KeyPair()
        self.signature = self.identity.sign(self.signed.typed)
        self.prekeys: dict[int, KeyPair] = {}
        self.sessions: dict[str, Session] = {}
        self.sender_keys: dict[str, SenderKey] = {}
        self.heard_keys: dict[tuple[str, str], tuple[bytes, int]] = {}

    def new_prekey(self) -> tuple[int, bytes]:
        number = len(self.prekeys) + 1
        self.prekeys[number] = KeyPair()
        return number, self.prekeys[number].public

    def start(
        self, name: str, identity: bytes, signed_id: int, signed: bytes, prekey: tuple[int, bytes] | None
    ) -> Session:
        """Begin a session with a device whose keys the server has."""
        base = KeyPair()
        secret = b"\xff" * 32 + self.identity.agree(signed) + base.agree(identity) + base.agree(signed)
        secret += base.agree(prekey[1]) if prekey else b""
        out = hkdf(secret, None, b"WhisperText", 64)
        session = Session(self.identity, b"\x05" + identity[-32:], out[:32], KeyPair())
        session.receiving_key, session.receiving = b"\x05" + signed[-32:], out[32:]
        session.sending = session.step(session.sending_key.agree(signed))
        session.pending = (self.registration, prekey[0] if prekey else None, signed_id, base.typed)
        self.sessions[name] = session
        return session

    def decrypt(self, name: str, kind: str, data: bytes) -> bytes:
        if kind != "pkmsg":
            return self.sessions[name].decrypt(data)
        fields = unpack(data[1:])
        base, theirs, message = fields[2], fields[3], fields[4]
        assert isinstance(base, bytes) and isinstance(theirs, bytes) and isinstance(message, bytes)
        session = self.sessions.get(name)
        if session is None or session.base != base:
            secret = b"\xff" * 32 + self.signed.agree(theirs) + self.identity.agree(base) + self.signed.agree(base)
            secret += self.prekeys[int(fields[1])].agree(base) if 1 in fields else b""
            out = hkdf(secret, None, b"WhisperText", 64)
            session = Session(self.identity, theirs, out[:32], self.signed, out[32:], base=base)
            self.sessions[name] = session
        return session.decrypt(message)

    def sender_key(self, group: str) -> bytes:
        """What the members of a group need to read this device."""
        key = self.sender_keys.setdefault(
            group, SenderKey(int.from_bytes(os.urandom(3), "big"), os.urandom(32), KeyPair())
        )
        return VERSION + pack({1: key.id, 2: key.count, 3: key.chain, 4: key.signing.typed})

    def learn_sender_key(self, group: str, name: str, told: bytes) -> None:
        """What another device of the group tells of itself: the chain of its keys."""
        fields = unpack(told[1:])
        assert isinstance(fields[3], bytes)
        self.heard_keys[group, name] = fields[3], int(fields.get(2, 0))

    def decrypt_from_group(self, group: str, name: str, data: bytes) -> bytes:
        fields = unpack(data[1:-64])
        chain, count = self.heard_keys[group, name]
        while count < int(fields.get(2, 0)):
            chain, count = _mac(chain, b"\2"), count + 1
        self.heard_keys[group, name] = _mac(chain, b"\2"), count + 1
        out = hkdf(_mac(chain, b"\1"), None, b"WhisperGroup", 48)
        assert isinstance(fields[3], bytes)
        return decrypt(out[16:48], out[:16], fields[3])

    def encrypt_for_group(self, group: str, plain: bytes) -> bytes:
        key = self.sender_keys[group]
        out = hkdf(_mac(key.chain, b"\1"), None, b"WhisperGroup", 48)
        body = VERSION + pack({1: key.id, 2: key.count, 3: encrypt(out[16:48], out[:16], plain)})
        key.chain, key.count = _mac(key.chain, b"\2"), key.count + 1
        return body + key.signing.sign(body)
