-- 0012: what is counted of messages, by the hour they were stored in, so that no page reads messages to count them

create table statistic (
    slice bigint not null,
    hour bigint not null,
    channel_id bigint not null,
    metric text not null,
    label text not null,
    value bigint not null,
    primary key (slice, hour, channel_id, metric, label)
);
create index statistic_hour on statistic (hour, metric);

-- counted_at 0: something of it was erased.
create table statistic_slice (
    slice bigint primary key,
    counted_at bigint not null
);
create index statistic_slice_again on statistic_slice (slice) where counted_at = 0;
