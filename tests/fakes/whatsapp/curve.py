"""Keys on Curve25519 as Signal uses them: agreement, and signatures by XEdDSA (which no library signs)."""

import hashlib
import hmac
import os
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P

Point = tuple[int, int, int, int]


def _recover_x(y: int, sign: int) -> int:
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return P - x if x & 1 != sign else x


_Y = 4 * pow(5, P - 2, P) % P
_X = _recover_x(_Y, 0)
BASE: Point = (_X, _Y, 1, _X * _Y % P)


def _add(one: Point, two: Point) -> Point:
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c = 2 * one[3] * two[3] * D % P
    d = 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


@cache
def _doubles() -> list[Point]:
    """The base point once, twice, four times and so on: what every number of times is made of."""
    found = [BASE]
    while len(found) < 256:
        found.append(_add(found[-1], found[-1]))
    return found


def _times(scalar: int) -> Point:
    """The base point, so many times."""
    result: Point = (0, 1, 1, 0)
    for place, point in enumerate(_doubles()):
        if scalar >> place & 1:
            result = _add(result, point)
    return result


def _encode(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | ((x & 1) << 255)).to_bytes(32, "little")


def sign(private: bytes, message: bytes) -> bytes:
    """XEdDSA: an Ed25519 signature made with a Curve25519 key."""
    clamped = bytearray(private)
    clamped[0] &= 248
    clamped[31] &= 127
    clamped[31] |= 64
    scalar = int.from_bytes(clamped, "little")
    point = _encode(_times(scalar))
    a = (-scalar if point[31] >> 7 else scalar) % ORDER
    public = point[:31] + bytes([point[31] & 0x7F])
    nonce = hashlib.sha512(b"\xfe" + b"\xff" * 31 + a.to_bytes(32, "little") + message + os.urandom(64)).digest()
    r = int.from_bytes(nonce, "little") % ORDER
    commitment = _encode(_times(r))
    challenge = int.from_bytes(hashlib.sha512(commitment + public + message).digest(), "little") % ORDER
    return commitment + ((r + challenge * a) % ORDER).to_bytes(32, "little")


class KeyPair:
    """A private key with its public half, 32 bytes each. `typed` is the public half with Signal's type byte."""

    def __init__(self, private: bytes | None = None) -> None:
        self._key = X25519PrivateKey.from_private_bytes(private) if private else X25519PrivateKey.generate()
        raw = serialization.Encoding.Raw
        self.private = self._key.private_bytes(raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
        self.public = self._key.public_key().public_bytes(raw, serialization.PublicFormat.Raw)

    @property
    def typed(self) -> bytes:
        return b"\x05" + self.public

    def agree(self, public: bytes) -> bytes:
        return self._key.exchange(X25519PublicKey.from_public_bytes(public[-32:]))

    def sign(self, message: bytes) -> bytes:
        return sign(self.private, message)


def hkdf(secret: bytes, salt: bytes | None, info: bytes, length: int) -> bytes:
    """HKDF-SHA256; no salt is 32 zeros."""
    extracted = hmac.new(salt or b"\0" * 32, secret, hashlib.sha256).digest()
    out, block, count = b"", b"", 1
    while len(out) < length:
        block = hmac.new(extracted, block + info + bytes([count]), hashlib.sha256).digest()
        out += block
        count += 1
    return out[:length]
