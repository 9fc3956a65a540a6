"""SQL in every parameter of every operation that reads: it is a value or is refused, and changes nothing."""

import itertools
import re
from typing import Any, Final
from urllib.parse import quote

import pytest
from hypothesis import settings

from app.db import Query
from app.routes.docs import document
from tests.api.conftest import Program

pytestmark = pytest.mark.anyio
ENDS: Final = ("'", '"', "')", "'))", "`")
TAILS: Final = (
    " or '1'='1' --",
    "; drop table message; --",
    " union select secrets from channel --",
    " or 1=1 limit 1 offset 0 /*",
    "||(select password_hash from app_user)||'",
    " and (select count(*) from sqlite_master) > 0 --",
    " and pg_sleep(5) --",
    " and 1=randomblob(1000000000) --",
    " order by 1, (select 1) --",
    "; select load_extension('x')",
)
PAYLOADS: Final = [f"1{end}{tail}" for end, tail in itertools.product(ENDS, TAILS)]
# One in ten; `make hostile` takes them all.
SOME: Final = PAYLOADS if settings.get_current_profile_name() == "hostile" else PAYLOADS[::10]
STREAMS: Final = ("/events", "/socket")
TABLES: Final = ("message", "contact", "channel", "app_user", "setting")


async def counted(api: Program) -> list[int | None]:
    return [await api.rt.db.reader.one(Query(f"select count(*) from {table}", int)) for table in TABLES]


def places() -> list[tuple[str, str, bool]]:
    """(path, parameter, whether it stands in the path) of every operation that reads."""
    found = []
    for path, item in document()["paths"].items():
        if "get" in item and not path.endswith(STREAMS):
            named: list[dict[str, Any]] = [*item.get("parameters", []), *item["get"].get("parameters", [])]
            found += [(path, one["name"], one["in"] == "path") for one in named if one["in"] in ("path", "query")]
    return found


async def test_sql_in_a_parameter_is_a_value_or_refused(api: Program) -> None:
    head = await api.key("read", "send", "manage", "admin", rate=0)
    await api.post("/api/v1/messages", json={"channel": "Shop", "to": "+5511999990000", "text": "Hi"}, headers=head)
    before, asked = await counted(api), places()
    assert len(asked) > 60
    for (path, name, in_path), payload in itertools.product(asked, SOME):
        inside = {name: quote(payload, safe="")} if in_path else {}
        place = re.sub(r"\{\w+\}", "1", path.replace(f"{{{name}}}", inside.get(name, "1")))
        answer = await api.get(place, params=None if in_path else {name: payload}, headers=head)
        assert answer.status_code in (200, 400, 404, 409, 422, 429), (path, name, payload, answer.text)
        assert "$argon2id$" not in answer.text, (path, name, payload)
    assert await counted(api) == before
