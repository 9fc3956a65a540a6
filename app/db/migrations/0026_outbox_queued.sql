-- 0026: an index of what waits only: most messages are sent at once, and each entered and left the one of all

drop index outbox_channel;
create index outbox_queued on outbox (channel_id, due_at) where state = 'queued';
