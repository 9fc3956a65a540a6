"""Every page of Home, inbox and channels on SQLite and on Postgres: the same text from the same story."""

from pathlib import Path

import pytest

from tests.routes.visiting import AHMED, ANA, PRIYA, visiting

pytestmark = pytest.mark.anyio


async def test_every_page_reads_on_both_databases(tmp_path: Path, database_url: str) -> None:
    url = database_url if database_url.startswith("postgresql:") else ""
    async with visiting(tmp_path, database_url=url) as visit:
        ana, ahmed, priya = [await visit.chat(phone) for phone in (ANA, AHMED, PRIYA)]
        expected = {
            "/": "has waited 14 min",
            "/home/tiles": ">370<",
            "/inbox": f'id="inbox-row-{priya}"',
            "/inbox?view=mine": f'id="inbox-row-{ana}"',
            "/inbox?view=bot": "Visitor 30",
            "/inbox?view=all": "Maximiliano",
            "/inbox/list?q=أحمد": f'id="inbox-row-{ahmed}"',
            "/inbox/list?q=ana": f'id="inbox-row-{ana}"',
            "/inbox/list?q=551198": f'id="inbox-row-{ana}"',
            f"/inbox/{ana}": "Rosa here",
            f"/inbox/{ana}/thread?from=0.0": "Avenida Paulista",
            f"/inbox/{ana}/older": "Avenida Paulista",
            f"/inbox/{ana}/why": "big order",
            "/channels": "370 messages today",
            **{
                f"/channels/{id}": "live here now"
                for id, live in visit.rt.channels.by_id.items()
                if live.row.version_id
            },
        }
        for path, text in expected.items():
            answer = await visit.get(path)
            assert answer.status_code == 200 and text in answer.text, path
        assert (await visit.post("/home/quarantine", {"reason": "malformed"}, hx=True)).status_code == 200
