"""The host of files: HTTPS with a certificate of its own, files encrypted as WhatsApp keeps them."""

import asyncio
import datetime
import hashlib
import hmac
import json
import os
import ssl
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .curve import hkdf
from .signal import encrypt

DAY = datetime.timedelta(days=1)


class MediaHost:
    """Files by path. `authority` is the file with the certificate that a client has to trust."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, bytes] = {}
        self.authority = folder / "authority.pem"
        self._folder = folder
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        make_certificates(self._folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / "host.pem", self._folder / "host.key")
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self._server:
            self._server.close()

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
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
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


def make_certificates(folder: Path) -> None:
    """An authority, and the host's certificate by it. Kept where they are there: a client trusts the authority that it
    read when it was loaded."""
    if (folder / "host.key").exists():
        return
    upper, lower = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake WhatsApp authority")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)

    def begin(name: x509.Name, key: ec.EllipticCurvePrivateKey, authority: bool) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), True)
        )

    host = begin(subject, lower, False)
    host = host.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
    host = host.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
    pem = serialization.Encoding.PEM
    (folder / "authority.pem").write_bytes(begin(issuer, upper, True).sign(upper, hashes.SHA256()).public_bytes(pem))
    (folder / "host.pem").write_bytes(host.sign(upper, hashes.SHA256()).public_bytes(pem))
    key = lower.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "host.key").write_bytes(key)
