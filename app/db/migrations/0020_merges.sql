-- 0020: what each merge of two contacts brought together, so that it can be undone

create table contact_merge (
    id bigint primary key,
    keep_id bigint not null references contact (id) on delete cascade,
    gone_id bigint not null,
    at bigint not null,
    before text not null
);
create index contact_merge_keep on contact_merge (keep_id, id);

-- The rows that moved from the conversation `from_id`; `what`: message, turn, raw_update or job.
create table merge_moved (
    merge_id bigint not null references contact_merge (id) on delete cascade,
    what text not null,
    row_id bigint not null,
    from_id bigint not null,
    primary key (merge_id, what, row_id)
);

-- By which names somebody wrote who is made of several: JSON pairs of kind and value.
create table heard_as (
    message_id bigint primary key references message (id) on delete cascade,
    names text not null,
    at bigint not null
);

alter table contact add column merges bigint not null default 0;
