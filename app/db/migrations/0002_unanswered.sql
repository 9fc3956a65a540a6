-- 0002: what people asked and the bot missed: a turn names its kind of verdict, and a miss can be set aside

alter table turn add column code text not null default '';
alter table turn add column ignored_at bigint;

-- A quotation mark inside a customer's words is written with a backslash before it, so this is never one of them.
update turn set code = 'missed' where output like '%"code":"missed"%';
update turn set code = 'missed_again' where output like '%"code":"missed_again"%';
update turn set code = 'unanswered' where output like '%"code":"unanswered"%';

create index turn_missed on turn (version_id, at) where code in ('missed', 'missed_again', 'unanswered');
create index turn_ignored on turn (version_id, at) where ignored_at is not null;
