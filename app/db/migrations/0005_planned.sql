-- 0005: a version that goes live at a time, and what forms changed in a draft, to be taken back

create table planned (
    id bigint primary key,
    bot_id bigint not null references bot (id) on delete cascade,
    version_id bigint not null references version (id),
    channels text not null,
    user_id bigint,
    at bigint not null,
    problem text not null default '',
    created_at bigint not null
);
create index planned_bot on planned (bot_id, at);

-- What stood at a place of the draft before a form wrote there. `digest` is the draft's afterwards: only that draft is
-- taken back to what it was.
create table amendment (
    id bigint primary key,
    bot_id bigint not null references bot (id) on delete cascade,
    digest text not null,
    place bigint not null,
    length bigint not null,
    before text not null,
    created_at bigint not null
);
create index amendment_bot on amendment (bot_id, id);
