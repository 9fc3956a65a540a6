-- 0016: linked phones: what came while away and is decided about, what happened to the account, messages that disappear

-- What came while a channel was away and waits for somebody to say whether it is answered.
create table away (
    message_id bigint primary key references message (id) on delete cascade,
    conversation_id bigint not null references conversation (id) on delete cascade,
    channel_id bigint not null,
    last_heard bigint not null,
    referral text not null default ''
);
create index away_channel on away (channel_id, conversation_id);
create index away_conversation on away (conversation_id);

-- Linked, closed by the network until a time: what the pace and the health of an account come of.
create table account_event (
    id bigint primary key,
    channel_id bigint not null references channel (id) on delete cascade,
    code text not null,
    at bigint not null,
    until bigint not null default 0
);
create index account_event_channel on account_event (channel_id, at);

-- When a message disappears, as the network said of it.
alter table message add column expires_at bigint;
create index message_expiry on message (expires_at) where expires_at is not null;
