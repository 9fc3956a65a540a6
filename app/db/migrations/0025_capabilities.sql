-- 0025: what a channel could show is kept once and named by each turn; a turn from before has it in its input

create table capability (
    digest text primary key,
    body text not null
);
alter table turn add column capabilities text;
