-- 0009: contacts found by tag, and by the beginning of a user name

create table contact_tag (
    tag text not null,
    contact_id bigint not null references contact (id) on delete cascade,
    primary key (tag, contact_id)
);
create index contact_tag_contact on contact_tag (contact_id);
-- only sqlite
insert into contact_tag (tag, contact_id)
select distinct e.value, c.id from contact c, json_each(c.tags) e
where c.merged_into is null and length(e.value) <= 200;
-- only postgres
insert into contact_tag (tag, contact_id)
select distinct e.value, c.id from contact c, jsonb_array_elements_text(c.tags::jsonb) as e(value)
where c.merged_into is null and length(e.value) <= 200;

create index contact_username on contact (lower(username)) where username <> '';
