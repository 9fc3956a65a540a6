-- 0014: when a program was first told to begin with what a bot asks it, so that a restart knows what may be done already

alter table job add column begun_at bigint;
