-- 0019: files: how large a picture is and how long a recording, and the oldest found to be cleared away

alter table media add column width bigint not null default 0;
alter table media add column height bigint not null default 0;
alter table media add column duration bigint not null default 0;
create index media_stored on media (stored_at) where state = 'stored';
