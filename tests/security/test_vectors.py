"""Public vectors (`tests/corpora/`) against what reads JSON, seals secrets and checks signatures."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidTag

from app.connectors.whatsapp_cloud.signature import signature
from app.errors import ParleyError
from app.routes.api.reading import plain
from app.security.secrets import Keyring

CORPORA: Final = Path(__file__).parents[1] / "corpora"
CASES: Final = {
    name: b64decode(body) for name, body in json.loads((CORPORA / "json_parsing.base64.json").read_bytes()).items()
} | {
    "n_structure_100000_opening_arrays": b"[" * 100_000,
    "n_structure_open_array_object": b'[{"":' * 50_000,
}  # fmt: skip
# Right JSON that is refused all the same (S17): a key twice, NUL, which Postgres cannot hold.
REFUSED: Final = {
    "y_object_duplicated_key", "y_object_duplicated_key_and_value", "y_object_escaped_null_in_key",
    "y_string_null_escape",
}  # fmt: skip
# RFC 4231, those whose keys are text, as an app secret is.
HMACS: Final = [
    ("\x0b" * 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    ("Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (bytes(range(1, 26)).decode(), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
]


def test_S17_json_is_read_as_the_standard_has_it() -> None:
    assert len(CASES) == 318
    read: dict[str, Any] = {}
    for name, body in CASES.items():
        try:
            read[name] = plain(body)
        except ParleyError as error:
            assert error.status in (400, 422), name
    right = {name for name in CASES if name.startswith("y_")} - REFUSED
    assert {name for name in read if not name.startswith("i_")} == right
    assert {name: read[name] for name in right} == {name: json.loads(CASES[name]) for name in right}


def test_S29_secrets_are_sealed_as_the_standard_has_it() -> None:
    ring, opened = Keyring.__new__(Keyring), 0
    for case in json.loads((CORPORA / "aes_gcm.json").read_bytes()):
        key, nonce, place, sealed = map(bytes.fromhex, case[:4])
        ring.turn("k", {"k": key})
        if case[4] is None:
            with pytest.raises(InvalidTag):
                ring._ciphers["k"].decrypt(nonce, sealed, place)
        else:
            assert ring._ciphers["k"].decrypt(nonce, sealed, place).hex() == case[4]
            opened += 1
    assert opened == 184


@pytest.mark.parametrize(("key", "body", "digest"), HMACS)
def test_S25_signatures_are_those_of_the_standard(key: str, body: bytes | str, digest: str) -> None:
    assert digest in str(signature(key, body.encode() if isinstance(body, str) else body))
