-- 0006: how programs get in: API keys, refresh tokens, access tokens taken back, and answers that are given twice

create table api_key (
    id bigint primary key,
    name text not null,
    hash text not null unique,
    hint text not null,
    scopes text not null,
    user_id bigint references app_user (id) on delete cascade,
    rate double precision,
    created_at bigint not null,
    expires_at bigint,
    used_at bigint
);
create index api_key_user on api_key (user_id);

create table refresh_token (
    hash text primary key,
    family bigint not null,
    user_id bigint not null references app_user (id) on delete cascade,
    scopes text not null,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint
);
create index refresh_token_family on refresh_token (family);
create index refresh_token_user on refresh_token (user_id);
create index refresh_token_expiry on refresh_token (expires_at);

create table denied_token (
    jti text primary key,
    expires_at bigint not null
);
create index denied_token_expiry on denied_token (expires_at);

create table answered (
    caller text not null,
    name text not null,
    digest text not null,
    answer text not null,
    at bigint not null,
    primary key (caller, name)
);
create index answered_at on answered (at);
