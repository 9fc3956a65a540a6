"""Every column that holds sealed text, to be sealed again under another key (S31).

The next cells after an id, and another text where it still is what it `was`.
"""

import msgspec

from app.db import Query, Statement


class Cell(msgspec.Struct, frozen=True):
    """One value: a sealed text, or "", or for channels a JSON object of sealed texts by name."""

    id: int
    text: str


CHANNELS = Query("select id, secrets from channel where id > :after order by id limit :limit", Cell)
PUT_CHANNEL = Statement("update channel set secrets = :text where id = :id and secrets = :was")
SECRETS = Query("select id, sealed from secret where id > :after order by id limit :limit", Cell)
PUT_SECRET = Statement("update secret set sealed = :text where id = :id and sealed = :was")
WEBHOOKS = Query("select id, secret from webhook where id > :after order by id limit :limit", Cell)
PUT_WEBHOOK = Statement("update webhook set secret = :text where id = :id and secret = :was")
FORMER = Query("select id, former_secret from webhook where id > :after order by id limit :limit", Cell)
PUT_FORMER = Statement("update webhook set former_secret = :text where id = :id and former_secret = :was")
SEEDS = Query("select user_id, seed from totp where user_id > :after order by user_id limit :limit", Cell)
PUT_SEED = Statement("update totp set seed = :text where user_id = :id and seed = :was")
