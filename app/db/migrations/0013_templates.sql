-- 0013: the templates of a channel, how its account stands, and when somebody came from an ad

create table template (
    id bigint primary key,
    channel_id bigint not null references channel (id) on delete cascade,
    provider_id text not null default '',
    name text not null,
    language text not null,
    category text not null,
    coming text not null default '',
    status text not null,
    quality text not null default '',
    reason text not null default '',
    named bigint not null default 0,
    components text not null,
    told_at bigint not null default 0,
    fetched_at bigint not null default 0,
    created_at bigint not null,
    changed_at bigint not null,
    unique (channel_id, name, language)
);
create index template_provider on template (provider_id) where provider_id <> '';

create table account_fact (
    channel_id bigint not null references channel (id) on delete cascade,
    name text not null,
    value text not null,
    detail text not null default '',
    rank bigint not null default 0,
    concern bigint not null default 0,
    at bigint not null,
    seen_at bigint,
    primary key (channel_id, name)
);

alter table channel add column templates_at bigint;
alter table conversation add column entered_at bigint not null default 0;
alter table conversation add column free_until bigint not null default 0;
