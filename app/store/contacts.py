"""Contacts and their identities: a person is found by any name a network ever gave."""

from collections.abc import Iterable

from app.db import Query, Statement, Tx
from app.models import Found
from app.store import joining, merges, tags

_CONTACT = "c.id, c.name, c.phone, c.username, c.language, c.tags, c.fields, c.created_at"
_PENDING = "(select count(*) from outbox o where o.conversation_id = v.id and o.state <> 'held')"
FOUND = Query(
    f"""
    select {_CONTACT},
           v.id, coalesce(v.address, ''), coalesce(v.state, '{{}}'), v.version_id, coalesce(v.mode, 'bot'),
           coalesce(v.places, 0), {_PENDING}, coalesce(v.budget, ''),
           (select count(*) from tombstone t where t.channel_id = :channel_id and t.provider_id = :provider_id),
           coalesce(v.heard_at, 0), v.closed_at, c.opted_out_at, c.merges
    from identity i
    join contact c on c.id = i.contact_id
    left join conversation v on v.channel_id = :channel_id and v.contact_id = c.id and v.thread = :thread
    where i.kind = :kind and i.value = :value
    """,
    Found,
)
FOUND_EACH = Query(
    f"""
    with asked (place, contact_id, channel_id, thread) as (values (:place, :contact_id, :channel_id, :thread))
    select a.place, {_CONTACT},
           v.id, v.address, v.state, v.version_id, v.mode, v.places, {_PENDING}, v.budget, 0, v.heard_at, v.closed_at,
           c.opted_out_at, c.merges
    from asked a
    cross join contact c
    join conversation v on v.channel_id = a.channel_id and v.contact_id = c.id and v.thread = a.thread
    where c.id = a.contact_id
    """,
    lambda place, *found: (int(place), Found(*found)),
)
FOUND_BY_CONVERSATION = Query(
    f"""
    select {_CONTACT},
           v.id, v.address, v.state, v.version_id, v.mode, v.places, {_PENDING}, v.budget, 0, v.heard_at, v.closed_at,
           c.opted_out_at, c.merges
    from conversation v
    join contact c on c.id = v.contact_id
    where v.id = :id
    """,
    Found,
)
OWNERS = Query(
    """
    with asked (kind, value) as (values (:kind, :value))
    select i.kind, i.value, i.contact_id from asked a cross join identity i where i.kind = a.kind and i.value = a.value
    """,
    lambda kind, value, contact_id: ((str(kind), str(value)), int(contact_id)),
)
INSERT_WHOLE = Statement(
    """
    insert into contact (id, name, phone, language, tags, fields, opted_out_at, created_at)
    values (:id, :name, :phone, :language, :tags, :fields, :opted_out_at, :now)
    """
)
# Fails where another unit took the number meanwhile.
CLAIM_PHONE = Statement(
    "insert into identity (kind, value, contact_id, created_at) values ('phone', :phone, :id, :now)"
)
INSERT_CONTACT = Statement(
    """
    insert into contact (id, name, phone, username, language, created_at)
    values (:id, :name, :phone, :username, :language, :now)
    """
)
INSERT_IDENTITY = Statement(
    """
    insert into identity (kind, value, contact_id, created_at) values (:kind, :value, :contact_id, :now)
    on conflict (kind, value) do nothing
    """
)
RETIRE = Statement("update identity set retired_at = :now where kind = :kind and value = :value")
RENAME = Statement(
    """
    update contact
    set name = case when :name <> '' then :name else name end,
        phone = case when :phone <> '' then :phone else phone end,
        username = case when :username <> '' then :username else username end,
        language = case when language = '' then :language else language end
    where id = :id
    """
)
PHONE = Query("select phone from contact where id = :id and merged_into is null", str)
OPT_IN = Statement("update contact set opted_out_at = null where id = :id")
OPT_OUT = Statement("update contact set opted_out_at = :now where id = :id and opted_out_at is null")
# Of two contacts that are one person, one opt-out is enough.
OUT_TOO = Statement(
    """
    update contact set opted_out_at = (select g.opted_out_at from contact g where g.id = :gone)
    where id = :keep and opted_out_at is null
    """
)
MOVE_IDENTITIES = Statement("update identity set contact_id = :keep where contact_id = :gone")
MARK_MERGED = Statement("update contact set merged_into = :keep where id = :gone or merged_into = :gone")
OTHER_THREADS = Query(
    """
    select g.id, k.id from conversation g
    left join conversation k
      on k.channel_id = g.channel_id and k.contact_id = :keep and k.thread = g.thread
    where g.contact_id = :gone
    """,
    lambda gone, keep: (gone, keep),
)
GIVE_THREAD = Statement("update conversation set contact_id = :keep where id = :id")


TWINS = {"wa_id": "phone", "phone": "wa_id"}


def resolve(
    tx: Tx,
    aliases: tuple[tuple[str, str], ...],
    *,
    name: str,
    phone: str,
    username: str,
    language: str = "",
    previous: tuple[tuple[str, str], ...] = (),
) -> tuple[int, bool]:
    """The contact behind these aliases, found, completed, merged or created, and whether it is new.

    `previous`: names the person had before. `language` is only kept where none is known: people and bots know better.
    """
    found = sorted(owners_of(tx, aliases + previous))
    if found:
        contact_id = found[0]
        for gone in found[1:]:
            merge(tx, contact_id, gone)
        tx.run(RENAME, id=contact_id, name=name, phone=phone, username=username, language=language)
    else:
        contact_id = tx.new_id()
        tx.run(INSERT_CONTACT, id=contact_id, name=name, phone=phone, username=username, language=language, now=tx.now)
    known = 0
    for kind, value in aliases:
        known += 1 - tx.run(INSERT_IDENTITY, kind=kind, value=value, contact_id=contact_id, now=tx.now)
    if known and not found:
        return _meet(tx, aliases, contact_id), False
    for kind, value in previous:
        if (kind, value) not in aliases:
            tx.run(RETIRE, kind=kind, value=value, now=tx.now)
    return contact_id, not found


def _meet(tx: Tx, aliases: tuple[tuple[str, str], ...], made: int) -> int:
    """Another unit made the same person under another name at the same moment: of the two, the first stays."""
    keep, *gone = sorted(owners_of(tx, aliases) | {made})
    for contact_id in gone:
        merge(tx, keep, contact_id)
    return keep


def owners_of(tx: Tx, aliases: tuple[tuple[str, str], ...]) -> set[int]:
    """Everybody who has one of these names. A number dialled and the number as WhatsApp writes it count as one."""
    return set(owners(tx, with_twins(aliases)).values())


def with_twins(aliases: tuple[tuple[str, str], ...]) -> set[tuple[str, str]]:
    return {*aliases, *((TWINS[kind], value) for kind, value in aliases if kind in TWINS)}


def owners(tx: Tx, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The contact of each name that somebody has."""
    return dict(tx.each(OWNERS, [{"kind": kind, "value": value} for kind, value in names]))


def owners_of_phones(tx: Tx, phones: Iterable[str]) -> dict[str, int]:
    """Who has each of these numbers; the older contact where two have it."""
    found: dict[str, int] = {}
    for (_kind, phone), owner in owners(tx, {(kind, phone) for phone in phones for kind in TWINS}).items():
        found[phone] = min(owner, found.get(phone, owner))
    return found


def merge(tx: Tx, keep: int, gone: int) -> None:
    """Two contacts turned out to be one person: everything moves to `keep`, `gone` stays as a pointer.

    What becomes of two conversations is said in `joining`, of tags and fields in `tags`.
    """
    pairs = tx.all(OTHER_THREADS, keep=keep, gone=gone)
    merges.remember(tx, keep, gone, pairs)
    tx.run(MOVE_IDENTITIES, keep=keep, gone=gone)
    for gone_thread, keep_thread in pairs:
        if keep_thread is None:
            tx.run(GIVE_THREAD, id=gone_thread, keep=keep)
        else:
            joining.join(tx, keep_thread, gone_thread)
    tx.run(OUT_TOO, keep=keep, gone=gone)
    tags.unite(tx, keep, gone)
    tx.run(MARK_MERGED, keep=keep, gone=gone)
