-- 0013: what came while a channel was away and waits for somebody to say whether it is answered

create table away (
    message_id bigint primary key references message (id) on delete cascade,
    conversation_id bigint not null references conversation (id) on delete cascade,
    channel_id bigint not null,
    last_heard bigint not null,
    referral text not null default ''
);
create index away_channel on away (channel_id, conversation_id);
create index away_conversation on away (conversation_id);
