-- 0024: edits and deletions that came before their message; looked up with every message, so by its name

create table early_change (
    channel_id bigint not null,
    provider_id text not null,
    message_id bigint not null references message (id) on delete cascade,
    created_at bigint not null,
    primary key (channel_id, provider_id, message_id)
);
create index early_change_message on early_change (message_id);
create index early_change_age on early_change (created_at);
