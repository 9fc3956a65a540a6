-- 0014: what happened to accounts that have to be used as a person would: linked, closed for a while

create table account_event (
    id bigint primary key,
    channel_id bigint not null references channel (id) on delete cascade,
    code text not null,
    at bigint not null,
    until bigint not null default 0
);
create index account_event_channel on account_event (channel_id, at);
