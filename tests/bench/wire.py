"""Bytes on the wire: what the load generator posts, and what the network it plays answers."""

import hashlib
import hmac
import json
import re
import time
from dataclasses import dataclass

NUMBER = "106540352242922"
SECRET = "secret-of-the-benchmark"
FIRST = 10_000_000_000
TEXT = ("Good morning, could you tell me what the large blue kettle costs and if it comes before the weekend? " * 5)[
    :450
]
REPLY_TO = re.compile(rb'"to":\s*"\+?(\d+)"|"recipient":\s*"US\.0*(\d+)"')
CHAT = re.compile(rb'"chat_id":\s*"?(\d+)')


def cloud_body(number: int) -> bytes:
    """A customer's text as Meta sends it; every number is another person."""
    who = str(FIRST + number)
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": "Maria Oliveira"}, "wa_id": who, "user_id": f"US.{who:0>20}"}],
        "messages": [
            {
                "from": who,
                "from_user_id": f"US.{who:0>20}",
                "id": f"wamid.HBgNNTUxMTk5OTk5MDAwMBUCABIYFDNBMDk{number:010d}",
                "timestamp": str(int(time.time())),
                "type": "text",
                "text": {"body": TEXT},
            }
        ],
    }
    body = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}],
    }
    return json.dumps(body, separators=(",", ":")).encode()


def telegram_body(number: int) -> bytes:
    """The same text as a Telegram update."""
    person = {"id": FIRST + number, "is_bot": False, "first_name": "Maria", "last_name": "Oliveira"}
    message = {
        "message_id": number + 1,
        "from": person | {"language_code": "pt"},
        "chat": {"id": FIRST + number, "first_name": "Maria", "type": "private"},
        "date": int(time.time()),
        "text": TEXT,
    }
    return json.dumps({"update_id": number + 1, "message": message}).encode()


def request(path: str, body: bytes, header: str) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: bench\r\naccept: */*\r\n"
        f"content-type: application/json\r\n{header}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def cloud_request(path: str, number: int) -> bytes:
    body = cloud_body(number)
    signed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return request(path, body, f"x-hub-signature-256: sha256={signed}")


def telegram_request(path: str, number: int) -> bytes:
    return request(path, telegram_body(number), "x-telegram-bot-api-secret-token: bench")


@dataclass(frozen=True)
class Asked:
    """A request that the network's side got: whose reply it is (None: not a reply), and the answer to it."""

    number: int | None
    answer: bytes


def cloud_asked(url: bytes, body: bytes) -> Asked:
    found = REPLY_TO.search(body) if b"/messages" in url else None
    if not found:
        return Asked(None, _answer(b'{"success":true}'))
    who = (found[1] or found[2]).lstrip(b"0")
    number = int(who) - FIRST
    told = (
        b'{"messaging_product":"whatsapp","contacts":[{"input":"%b","wa_id":"%b"}],"messages":[{"id":"wamid.%024d"}]}'
    )
    return Asked(number, _answer(told % (who, who, number)))


def telegram_asked(url: bytes, body: bytes) -> Asked:
    found = CHAT.search(body) if b"sendmessage" in url.lower() else None
    if not found:
        return Asked(None, _answer(b'{"ok":true,"result":true}'))
    told = b'{"ok":true,"result":{"message_id":%d,"date":1749416383,"chat":{"id":%b,"type":"private"},"text":"."}}'
    number = int(found[1]) - FIRST
    return Asked(number, _answer(told % (number + 1, found[1])))


def _answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
