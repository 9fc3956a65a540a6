"""Notifications as Meta writes them: the envelope around one value, escaped and signed."""

import json
from typing import Any

from app.connectors.base import Channel
from app.connectors.whatsapp_cloud.signature import signature
from tests.samples import bodies

SAMPLES = bodies("cloud")
ACCOUNT = "106540352242922"
NUMBER = "15550783881"
ANNA = "16505551234"
ANNA_ID = "US.13491208655302741918"
METADATA = {"display_phone_number": NUMBER, "phone_number_id": ACCOUNT}
SECRET = "a-secret-of-the-app"


def notification(*values: dict[str, Any], field: str = "messages", **entry: Any) -> bytes:
    changes = [
        {"value": {"messaging_product": "whatsapp", "metadata": METADATA} | value, "field": field} for value in values
    ]
    return escaped(
        {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": changes} | entry]}
    )


def escaped(value: object) -> bytes:
    r"""As Meta signs it: `\uXXXX` in lower-case hex, and `\/`."""
    return json.dumps(value, separators=(",", ":")).replace("/", r"\/").encode()


def message(**members: Any) -> dict[str, Any]:
    """A message from Anna; a member given as None is left out."""
    usual = {"from": ANNA, "from_user_id": ANNA_ID, "id": "wamid.A", "timestamp": "1749416383", "type": "text"}
    return {key: value for key, value in (usual | members).items() if value is not None}


def text(body: str = "Hello", **members: Any) -> dict[str, Any]:
    return message(text={"body": body}, **members)


def contact(**members: Any) -> dict[str, Any]:
    return {"profile": {"name": "Anna Berg"}, "wa_id": ANNA, "user_id": ANNA_ID} | members


def status(word: str = "delivered", **members: Any) -> dict[str, Any]:
    return {"id": "wamid.OUT", "status": word, "timestamp": "1749416383", "recipient_id": ANNA} | members


def signed(body: bytes, secret: str = SECRET) -> list[tuple[bytes, bytes]]:
    return [(b"content-type", b"application/json"), (b"x-hub-signature-256", signature(secret, body))]


def channel(graph_url: str = "http://127.0.0.1:1", **changes: str) -> Channel:
    """A channel of the tests' number. Settings go to the secrets where they belong there."""
    hidden = {"access_token": "EAAfakeToken0001", "app_secret": SECRET, "verify_token": "verify-me"}
    secrets = {name: changes.get(name, value) for name, value in hidden.items()}
    secrets |= {name: value for name, value in changes.items() if name == "previous_app_secret"}
    plain = {name: value for name, value in changes.items() if name not in secrets}
    config = {"phone_number_id": ACCOUNT, "graph_url": graph_url, "graph_version": "v25.0"} | plain
    return Channel(id=1, name="Shop", account=ACCOUNT, config=config, secrets=secrets)
