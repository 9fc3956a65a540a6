-- 0022: what was told to programs of a message goes with the message

alter table delivery add column conversation_id bigint;
alter table delivery add column message_id bigint;
create index delivery_of on delivery (conversation_id, message_id) where conversation_id is not null;
