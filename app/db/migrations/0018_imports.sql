-- 0018: files of contacts that are brought in by a job, with how far it is; files that programs send here

create table contact_import (
    id bigint primary key,
    user_id bigint,
    name text not null,
    size bigint not null,
    delimiter text not null,
    columns text not null,
    mapping text not null,
    state text not null,
    at_byte bigint not null,
    lines bigint not null default 0,
    made bigint not null default 0,
    changed bigint not null default 0,
    wrong bigint not null default 0,
    wrong_bytes bigint not null default 0,
    created_at bigint not null,
    ended_at bigint
);
create index contact_import_created on contact_import (created_at, id);
create index media_uploaded on media (stored_at) where channel_id = 0;
