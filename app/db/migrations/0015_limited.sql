-- 0015: people, teams and keys that see some channels only; `limited` with no row of channel_limit sees none

alter table app_user add column limited bigint not null default 0;
alter table team add column limited bigint not null default 0;
alter table api_key add column limited bigint not null default 0;
create table channel_limit (
    holder_id bigint not null,
    channel_id bigint not null references channel (id) on delete cascade,
    primary key (holder_id, channel_id)
);
create index channel_limit_channel on channel_limit (channel_id);
