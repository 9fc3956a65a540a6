-- 0001: the nouns: users, channels, bots, contacts, conversations, messages, turns, outbox, jobs

create table setting (
    name text primary key,
    value text not null
);

create table encryption_key (
    kid text primary key,
    canary text not null,
    created_at bigint not null
);

create table app_user (
    id bigint primary key,
    email text not null,
    email_folded text not null unique,
    name text not null,
    role text not null,
    password_hash text not null,
    language text not null default '',
    zone text not null default '',
    theme text not null default '',
    token_version bigint not null default 0,
    created_at bigint not null,
    disabled_at bigint
);

create table login (
    id_hash text primary key,
    user_id bigint not null references app_user (id) on delete cascade,
    csrf text not null,
    agent text not null default '',
    ip text not null default '',
    created_at bigint not null,
    seen_at bigint not null,
    expires_at bigint not null,
    confirmed_at bigint not null
);
create index login_user on login (user_id);
create index login_expiry on login (expires_at);

create table attempt (
    name text primary key,
    failures bigint not null,
    blocked_until bigint not null,
    last_at bigint not null
);

create table bot (
    id bigint primary key,
    name text not null,
    name_folded text not null unique,
    draft text not null,
    draft_revision bigint not null,
    draft_by bigint,
    draft_at bigint not null,
    last_number bigint not null default 0,
    created_at bigint not null
);

create table version (
    id bigint primary key,
    bot_id bigint not null references bot (id) on delete cascade,
    number bigint,
    digest text not null,
    document text not null,
    note text not null default '',
    user_id bigint,
    created_at bigint not null,
    published_at bigint,
    unique (bot_id, number)
);
create index version_digest on version (bot_id, digest);

create table channel (
    id bigint primary key,
    key text not null unique,
    name text not null,
    connector text not null,
    account text not null,
    config text not null,
    secrets text not null,
    rate double precision not null,
    version_id bigint references version (id),
    state text not null,
    state_code text not null,
    state_detail text not null default '',
    state_at bigint not null,
    halted_at bigint,
    verified_at bigint,
    heard_at bigint,
    created_at bigint not null,
    removed_at bigint
);
create unique index channel_account on channel (connector, account) where removed_at is null;

create table channel_name (
    name_folded text primary key,
    channel_id bigint not null references channel (id) on delete cascade
);
create index channel_name_channel on channel_name (channel_id);

create table publication (
    id bigint primary key,
    channel_id bigint not null references channel (id) on delete cascade,
    version_id bigint not null references version (id),
    previous_id bigint,
    user_id bigint,
    at bigint not null
);
create index publication_channel on publication (channel_id, at);
create index publication_version on publication (version_id);

create table contact (
    id bigint primary key,
    name text not null,
    phone text not null default '',
    username text not null default '',
    language text not null default '',
    tags text not null default '[]',
    fields text not null default '{}',
    created_at bigint not null,
    merged_into bigint
);
create index contact_merged on contact (merged_into) where merged_into is not null;
create index contact_name on contact (lower(name), id);

create table identity (
    kind text not null,
    value text not null,
    contact_id bigint not null references contact (id) on delete cascade,
    created_at bigint not null,
    retired_at bigint,
    primary key (kind, value)
);
create index identity_contact on identity (contact_id);

create table conversation (
    id bigint primary key,
    channel_id bigint not null references channel (id) on delete cascade,
    contact_id bigint not null references contact (id) on delete cascade,
    thread text not null default '',
    address text not null,
    state text not null default '{}',
    version_id bigint references version (id),
    mode text not null default 'bot',
    taken_by bigint,
    taken_at bigint,
    waiting_since bigint,
    waiting_for text not null default '',
    closed_at bigint,
    places bigint not null default 0,
    unread bigint not null default 0,
    heard_at bigint not null default 0,
    last_at bigint not null,
    last_id bigint,
    snippet text not null default '',
    budget text not null default '',
    created_at bigint not null,
    unique (channel_id, contact_id, thread)
);
create index conversation_contact on conversation (contact_id);
create index conversation_last on conversation (last_at, id);
create index conversation_mode on conversation (mode, last_at, id);
create index conversation_waiting on conversation (waiting_since) where waiting_since is not null;
create index conversation_version on conversation (version_id) where version_id is not null;
create index conversation_taken on conversation (taken_by, last_at, id) where taken_by is not null;

create table message (
    id bigint primary key,
    conversation_id bigint not null references conversation (id) on delete cascade,
    channel_id bigint not null,
    direction text not null,
    author text not null,
    user_id bigint,
    kind text not null,
    text text not null,
    content text not null,
    provider_id text,
    reply_to text not null default '',
    status text not null,
    problem text not null default '',
    rule text not null default '',
    turn_id bigint,
    step bigint,
    at bigint not null,
    sent_at bigint not null,
    edited_at bigint,
    deleted_at bigint
);
create unique index message_provider on message (channel_id, provider_id) where provider_id is not null;
create unique index message_step on message (turn_id, step) where turn_id is not null;
create index message_thread on message (conversation_id, at, id);
create index message_failed on message (at, id) where status = 'failed';

create table tombstone (
    channel_id bigint not null,
    provider_id text not null,
    at bigint not null,
    primary key (channel_id, provider_id)
);
create index tombstone_at on tombstone (at);

create table raw_update (
    id bigint primary key,
    channel_id bigint not null,
    conversation_id bigint,
    message_id bigint,
    field text not null,
    body blob not null,
    at bigint not null,
    expires_at bigint not null
);
create index raw_update_expiry on raw_update (expires_at);
create index raw_update_conversation on raw_update (conversation_id) where conversation_id is not null;
create index raw_update_field on raw_update (channel_id, field, at) where conversation_id is null;

create table quarantine (
    id bigint primary key,
    channel_id bigint,
    reason text not null,
    detail text not null,
    body blob not null,
    at bigint not null,
    expires_at bigint not null,
    seen_at bigint
);
create index quarantine_open on quarantine (at) where seen_at is null;
create index quarantine_expiry on quarantine (expires_at);

create table receipt (
    channel_id bigint not null,
    provider_id text not null,
    status text not null,
    message_id bigint,
    at bigint not null,
    problem text not null default '',
    created_at bigint not null,
    primary key (channel_id, provider_id, status)
);
create index receipt_message on receipt (message_id) where message_id is not null;
create index receipt_orphan on receipt (created_at) where message_id is null;

create table turn (
    id bigint primary key,
    conversation_id bigint not null references conversation (id) on delete cascade,
    message_id bigint,
    version_id bigint,
    input text not null,
    output text not null,
    error text not null default '',
    took_us bigint not null,
    at bigint not null
);
create index turn_conversation on turn (conversation_id, at);
create index turn_failed on turn (at) where error <> '';

create table outbox (
    message_id bigint primary key references message (id) on delete cascade,
    channel_id bigint not null,
    conversation_id bigint not null,
    place bigint not null,
    state text not null,
    due_at bigint not null,
    attempts bigint not null default 0,
    changed_at bigint not null,
    problem text not null default ''
);
create unique index outbox_conversation on outbox (conversation_id, place);
create index outbox_channel on outbox (channel_id, state, due_at);
create index outbox_unknown on outbox (due_at) where state = 'unknown';
create index outbox_held on outbox (due_at, message_id) where state = 'held';

create table suspect (
    name text primary key,
    strikes bigint not null,
    at bigint not null
);

create table job (
    id bigint primary key,
    kind text not null,
    subject text not null,
    payload text not null,
    state text not null,
    due_at bigint not null,
    attempts bigint not null default 0,
    leased_until bigint,
    problem text not null default '',
    created_at bigint not null,
    unique (kind, subject)
);
create index job_due on job (state, due_at);

create table media (
    id bigint primary key,
    channel_id bigint not null,
    message_id bigint references message (id) on delete cascade,
    provider_id text not null,
    url text not null default '',
    mime text not null,
    filename text not null default '',
    sha256 text not null default '',
    size bigint not null default 0,
    state text not null,
    problem text not null default '',
    created_at bigint not null,
    stored_at bigint
);
create index media_message on media (message_id);
create index media_sha on media (sha256) where sha256 <> '';
