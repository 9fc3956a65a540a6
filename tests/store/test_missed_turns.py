"""Turns that were stored before a turn named its kind of verdict are named by what they decided."""

import shutil
from pathlib import Path

import pytest

from app.db import Query, Statement, Tx, open_database
from app.db.migrate import FOLDER
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio
CODES = Query("select code from turn order by id", str)
NEW = Statement(
    """
    insert into turn (id, conversation_id, input, output, took_us, at)
    values (:id, 1, '{}', :output, 1, 0)
    """
)
OUTPUTS = {
    '{"trace":{"verdict":["x"],"code":"missed"}}': "missed",
    '{"trace":{"code":"missed_again"}}': "missed_again",
    '{"trace":{"code":"unanswered"}}': "unanswered",
    '{"trace":{"code":"word"}}': "",
    r'{"effects":[{"text":"\"code\":\"missed\""}],"trace":{"code":"word"}}': "",
    "": "",
}


@pytest.fixture(scope="session")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("older") / "migrations"
    shutil.copytree(str(FOLDER), folder)
    for later in (file for file in folder.glob("*.sql") if file.name > "0002"):
        later.unlink()
    return folder


@pytest.fixture
def migrations(older: Path) -> Path:
    return older


def fill(tx: Tx) -> None:
    for sql in (
        "insert into channel (id, key, name, connector, account, config, secrets, rate, state, state_code, state_at,"
        " created_at) values (1, 'k', 'Shop', 'whatsapp_cloud', '1', '{}', '{}', 80, 'connected', '', 0, 0)",
        "insert into contact (id, name, created_at) values (1, 'Ana', 0)",
        "insert into conversation (id, channel_id, contact_id, address, last_at, created_at)"
        " values (1, 1, 1, '', 0, 0)",
    ):
        tx.run(Statement(sql))
    tx.many(NEW, [{"id": n, "output": output} for n, output in enumerate(OUTPUTS)])


async def test_turns_of_an_older_database_are_named(database_url: str, older: Path, clock: ManualClock) -> None:
    for folder in (older, None):
        database = open_database(database_url, clock=clock, migrations=folder)
        await database.start()
        if folder:
            await database.write(fill)
        else:
            assert await database.reader.all(CODES) == list(OUTPUTS.values())
        await database.stop()
