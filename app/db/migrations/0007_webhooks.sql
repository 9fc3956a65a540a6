-- 0007: webhooks of programs: where events are sent, and every delivery with what became of it

create table webhook (
    id bigint primary key,
    url text not null,
    types text not null,
    channel_id bigint references channel (id) on delete cascade,
    secret text not null,
    former_secret text not null default '',
    rotated_at bigint,
    position bigint not null,
    disabled_at bigint,
    disabled_why text not null default '',
    user_id bigint,
    created_at bigint not null
);
create index webhook_channel on webhook (channel_id) where channel_id is not null;

create table delivery (
    id bigint primary key,
    webhook_id bigint not null references webhook (id) on delete cascade,
    seq bigint not null,
    type text not null,
    body text not null,
    state text not null,
    attempts bigint not null default 0,
    due_at bigint not null,
    status bigint not null default 0,
    problem text not null default '',
    took_ms bigint not null default 0,
    created_at bigint not null,
    tried_at bigint
);
create index delivery_webhook on delivery (webhook_id, id);
create index delivery_due on delivery (due_at) where state = 'waiting';
create index delivery_old on delivery (created_at);
