"""What a channel is configured with: the units that write its row, and the checks of what a person entered."""

import re
from collections.abc import Mapping

import msgspec

from app import events
from app.connectors.abilities import ChecksSettings
from app.connectors.base import (
    Connector,
    Problem,
    StatusChange,
)
from app.db import Tx
from app.errors import Conflict, Invalid
from app.models import ChannelRow
from app.said import N_, Sentence, joined
from app.security.secrets import Keyring
from app.store import away, health
from app.store import channels as store
from app.store import outbox as outbox_rows

LONGEST = 4_000  # characters of a setting
# States that the health of an account is judged by for as long as they are kept.
REMEMBERED = ("web.linked", "web.banned")


# ---- units of work --------------------------------------------------------------------------------------------------


def insert(
    tx: Tx, keys: Keyring, connector: Connector, name: str, values: Mapping[str, str], rate: float,
    version_id: int | None, key: str,
) -> int:  # fmt: skip
    channel_id = tx.new_id()
    _free_account(tx, connector, values, 0)
    _free_name(tx, name, channel_id)
    config, sealed = split(connector, values, keys, channel_id)
    tx.run(
        store.INSERT, id=channel_id, key=key, name=name, connector=connector.kind, account=connector.account_of(values),
        config=_text(config), secrets=_text(sealed), rate=rate, version_id=version_id, now=tx.now,
    )  # fmt: skip
    tx.run(store.INSERT_NAME, name=fold(name), channel_id=channel_id)
    publish_change(tx, channel_id)
    return channel_id


def update(
    tx: Tx, keys: Keyring, connector: Connector, row: ChannelRow, name: str, values: Mapping[str, str], rate: float
) -> None:
    _free_account(tx, connector, values, row.id)
    _free_name(tx, name, row.id)
    config, sealed = split(connector, values, keys, row.id)
    tx.run(store.INSERT_NAME, name=fold(name), channel_id=row.id)
    tx.run(
        store.UPDATE, id=row.id, name=name, account=connector.account_of(values), config=_text(config),
        secrets=_text(sealed), rate=rate,
    )  # fmt: skip
    publish_change(tx, row.id)


def remove(tx: Tx, channel_id: int) -> None:
    tx.run(store.REMOVE, id=channel_id, now=tx.now)
    tx.run(store.DROP_NAMES, channel_id=channel_id)
    tx.run(away.DROP_CHANNEL, channel_id=channel_id)
    tx.run(store.FAIL_QUEUED, channel_id=channel_id)
    tx.run(outbox_rows.DROP_CHANNEL, channel_id=channel_id)
    publish_change(tx, channel_id)


def set_state(tx: Tx, channel_id: int, change: StatusChange) -> None:
    tx.run(
        store.SET_STATE, id=channel_id, state=change.state.value, code=change.code, detail=change.detail, now=tx.now
    )  # fmt: skip
    if change.code in REMEMBERED:
        tx.run(health.INSERT, id=tx.new_id(), channel_id=channel_id, code=change.code, until=change.until, now=tx.now)
    publish_change(tx, channel_id)


def halt(tx: Tx, channel_id: int, problem: Problem) -> None:
    tx.run(store.HALT, id=channel_id, code="account.refused", detail=str(problem.title) or problem.code, now=tx.now)
    publish_change(tx, channel_id)
    tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention",)))


def touch(tx: Tx, channel_id: int, what: str) -> None:
    tx.run(store.VERIFIED if what == "verified" else store.HEARD, id=channel_id, now=tx.now)
    publish_change(tx, channel_id)


def publish_change(tx: Tx, channel_id: int) -> None:
    data = b'{"id":"%d"}' % channel_id
    tx.publish(events.Event(events.CHANNEL_UPDATED, ("channels", f"channel-{channel_id}"), data))


def _free_account(tx: Tx, connector: Connector, values: Mapping[str, str], own: int) -> None:
    taken = tx.one(store.BY_ACCOUNT, connector=connector.kind, account=connector.account_of(values))
    if taken is not None and taken.id != own:
        raise Conflict(N_("The channel “{name}” already uses this account.", name=taken.name))


def _free_name(tx: Tx, name: str, own: int) -> None:
    owner = tx.one(store.NAME_OWNER, name=fold(name))
    if owner is not None and owner != own:
        raise Conflict(N_("The name “{name}” is taken.", name=name), fields={"name": N_("This name is taken.")})


# ---- checks, pure ---------------------------------------------------------------------------------------------------


def check_values(connector: Connector, values: Mapping[str, str]) -> dict[str, str]:
    known = {setting.name: setting for setting in connector.settings}
    wrong: dict[str, Sentence] = {
        name: N_("{network} has no setting “{name}”.", network=connector.label, name=name)
        for name in values
        if name not in known
    }
    clean = {name: value.strip() for name, value in values.items() if name in known and value.strip()}
    wrong |= {n: N_("{field} is needed.", field=N_(s.label)) for n, s in known.items() if s.required and n not in clean}
    wrong |= {
        n: N_("{field} does not look like one of {network}: {example}.", field=N_(s.label), network=connector.label,
              example=s.example)
        for n, s in known.items()
        if n in clean and s.form and not re.fullmatch(s.form, clean[n])
    }  # fmt: skip
    wrong |= {
        n: N_("{field} is longer than {most} characters.", field=N_(known[n].label), most=LONGEST)
        for n, v in clean.items()
        if len(v) > LONGEST
    }
    if isinstance(connector, ChecksSettings):
        wrong |= connector.check_settings(clean)
    if wrong:
        raise Invalid(joined(wrong.values()), fields=wrong)
    return clean


def check_name(name: str) -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > 60 or clean.isdecimal():
        sentence = N_("A channel's name has 1 to 60 characters and is not only digits.")
        raise Invalid(sentence, fields={"name": sentence})
    return clean


def check_rate(rate: float) -> float:
    if not 0 <= rate <= 1000:
        sentence = N_("The rate is a number of messages per second from 0 (not paced) to 1000.")
        raise Invalid(sentence, fields={"rate": sentence})
    return rate


def split(
    connector: Connector, values: Mapping[str, str], keys: Keyring, channel_id: int
) -> tuple[dict[str, str], dict[str, str]]:
    """Plain settings, and secrets sealed for their place."""
    hidden = {setting.name for setting in connector.settings if setting.secret}
    config = {name: value for name, value in values.items() if name not in hidden}
    sealed = {name: keys.seal(value, place(channel_id, name)) for name, value in values.items() if name in hidden}
    return config, sealed


def place(channel_id: int, name: str) -> str:
    """Where a secret belongs; a sealed text opens nowhere else."""
    return f"channel|secrets.{name}|{channel_id}"


def fold(name: str) -> str:
    return " ".join(name.split()).casefold()


def _text(values: Mapping[str, str]) -> str:
    return msgspec.json.encode(dict(values)).decode()
