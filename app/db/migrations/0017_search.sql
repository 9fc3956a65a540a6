-- 0017: the words of messages, filled in batches shortly after; a message that goes takes its words along at once

-- The first words say where it belongs: channel, conversation, author and month.
-- only sqlite
create virtual table message_word using fts5 (words, tokenize = 'ascii', prefix = '2 3 4');
-- What is deleted leaves the index's pages, and is not only struck out.
-- only sqlite
insert into message_word (message_word, rank) values ('secure-delete', 1);
-- only sqlite
create trigger message_word_gone after delete on message begin
    delete from message_word where rowid = old.id;
end;
-- only postgres
create table message_word (
    rowid bigint primary key references message (id) on delete cascade,
    words tsvector not null
);
-- only postgres
create index message_word_words on message_word using gin (words);

-- Messages whose text or conversation changed.
create table message_changed (
    message_id bigint primary key references message (id) on delete cascade
);
