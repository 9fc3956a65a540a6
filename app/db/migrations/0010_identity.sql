-- 0010: who gets in: one-time codes at log-in, invitations; and the list of what is assigned to somebody or their team

create table totp (
    user_id bigint primary key references app_user (id) on delete cascade,
    seed text not null,
    last_step bigint not null default 0,
    created_at bigint not null
);

create table recovery_code (
    user_id bigint not null references app_user (id) on delete cascade,
    hash text not null,
    used_at bigint,
    primary key (user_id, hash)
);

create table invitation (
    id bigint primary key,
    hash text not null unique,
    email text not null,
    email_folded text not null unique,
    name text not null,
    role text not null,
    invited_by bigint not null references app_user (id) on delete cascade,
    created_at bigint not null,
    expires_at bigint not null
);

create index conversation_assigned on conversation (assigned_to, last_at, id)
    where assigned_to is not null and closed_at is null;
create index conversation_team on conversation (team_id, last_at, id)
    where team_id is not null and assigned_to is null and taken_by is null and closed_at is null;
create index team_member_user on team_member (user_id);
