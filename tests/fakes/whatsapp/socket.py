"""One connection: WebSocket frames, the Noise handshake, and encrypted stanzas after it."""

import asyncio
import base64
import hashlib
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .curve import KeyPair
from .library import login
from .nodes import Node, decode, encode
from .noise import Noise, nonce

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BINARY, CLOSE, PING, PONG = 2, 8, 9, 10


class Ended(Exception):
    """The other side closed the connection."""


class Socket:
    """Stanzas both ways with one client. `key` is the client's Noise key, `payload` what it logs in with."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._buffer = bytearray()
        self._prologue = b""
        self._keys = b"", b""
        self._read = self._written = 0
        self.key = b""
        self.payload = login.ClientPayload()

    def close(self) -> None:
        self._writer.close()

    # ---- WebSocket --------------------------------------------------------------------------------------------------

    async def accept(self) -> None:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = (line.partition(":") for line in head.split("\r\n"))
        key = next(value.strip() for name, _, value in lines if name.lower() == "sec-websocket-key")
        told = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        switch = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self._writer.write(f"{switch}Sec-WebSocket-Accept: {told}\r\n\r\n".encode())

    async def _message(self) -> bytes:
        data = b""
        while True:
            first, second = await self._reader.readexactly(2)
            size = second & 127
            if size >= 126:
                size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8), "big")
            mask = await self._reader.readexactly(4) if second >> 7 else bytes(4)
            masked = await self._reader.readexactly(size)
            piece = unmasked(masked, mask)
            kind = first & 15
            if kind == CLOSE:
                raise Ended
            if kind == PING:
                self._send_frame(piece, PONG)
            elif kind != PONG:
                data += piece
                if first >> 7:
                    return data

    def _send_frame(self, data: bytes, kind: int = BINARY) -> None:
        size = len(data)
        if size < 126:
            head = bytes([size])
        else:
            head = b"\x7e" + struct.pack(">H", size) if size < 65536 else b"\x7f" + struct.pack(">Q", size)
        self._writer.write(bytes([0x80 | kind]) + head + data)

    # ---- frames -----------------------------------------------------------------------------------------------------

    async def _frame(self) -> bytes:
        """Length in three bytes, then that many. Before the first come four bytes, after routing if there is any."""
        while True:
            if not self._prologue and len(self._buffer) >= 4:
                if self._buffer[:2] == b"ED":
                    del self._buffer[: 7 + int.from_bytes(self._buffer[4:7], "big")]
                self._prologue = bytes(self._buffer[:4])
                del self._buffer[:4]
            if self._prologue and len(self._buffer) >= 3:
                end = 3 + int.from_bytes(self._buffer[:3], "big")
                if len(self._buffer) >= end:
                    frame = bytes(self._buffer[3:end])
                    del self._buffer[:end]
                    return frame
            self._buffer += await self._message()

    def _put(self, data: bytes) -> None:
        self._send_frame(len(data).to_bytes(3, "big") + data)

    async def handshake(self, static: KeyPair, chain: bytes) -> None:
        """Noise XX, or IK where the client remembers our key."""
        hello = login.HandshakeMessage.FromString(await self._frame()).clientHello
        ephemeral = KeyPair()
        pattern = b"Noise_IK_25519_AESGCM_SHA256" if hello.static else b"Noise_XX_25519_AESGCM_SHA256"
        noise = Noise(pattern, self._prologue)
        if hello.static:
            noise.mix(static.public)
        noise.mix(hello.ephemeral)
        answer = login.HandshakeMessage.ServerHello(ephemeral=ephemeral.public)
        if hello.static:
            noise.mix_key(static.agree(hello.ephemeral))
            self.key = noise.decrypt(hello.static)
            noise.mix_key(static.agree(self.key))
            payload = noise.decrypt(hello.payload)
            noise.mix(ephemeral.public)
            noise.mix_key(ephemeral.agree(hello.ephemeral))
            noise.mix_key(ephemeral.agree(self.key))
            answer.payload = noise.encrypt(chain)
            self._put(login.HandshakeMessage(serverHello=answer).SerializeToString())
        else:
            noise.mix(ephemeral.public)
            noise.mix_key(ephemeral.agree(hello.ephemeral))
            answer.static = noise.encrypt(static.public)
            noise.mix_key(static.agree(hello.ephemeral))
            answer.payload = noise.encrypt(chain)
            self._put(login.HandshakeMessage(serverHello=answer).SerializeToString())
            finish = login.HandshakeMessage.FromString(await self._frame()).clientFinish
            self.key = noise.decrypt(finish.static)
            noise.mix_key(ephemeral.agree(self.key))
            payload = noise.decrypt(finish.payload)
        self._keys = noise.split()
        self.payload = login.ClientPayload.FromString(payload)

    # ---- stanzas ----------------------------------------------------------------------------------------------------

    async def receive(self) -> Node:
        cipher = await self._frame()
        self._read += 1
        return decode(AESGCM(self._keys[0]).decrypt(nonce(self._read - 1), cipher, b""))

    async def send(self, node: Node) -> None:
        self._written += 1
        self._put(AESGCM(self._keys[1]).encrypt(nonce(self._written - 1), encode(node), b""))
        try:
            await self._writer.drain()
        except ConnectionError:
            pass


def unmasked(data: bytes, mask: bytes) -> bytes:
    """Each byte with its one of four, all at once."""
    over = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data) ^ int.from_bytes(over)).to_bytes(len(data))
