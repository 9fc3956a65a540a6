-- 0003: secrets that bots name in calls

create table secret (
    id bigint primary key,
    name text not null unique,
    sealed text not null,
    created_at bigint not null,
    changed_at bigint not null,
    changed_by bigint
);
