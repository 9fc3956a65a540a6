-- 0021: errors in groups, and who ran into which limit

create table error_group (
    id bigint primary key,
    fingerprint text not null unique,
    kind text not null,
    place text not null,
    message text not null,
    trace text not null,
    count bigint not null,
    first_at bigint not null,
    last_at bigint not null,
    version text not null,
    state text not null default 'open'
);
create index error_group_state on error_group (state, last_at, id);
create index error_group_last on error_group (last_at);

create table limit_hit (
    hour bigint not null,
    what text not null,
    who text not null,
    count bigint not null,
    last_at bigint not null,
    primary key (hour, what, who)
);
