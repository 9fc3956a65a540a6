-- 0001: a small schema for the tests of the database core
create table item (
    id bigint primary key,
    name text not null unique,
    body blob,
    size bigint not null default 0
);
