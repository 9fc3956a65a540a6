-- 0008: the audit log: who changed what, each line with the hash of the one before

create table audit (
    seq bigint primary key,
    at bigint not null,
    actor text not null,
    user_id bigint,
    ip text not null,
    action text not null,
    subject text not null,
    detail text not null,
    before text not null,
    hash text not null
);
create index audit_at on audit (at);
create index audit_action on audit (action, seq);
create index audit_user on audit (user_id, seq) where user_id is not null;

create table audit_head (
    id bigint primary key,
    seq bigint not null,
    hash text not null
);
