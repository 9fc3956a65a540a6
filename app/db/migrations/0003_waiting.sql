-- 0003: what a conversation waits for: its jobs, messages gathered before a turn, who it is assigned to, who opted out

-- lane 'net': the job may wait for a network; lane 'turn': it is done in one unit, so nobody waits behind a slow server.
alter table job add column conversation_id bigint references conversation (id) on delete cascade;
alter table job add column lane text not null default 'net';
drop index job_due;
create index job_due on job (lane, state, due_at);
create index job_conversation on job (conversation_id) where conversation_id is not null;

create table gathered (
    message_id bigint primary key references message (id) on delete cascade,
    conversation_id bigint not null references conversation (id) on delete cascade,
    referral text not null default ''
);
create index gathered_conversation on gathered (conversation_id);

create table team (
    id bigint primary key,
    name text not null,
    name_folded text not null unique,
    created_at bigint not null
);

create table team_member (
    team_id bigint not null references team (id) on delete cascade,
    user_id bigint not null references app_user (id) on delete cascade,
    primary key (team_id, user_id)
);

alter table conversation add column assigned_to bigint references app_user (id) on delete set null;
alter table conversation add column team_id bigint references team (id) on delete set null;

alter table contact add column opted_out_at bigint;
