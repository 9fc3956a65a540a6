"""The host of files: HTTPS with a certificate of its own, files encrypted as WhatsApp keeps them."""

import asyncio
import hashlib
import hmac
import json
import os
import ssl
from typing import Any

from .curve import hkdf
from .library import FOLDER
from .signal import encrypt


async def cut_off(serving: set[asyncio.Task[None]]) -> None:
    """End what still serves, and give the loop the turns in which it closes the connections."""
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)
    await asyncio.sleep(0.01)


class MediaHost:
    """Files by path."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(FOLDER / "host.pem", FOLDER / "host.key")
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server:
            self._server.close()
        await cut_off(self._serving)

    def add(self, data: bytes, kind: str) -> dict[str, Any]:
        """Keep a file that a contact sends. Returns the fields of its message. `kind`: Image, Video, Audio,
        Document."""
        key = os.urandom(32)
        keys = hkdf(key, None, f"WhatsApp {kind} Keys".encode(), 112)
        cipher = encrypt(keys[16:48], keys[:16], data)
        kept = cipher + hmac.new(keys[48:80], keys[:16] + cipher, hashlib.sha256).digest()[:10]
        path = "/v/t62.7118-24/" + os.urandom(6).hex()
        self.files[path] = kept
        return {
            "directPath": f"{path}?ccb=11-4",
            "URL": f"https://localhost:{self.port}{path}?ccb=11-4",
            "mediaKey": key,
            "fileEncSHA256": hashlib.sha256(kept).digest(),
            "fileSHA256": hashlib.sha256(data).digest(),
            "fileLength": len(data),
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *rest = head.split("\r\n")
                method, target, _ = line.split(" ")
                headers = {name.lower(): value.strip() for name, _, value in (h.partition(":") for h in rest if h)}
                body = await self._body(reader, headers)
                status, answer = self._put(body) if method == "POST" else self._get(target.split("?")[0])
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            self._serving.discard(task)
            writer.close()

    @staticmethod
    async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if "content-length" in headers:
            return await reader.readexactly(int(headers["content-length"]))
        body = b""
        while headers.get("transfer-encoding") == "chunked":
            size = int(await reader.readline(), 16)
            body += await reader.readexactly(size)
            await reader.readline()
            if not size:
                break
        return body

    def _put(self, body: bytes) -> tuple[str, bytes]:
        path = "/v/up/" + hashlib.sha256(body).hexdigest()[:16]
        self.files[path] = body
        told = {"url": f"https://localhost:{self.port}{path}?x=1", "direct_path": f"{path}?x=1", "handle": "h"}
        return "200 OK", json.dumps(told).encode()

    def _get(self, path: str) -> tuple[str, bytes]:
        return ("200 OK", self.files[path]) if path in self.files else ("404 Not Found", b"")
