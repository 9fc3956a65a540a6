"""Canaries: for each encryption key a text sealed with it, which proves at start that the key at hand is right."""

import msgspec

from app.db import Query, Statement, Tx


class Canary(msgspec.Struct, frozen=True):
    """`kid` is the key's fingerprint; `canary` a sealed text."""

    kid: str
    canary: str


ALL = Query("select kid, canary from encryption_key order by created_at, kid", Canary)
INSERT = Statement(
    """
    insert into encryption_key (kid, canary, created_at) values (:kid, :canary, :now)
    on conflict (kid) do nothing
    """
)


KEEP_ONLY = Statement("delete from encryption_key where kid <> :kid")


def keep_only(tx: Tx, kid: str) -> None:
    """Nothing is sealed with any other key."""
    tx.run(KEEP_ONLY, kid=kid)


def insert(tx: Tx, kid: str, canary: str) -> None:
    tx.run(INSERT, kid=kid, canary=canary, now=tx.now)
