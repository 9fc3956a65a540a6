-- 0000: what the database core itself needs: the record of migrations, and events in commit order

create table migration (
    number bigint primary key,
    name text not null,
    applied_at bigint not null
);

create table event (
    seq bigint primary key,
    at bigint not null,
    type text not null,
    topics text not null,
    data text not null
);
create index event_at on event (at);
