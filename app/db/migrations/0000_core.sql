-- 0000: what the database core itself needs: the record of migrations, marks that never go back, events in commit order

create table migration (
    number bigint primary key,
    name text not null,
    applied_at bigint not null
);

-- id.<node>: ids up to this time may have been given. event.seq: events up to this place may have been given.
create table mark (
    name text primary key,
    value bigint not null
);

create table event (
    seq bigint primary key,
    at bigint not null,
    type text not null,
    topics text not null,
    data text not null
);

-- Committed, but without a place yet: on Postgres several units commit at a time, and one sequencer gives the places.
-- only postgres
create table event_arrival (
    id bigint primary key,
    at bigint not null,
    type text not null,
    topics text not null,
    data text not null
);
