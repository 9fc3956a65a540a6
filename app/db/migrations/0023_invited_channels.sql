-- 0023: which channels an invited person will see: ids by comma, null for every one

alter table invitation add column channels text;
