-- 0003: calls of bots: the secrets they name, and jobs that wait in the lane of their host

create table secret (
    id bigint primary key,
    name text not null unique,
    sealed text not null,
    created_at bigint not null,
    changed_at bigint not null,
    changed_by bigint
);

-- lane: whose work it is beside that of everybody, for calls the host. conversation_id: the work goes with it.
alter table job add column lane text not null default '';
alter table job add column conversation_id bigint;

drop index job_due;
create index job_due on job (state, lane, due_at);
create index job_conversation on job (conversation_id) where conversation_id is not null;
