"""S26: nothing a user types reaches a machine inside: not by spelling, not by a name's changing answers, not by a
redirect. A canary listens on loopback and must not be touched."""

import asyncio
import ipaddress
import itertools
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from app.security import addresses
from app.security.addresses import OutboundError, is_denied, read_url, resolve
from app.security.outbound import Outbound

PUBLIC = "93.184.216.34"
INSIDE = (
    "127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 0.1.2.3 192.0.0.1 "
    "192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255"
).split()
INSIDE_6 = (
    ":: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1:: 2001::1 "
    "fe80::1 fec0::1 fc00::1 fd00:ec2::254 ff02::1 2001:db8::1"
).split()
SPELLINGS = (
    "2130706433 0x7f000001 0x7f.1 017700000001 0177.0.0.1 127.1 127.0.1 0 0x0 00 127.0.0.01 1.2.3.4.5 256.1.1.1 "
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11 127。0。0。1 127\uff0e0\uff0e0\uff0e1 "
    "①②⑦.⓪.⓪.① 127.0.0.0x1 foo.0x7f foo.127 127.0.0.1. [::1%25lo] [::1%lo] "
    "[fe80::1%eth0] [127.0.0.1] [] [::1 ::1 a..b .a -a.com a-.com a%00.com 127.0.0.1%09 %31%32%37.0.0.1 "
    "user@127.0.0.1 user:pw@example.com @example.com example.com@127.0.0.1 example.com:80@127.0.0.1 "
    "127.0.0.1\\@example.com example.com\\ 127.0.0.1\r\nHost:x exam\tple.com"
).split(" ")
TEMPLATES = ("https://{}/", "https://{}:8443/a?b=c", "http://{}/", "HTTPS://{}", "https://{}:443/#x")
ODD = [
    "ftp://example.com/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_x", "//example.com/", "javascript:alert(1)",
    "https:///x", "https://", "", "https:/example.com", "https:example.com", "http://example.com/",
    "https://example.com:22/", "https://example.com:0/", "https://example.com:99999/", "https://example.com:/:80",
    "https://example.com:+443/", "https://example.com/a b", "https://example.com/\r\nX: y", " https://example.com/",
    "https://example.com/\x00", "https://" + "a" * 300 + ".com/", "https://example.com/" + "a" * 3000,
    "data:text/plain,x", "https://example.com:\uff14\uff14\uff13/",
]  # fmt: skip
HOSTS = [*SPELLINGS, *INSIDE, *(f"[{address}]" for address in INSIDE_6)]
CORPUS = [template.format(host) for template, host in itertools.product(TEMPLATES, HOSTS)] + ODD


class Canary:
    """An HTTP server on loopback that counts who came."""

    def __init__(self) -> None:
        self.hits = 0
        self.heard = b""
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hits += 1
        try:
            self.heard = await reader.readuntil(b"\r\n\r\n")
            writer.write(self.answer)
            await writer.drain()
            if not self.answer:
                await asyncio.sleep(5)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    canary = Canary()
    server = await asyncio.start_server(canary.serve, "127.0.0.1", 0)
    canary.port = server.sockets[0].getsockname()[1]
    yield canary
    server.close()


class Names(asyncio.DatagramProtocol):
    """A DNS server: each query takes the next answer, the last one for ever. Time to live 0."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        now = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        head = data[:2] + b"\x81\x80\0\1" + len(now).to_bytes(2, "big") + b"\0\0\0\0" + data[12:]
        rows = (b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(address) for address in now)
        self.transport.sendto(head + b"".join(rows), addr)


def asking(port: int) -> Callable[..., Any]:
    """The system's look-up, but by our DNS server: whoever looks a name up again gets the server's next answer."""
    real = socket.getaddrinfo

    def look_up(host: Any, service: Any, *rest: Any, **more: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else host
        try:
            ipaddress.ip_address(text)
            return real(host, service, *rest, **more)
        except ValueError:
            pass
        name = b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(2)
            asker.sendto(b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + name + b"\0\1\0\1", ("127.0.0.1", port))
            data = asker.recv(2048)
        at, count = 12 + len(name) + 4, int.from_bytes(data[6:8], "big")
        found = [socket.inet_ntoa(data[at + 16 * n + 12 : at + 16 * n + 16]) for n in range(count)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, int(service or 0))) for address in found]

    return look_up


@pytest.fixture
async def serve_names(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Any]]:
    """Starts a DNS server with these answers; the system's look-up asks it from then on."""
    opened: list[asyncio.DatagramTransport] = []

    async def serve(*answers: tuple[str, ...]) -> Names:
        names = Names(*answers)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: names, local_addr=("127.0.0.1", 0))
        opened.append(transport)
        monkeypatch.setattr(socket, "getaddrinfo", asking(transport.get_extra_info("sockname")[1]))
        return names

    yield serve
    for transport in opened:
        transport.close()
    await asyncio.sleep(0)


async def refused(url: str, client: Outbound | None = None, **more: Any) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        await (client or Outbound()).request("GET", url, **more)
    return caught.value


async def test_S26_nothing_of_the_corpus_is_called(canary: Canary, serve_names: Any) -> None:
    await serve_names(("127.0.0.1",))
    assert len(CORPUS) >= 300
    for url in [*CORPUS, "https://localhost/", "https://localhost./", "https://bücher.example/"]:
        assert (await refused(url)).code in ("not_allowed", "bad_request"), url
    for host in ("127.0.0.1", "localhost", "0", "[::1]", "127.1"):
        assert (await refused(f"http://{host}:{canary.port}/")).code == "not_allowed"
    assert canary.hits == 0


@pytest.mark.parametrize("address", INSIDE + INSIDE_6)
def test_S26_addresses_inside_are_denied(address: str) -> None:
    assert is_denied(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", PUBLIC, "2606:4700:4700::1111"])
def test_public_addresses_are_not(address: str) -> None:
    assert not is_denied(ipaddress.ip_address(address))


async def test_S26_a_name_is_looked_up_once(serve_names: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Public when checked, loopback a moment later: the connection goes to the checked address. (No packet leaves: the
    connection is caught where it would begin.)"""
    names = await serve_names((PUBLIC,), ("127.0.0.1",))
    reached: list[str] = []

    async def connect(remote_host: str, *_: Any, **__: Any) -> None:
        reached.append(remote_host)
        raise OSError

    monkeypatch.setattr(anyio, "connect_tcp", connect)
    failed = await refused("https://rebind.example/")
    assert (failed.code, failed.sent, names.asked, reached) == ("unreachable", False, 1, [PUBLIC])


async def test_S26_a_connection_that_ends_up_elsewhere_is_dropped(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = anyio.connect_tcp

    async def connect(remote_host: str, remote_port: int, **more: Any) -> Any:
        return await real("127.0.0.1", canary.port)

    monkeypatch.setattr(anyio, "connect_tcp", connect)
    failed = await refused(f"https://{PUBLIC}/")
    assert (failed.code, failed.sent, canary.heard) == ("not_allowed", False, b"")


@pytest.mark.parametrize("answers", [(PUBLIC, "127.0.0.1"), ("10.0.0.1", PUBLIC), (PUBLIC, "169.254.169.254")])
async def test_S26_one_bad_answer_condemns_all(answers: tuple[str, ...], serve_names: Any) -> None:
    await serve_names(answers)
    assert (await refused("https://mixed.example/")).code == "not_allowed"
    await serve_names(())
    assert (await refused("https://nobody.example/")).code == "unreachable"


async def test_what_the_owner_allowed_is_called_by_its_name(
    canary: Canary, serve_names: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = await serve_names(("127.0.0.1",), ("169.254.169.254",))
    client = Outbound([f"home.example:{canary.port}"])
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    answer = await client.request("GET", f"http://Home.example:{canary.port}/a?b=1#c", headers={"X-Key": "k"})
    assert (answer.status, answer.body, names.asked) == (200, b"ok", 1)
    assert canary.heard.startswith(b"GET /a?b=1 HTTP/1.1\r\n")
    assert f"Host: home.example:{canary.port}".lower().encode() in canary.heard.lower()
    assert (await refused(f"http://home.example:{canary.port}/", client)).code == "not_allowed"
    assert canary.hits == 1


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(a server's, a client's that trusts it) for a certificate of this name."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False).sign(key, SHA256())
    )  # fmt: skip
    file = folder / f"{name}.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(file))
    server.load_cert_chain(file)
    return server, client


async def test_the_certificate_has_to_be_of_the_name_and_not_of_the_address(
    canary: Canary, serve_names: Any, tmp_path: Path
) -> None:
    await serve_names(("127.0.0.1",))
    theirs, trust = certificate(tmp_path, "home.example")
    asked: list[str | None] = []
    theirs.sni_callback = lambda connection, name, context: asked.append(name)
    server = await asyncio.start_server(canary.serve, "127.0.0.1", 0, ssl=theirs)
    async with server:
        port = server.sockets[0].getsockname()[1]
        allowed = [f"home.example:{port}", f"other.example:{port}"]
        answer = await Outbound(allowed, trust).request("GET", f"https://home.example:{port}/")
        assert (answer.status, asked) == (200, ["home.example"])
        for host, client in (("other.example", Outbound(allowed, trust)), ("home.example", Outbound(allowed))):
            failed = await refused(f"https://{host}:{port}/", client)
            assert (failed.code, failed.sent) == ("unreachable", False)
    assert canary.hits == 1


async def test_look_ups_that_hang_hold_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        released.wait(20)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    client = Outbound()
    asked = [asyncio.create_task(refused(f"https://n{n}.example/", client, timeout=5)) for n in range(40)]
    await asyncio.sleep(0.2)
    async with asyncio.timeout(2):
        assert await asyncio.to_thread(sum, [1, 2]) == 3
    given_up = await refused("https://late.example/", client, timeout=0.1)
    assert (given_up.code, given_up.sent) == ("timeout", False)
    released.set()
    assert {failed.code for failed in await asyncio.gather(*asked)} == {"unreachable"}


async def test_redirects_are_not_followed_and_bodies_are_bounded(canary: Canary) -> None:
    url, client = f"http://127.0.0.1:{canary.port}/", Outbound([f"127.0.0.1:{canary.port}"])
    canary.answer = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    assert (await client.request("GET", url)).status == 302
    assert canary.hits == 1
    canary.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 9_000_000
    assert (await refused(url, client)).code == "too_large"
    canary.answer = b""
    slow = await refused(url, client, timeout=0.3)
    assert (slow.code, slow.sent) == ("timeout", True)
    canary.answer = b"nonsense\r\n\r\n"
    assert (await refused(url, client)).code == "unreachable"


async def test_a_closed_port_is_refused_before_anything_was_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    failed = await refused(f"http://127.0.0.1:{port}/", Outbound([f"127.0.0.1:{port}"]))
    assert (failed.code, failed.sent) == ("refused", False)


@pytest.mark.parametrize("headers", [{"Host": "x"}, {"content-length": "1"}, {"X": "a\r\nb: c"}, {"Proxy-X": "y"}])
async def test_headers_of_the_connection_are_ours(headers: dict[str, str]) -> None:
    assert (await refused("https://example.com/", headers=headers)).code == "bad_request"


async def test_this_machine_is_not_called_by_its_own_address() -> None:
    assert addresses.is_own(ipaddress.ip_address("127.0.0.1"))
    assert not addresses.is_own(ipaddress.ip_address(PUBLIC))
    assert await resolve(read_url(f"https://{PUBLIC}/")) == [ipaddress.ip_address(PUBLIC)]
