-- 0011: due deliveries are found webhook by webhook, so that one that is far behind holds up nobody else

create index delivery_due_of on delivery (webhook_id, due_at) where state = 'waiting';
drop index delivery_due;
