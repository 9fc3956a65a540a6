"""A program that asks the API over one connection, kept open, and tells how long each answer took."""

import asyncio
import json
import time
from typing import Any


class Wired:
    """One connection. Its answers have a length, as all of the API but exports and streams have."""

    def __init__(self, port: int, key: str) -> None:
        self.port, self.head = port, f"host: 127.0.0.1\r\nauthorization: Bearer {key}\r\n"

    async def __aenter__(self) -> "Wired":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**24)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.writer.close()

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any, float]:
        """Status, answer and seconds."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\n{self.head}content-length: {len(content)}\r\n"
        return await self.send(f"{head}content-type: application/json\r\n\r\n".encode() + content)

    async def send(self, request: bytes) -> tuple[int, Any, float]:
        begun = time.perf_counter()
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        content = await self.reader.readexactly(length)
        took = time.perf_counter() - begun
        return int(head[9:12]), json.loads(content) if content.startswith((b"{", b"[")) else content, took
