"""The Noise handshake as the responder, with WhatsApp's chain of certificates."""

import hashlib
import struct
import time

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .curve import KeyPair, hkdf
from .library import certificates

# Its public half takes the place of WhatsApp's in the memory of the client.
ROOT = KeyPair(hashlib.sha256(b"the root of the fake").digest())
DAY = 86_400


class Noise:
    """The state of one handshake."""

    def __init__(self, pattern: bytes, prologue: bytes) -> None:
        self.hash = pattern.ljust(32, b"\0") if len(pattern) <= 32 else hashlib.sha256(pattern).digest()
        self._salt = self._key = self.hash
        self._count = 0
        self.mix(prologue)

    def mix(self, data: bytes) -> None:
        self.hash = hashlib.sha256(self.hash + data).digest()

    def mix_key(self, agreed: bytes) -> None:
        out = hkdf(agreed, self._salt, b"", 64)
        self._salt, self._key, self._count = out[:32], out[32:], 0

    def encrypt(self, plain: bytes) -> bytes:
        cipher = AESGCM(self._key).encrypt(self._nonce(), plain, self.hash)
        self.mix(cipher)
        return cipher

    def decrypt(self, cipher: bytes) -> bytes:
        plain = AESGCM(self._key).decrypt(self._nonce(), cipher, self.hash)
        self.mix(cipher)
        return plain

    def split(self) -> tuple[bytes, bytes]:
        """The keys of both directions: the client's, the server's."""
        out = hkdf(b"", self._salt, b"", 64)
        return out[:32], out[32:]

    def _nonce(self) -> bytes:
        self._count += 1
        return nonce(self._count - 1)


def nonce(count: int) -> bytes:
    return b"\0" * 8 + struct.pack(">I", count)


def certify(public: bytes) -> bytes:
    """A chain from the root to the server's key."""
    made = certificates.CertChain.NoiseCertificate
    times = {"notBefore": int(time.time()) - DAY, "notAfter": int(time.time()) + 30 * DAY}
    middle = KeyPair()
    upper = made.Details(serial=1, issuerSerial=0, key=middle.public, **times).SerializeToString()
    lower = made.Details(serial=2, issuerSerial=1, key=public, **times).SerializeToString()
    return certificates.CertChain(
        intermediate=made(details=upper, signature=ROOT.sign(upper)),
        leaf=made(details=lower, signature=middle.sign(lower)),
    ).SerializeToString()
