"""A database that was used for a hundred days: about ten thousand rows in every table that grows."""

from app.db.ids import EPOCH

ROWS = 10_000
STEP = 864_000  # ms between two rows
START = 1_780_000_000_000
END = START + ROWS * STEP
DAY = 86_400_000

# How a row's number n becomes its time and its id.
AT = f"({START} + n * {STEP})"
ID = f"(({AT} - {EPOCH}) * 4194304)"

# One row of each: what does not grow with the messages.
SMALL = [
    """
    insert into app_user (id, email, email_folded, name, role, password_hash, created_at)
    select n, 'user' || n, 'user' || n, 'User', 'owner', '', 0 from series where n <= 5
    """,
    """
    insert into bot (id, name, name_folded, draft, draft_revision, draft_at, created_at, last_number)
    values (1, 'Shop', 'shop', '', 1, 0, 0, 1)
    """,
    "insert into version (id, bot_id, number, digest, document, created_at) values (1, 1, 1, '', '', 0)",
    """
    insert into channel
      (id, key, name, connector, account, config, secrets, rate, version_id, state, state_code, state_at, created_at)
    select n, 'key' || n, 'Shop', 'whatsapp_cloud', 'account' || n, '{}', '{}', 80, 1, 'connected', '', 0, 0
    from series where n <= 97
    """,
]
# Most of the time, little is exceptional: one row in hundreds waits, failed, or belongs to nobody.
GROWING = {
    "contact": f"""
        insert into contact (id, name, phone, username, created_at, merged_into)
        select {ID}, 'Contact ' || n, '16505' || n, case when n % 10 = 3 then 'user' || n else '' end, {AT},
               case when n % 500 = 0 then {START} end from series
    """,
    "identity": f"""
        insert into identity (kind, value, contact_id, created_at) select 'wa_id', '16505' || n, {ID}, {AT} from series
    """,
    "contact_tag": f"""
        insert into contact_tag (tag, contact_id) select 'tag' || (n % 50), {ID} from series
    """,
    "conversation": f"""
        insert into conversation
          (id, channel_id, contact_id, address, version_id, mode, taken_by, waiting_since, last_at, last_id, created_at)
        select {ID}, 1 + n % 97, {ID}, '{{}}', case when n % 100 = 2 then 1 end,
               case when n % 100 = 0 then 'waiting' when n % 100 = 1 then 'person' else 'bot' end,
               case when n % 100 = 1 then 1 + n % 5 end, case when n % 100 = 0 then {AT} end, {AT}, {ID}, {AT}
        from series
    """,
    "message": f"""
        insert into message
          (id, conversation_id, channel_id, direction, author, kind, text, content, provider_id, status, turn_id, step,
           at, sent_at)
        select {ID}, {ID}, 1 + n % 97, case when n % 2 = 0 then 'in' else 'out' end,
               case when n % 2 = 0 then 'contact' when n % 50 = 1 then 'user' else 'bot' end, 'text', 'hello', '{{}}',
               'wamid.' || n, case when n % 2 = 0 then 'received' when n % 500 = 1 then 'failed' else 'sent' end,
               case when n % 2 = 1 then {ID} end, case when n % 2 = 1 then 0 end, {AT}, {AT}
        from series
    """,
    "turn": f"""
        insert into turn
          (id, conversation_id, message_id, version_id, input, output, code, error, took_us, at, ignored_at)
        select {ID}, {ID}, {ID}, 1, '{{}}', '{{}}', case when n % 50 = 0 then 'missed' else 'word' end,
               case when n % 500 = 0 then 'KeyError' else '' end, 200, {AT}, case when n % 500 = 0 then {AT} end
        from series
    """,
    "outbox": f"""
        insert into outbox (message_id, channel_id, conversation_id, place, state, due_at, changed_at)
        select {ID}, 1 + n % 97, {ID}, 1,
               case n % 500 when 0 then 'held' when 1 then 'sending' when 2 then 'unknown' else 'queued' end, {AT}, {AT}
        from series
    """,
    "job": f"""
        insert into job (id, kind, subject, payload, state, due_at, created_at, conversation_id, lane, host)
        select {ID},
               case when n % 2 = 0 then 'media.fetch' when n % 10 = 3 then 'call' else 'timer' end, 'subject' || n,
               '{{}}', case n % 500 when 0 then 'running' when 1 then 'dead' else 'queued' end, {AT}, {AT},
               case when n % 2 = 1 then {ID} end,
               case when n % 2 = 0 then 'net' when n % 10 = 3 then 'call' else 'turn' end,
               case when n % 10 = 3 then 'host' || n % 97 end
        from series
    """,
    "gathered": f"""
        insert into gathered (message_id, conversation_id) select {ID}, {ID} from series
    """,
    "raw_update": f"""
        insert into raw_update (id, channel_id, conversation_id, message_id, field, body, at, expires_at)
        select {ID}, 1 + n % 97, case when n % 100 > 0 then {ID} end, {ID},
               case when n % 100 > 0 then 'message' else 'account_update' end, :body, {AT}, {AT} + {30 * DAY}
        from series
    """,
    "quarantine": f"""
        insert into quarantine (id, channel_id, reason, detail, body, at, expires_at, seen_at)
        select {ID}, 1 + n % 97, 'malformed', '', :body, {AT}, {AT} + {30 * DAY}, case when n % 500 > 0 then {AT} end
        from series
    """,
    "receipt": f"""
        insert into receipt (channel_id, provider_id, status, message_id, at, created_at)
        select 1 + n % 97, 'wamid.' || n, 'read', case when n % 500 > 0 then {ID} end, {AT}, {AT} from series
    """,
    "event": f"""
        insert into event (seq, at, type, topics, data)
        select n, {AT}, 'message.created', 'conversations', '{{}}' from series
    """,
    "tombstone": f"""
        insert into tombstone (channel_id, provider_id, at) select 1 + n % 97, 'gone.' || n, {AT} from series
    """,
    "statistic": f"""
        insert into statistic (slice, hour, channel_id, metric, label, value)
        select {AT} / 3600000, {AT} / 3600000, 1 + n % 97, case when n % 2 = 0 then 'in' else 'status' end,
               case when n % 2 = 0 then '' else 'label' || n end, n from series where true
        on conflict (slice, hour, channel_id, metric, label) do nothing
    """,
    "statistic_slice": f"""
        insert into statistic_slice (slice, counted_at)
        select {AT} / 3600000, case when n % 500 = 0 then 0 else {AT} end from series
        where true on conflict (slice) do nothing
    """,
    "media": f"""
        insert into media (id, channel_id, message_id, provider_id, mime, sha256, state, created_at)
        select {ID}, 1 + n % 97, case when n % 500 > 0 then {ID} end, 'media.' || n, 'image/jpeg', 'hash' || n,
               'stored', {AT}
        from series
    """,
}
SERIES = [
    "create temporary table series (n bigint primary key)",
    f"""
    with recursive counted(n) as (select 1 union all select n + 1 from counted where n < {ROWS})
    insert into series select n from counted
    """,
]


def identity(n: int) -> int:
    """The id of row n."""
    return (START + n * STEP - EPOCH) << 22
