"""Every column that holds sealed text, to be sealed again under another key (S31)."""

from typing import Final, NamedTuple

import msgspec

from app.db import Query, Statement


class Cell(msgspec.Struct, frozen=True):
    """One value: a sealed text, or "", or for channels a JSON object of sealed texts by name."""

    id: int
    text: str


class Column(NamedTuple):
    """`page`: the next cells after an id; `put`: another text, where it still is what it `was`."""

    page: Query[Cell]
    put: Statement


CHANNEL: Final = Column(
    Query("select id, secrets from channel where id > :after order by id limit :limit", Cell),
    Statement("update channel set secrets = :text where id = :id and secrets = :was"),
)
SECRET: Final = Column(
    Query("select id, sealed from secret where id > :after order by id limit :limit", Cell),
    Statement("update secret set sealed = :text where id = :id and sealed = :was"),
)
WEBHOOK: Final = Column(
    Query("select id, secret from webhook where id > :after order by id limit :limit", Cell),
    Statement("update webhook set secret = :text where id = :id and secret = :was"),
)
WEBHOOK_FORMER: Final = Column(
    Query("select id, former_secret from webhook where id > :after order by id limit :limit", Cell),
    Statement("update webhook set former_secret = :text where id = :id and former_secret = :was"),
)
TOTP: Final = Column(
    Query("select user_id, seed from totp where user_id > :after order by user_id limit :limit", Cell),
    Statement("update totp set seed = :text where user_id = :id and seed = :was"),
)
