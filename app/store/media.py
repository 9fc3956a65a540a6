"""Files of messages: wanted, stored under their hash, failed, or expired: kept for as long as was asked."""

from app.db import Query, Statement
from app.models import MediaRow

INSERT = Statement(
    """
    insert into media (id, channel_id, message_id, provider_id, url, mime, filename, sha256, state, created_at)
    values (:id, :channel_id, :message_id, :provider_id, :url, :mime, :filename, :sha256, 'wanted', :now)
    """
)
INSERT_STORED = Statement(
    """
    insert into media
      (id, channel_id, message_id, provider_id, url, mime, filename, sha256, size, state, created_at, stored_at)
    values (:id, :channel_id, :message_id, '', '', :mime, :filename, :sha256, :size, 'stored', :now, :now)
    """
)
_MEDIA = """
    select id, channel_id, message_id, provider_id, url, mime, filename, sha256, size, state, problem, created_at
    from media
"""
MEDIA = Query(f"{_MEDIA} where id = :id", MediaRow)
STORED = Statement(
    """
    update media set state = 'stored', sha256 = :sha256, size = :size, mime = :mime, stored_at = :now, problem = ''
    where id = :id
    """
)
SEEN = Statement(
    """
    update media set width = :width, height = :height, duration = :duration where id = :id and state = 'stored'
    """
)
TROUBLED = Statement("update media set problem = :problem where id = :id and state = 'wanted'")
FAILED = Statement("update media set state = :state, problem = :problem where id = :id")
WANTED = Statement("update media set state = 'wanted', problem = '' where id = :id and state = 'failed'")
KNOWN_FILE = Query("select id from media where sha256 = :sha256 and sha256 <> '' and state = 'stored' limit 1", int)
OLD = Query(
    "select id, sha256 from media where state = 'stored' and stored_at < :before order by stored_at limit 100",
    lambda id, sha256: (int(id), str(sha256)),
)
EXPIRED = Statement("update media set state = 'expired', problem = '' where id = :id")
# Of no channel and no message: a program sent it here.
UPLOADED = Statement(
    """
    insert into media (id, channel_id, provider_id, mime, filename, sha256, size, state, created_at, stored_at)
    values (:id, 0, '', :mime, :filename, :sha256, :size, 'stored', :now, :now)
    """
)
OLD_UPLOADS = Query(
    "select id, sha256 from media where channel_id = 0 and stored_at < :before order by stored_at limit 100",
    lambda id, sha256: (int(id), str(sha256)),
)
DROP = Statement("delete from media where id = :id")
