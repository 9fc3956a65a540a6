"""A fake S3: one bucket in memory, which checks every request's signature by the published rules (AWS Signature
Version 4), so that a client that signs wrongly is refused as the real one refuses it."""

import hashlib
import hmac
import re
from urllib.parse import quote, unquote

from tests.connectors.servers import Call

ACCESS = "AKIAPARLEYTEST"
SECRET = "a secret/with+signs="
REGION = "eu-south-2"
BUCKET = "shop-files"
EMPTY = hashlib.sha256(b"").hexdigest()
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)


class S3:
    """Give `answer` to `servers.server`. `away` answers 503; `refused` collects what was wrong with a request."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.refused: list[str] = []
        self.away = False

    async def answer(self, call: Call) -> None:
        method, target = call.head.split(b" ", 2)[0].decode(), call.target
        if self.away:
            return await call.respond(503, b"<Error><Code>ServiceUnavailable</Code></Error>", "application/xml")
        if wrong := check(call, method, target):
            self.refused.append(wrong)
            return await call.respond(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>", "application/xml")
        bucket, _, key = unquote(target.partition("?")[0]).lstrip("/").partition("/")
        if bucket != BUCKET:
            return await call.respond(404, b"<Error><Code>NoSuchBucket</Code></Error>", "application/xml")
        if method == "PUT":
            self.objects[key] = call.body
            return await call.write(b'HTTP/1.1 200 OK\r\netag: "1"\r\ncontent-length: 0\r\n\r\n')
        if method == "POST" and target.endswith("?delete"):
            gone = re.findall(rb"<Key>([^<]+)</Key>", call.body)
            for name in gone:
                self.objects.pop(name.decode(), None)
            told = b"".join(b"<Deleted><Key>%s</Key></Deleted>" % name for name in gone)
            return await call.respond(200, b"<DeleteResult>%s</DeleteResult>" % told, "application/xml")
        if method == "DELETE":
            self.objects.pop(key, None)
            return await call.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        if key not in self.objects:
            return await call.respond(404, b"<Error><Code>NoSuchKey</Code></Error>", "application/xml")
        head = 'HTTP/1.1 200 OK\r\nlast-modified: Fri, 27 Nov 2026 10:00:00 GMT\r\netag: "1"\r\n'
        body = self.objects[key]
        await call.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)


def check(call: Call, method: str, target: str) -> str:
    """What is wrong with the signature; '' if it is right."""
    found = AUTHORIZATION.fullmatch(call.header("authorization"))
    if found is None:
        return "no signature"
    access, day, region, names, signature = found.groups()
    if (access, region) != (ACCESS, REGION):
        return "another key or region"
    payload = call.header("x-amz-content-sha256")
    if payload not in ("UNSIGNED-PAYLOAD", hashlib.sha256(call.body).hexdigest()):
        return "the body is not the one that was signed"
    path, _, query = target.partition("?")
    parts = sorted((pair.partition("=")[0], pair.partition("=")[2]) for pair in query.split("&") if pair)
    canonical = "\n".join(
        (
            method,
            quote(unquote(path), safe="/-_.~"),
            "&".join(
                f"{quote(unquote(name), safe='-_.~')}={quote(unquote(value), safe='-_.~')}" for name, value in parts
            ),
            *(f"{name}:{' '.join(call.header(name).split())}" for name in names.split(";")),
            "",
            names,
            payload,
        )
    )
    stamp = call.header("x-amz-date")
    scope = f"{day}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + SECRET.encode()
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    if not stamp.startswith(day) or "host" not in names.split(";"):
        return "date or host is not signed"
    return "" if hmac.compare_digest(key.hex(), signature) else "the signature is another"
