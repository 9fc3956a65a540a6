-- 0004: calls of bots: the secrets they name, and the host that a job calls

create table secret (
    id bigint primary key,
    name text not null unique,
    sealed text not null,
    created_at bigint not null,
    changed_at bigint not null,
    changed_by bigint
);

-- Of one host only a few jobs run at once, so that a slow one does not hold up the others.
alter table job add column host text;
create index job_host on job (state, host, due_at) where host is not null;
