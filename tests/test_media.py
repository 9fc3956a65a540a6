"""Files are fetched at once, survive every failure on the way, and are only called stored when they are (P9)."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator

import pytest

from app import erase, retention
from app.connectors.abilities import MediaFile
from app.connectors.base import Problem, SendFailed
from app.content import Image
from app.errors import Conflict, NotFound
from app.jobs import ATTEMPTS, ENDED, GAVE_UP, KILLS, Later, recover
from app.media import (
    BROKEN_OFF,
    KIND,
    LATEST,
    LOOK,
    NOT_IT,
    PATIENCE,
    UNANSWERED,
    Fetcher,
    given_up,
    may_fetch,
    stored,
    want_again,
)
from app.models import Job
from app.runtime import Runtime
from app.storage import Store
from app.store import media as store
from app.store import settings
from tests.acting import still
from tests.shop import change, network, open_shop, rows, said, take_in
from tests.test_looking import picture

BODY = b"\xff\xd8\xff\xe0 a picture of a cake" * 1000
SHA = hashlib.sha256(BODY).hexdigest()
GRAPH = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", True),
        ("https://media.whatsapp.net/a", True),
        ("http://127.0.0.1:9/file", True),
        ("http://127.0.0.1:10/file", False),
        ("http://lookaside.fbsbx.com/a", False),
        ("https://lookaside.fbsbx.com:8443/a", False),
        ("https://evilfbsbx.com/a", False),
        ("https://lookaside.fbsbx.com.evil.example/a", False),
        ("https://user@lookaside.fbsbx.com/a", False),
        ("file:///etc/passwd", False),
        ("https://169.254.169.254/latest", False),
        ("", False),
        ("http://[::1", False),
    ],
)
def test_S26_a_file_is_fetched_from_the_network_s_own_hosts_only(url: str, allowed: bool) -> None:
    assert may_fetch((GRAPH,), (), url) is allowed


def test_S26_what_the_owner_allowed_is_allowed() -> None:
    assert may_fetch((GRAPH,), ("192.168.1.20:8123",), "http://192.168.1.20:8123/x")
    assert not may_fetch((GRAPH,), ("192.168.1.20:8123",), "http://192.168.1.20:8124/x")


@pytest.fixture
def rt(rt: Runtime) -> Runtime:
    """Jobs are done here by hand, and by nobody else before."""
    still(rt)
    return rt


@pytest.fixture
async def served() -> AsyncIterator[str]:
    """A host with files: whole, cut short, another one, none."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        body = {b"/cake": BODY, b"/short": BODY, b"/other": BODY[::-1]}.get(path, b"")
        head = b"HTTP/1.1 %d x\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (200 if body else 404, len(body))
        writer.write(head + (body[:100] if path == b"/short" else body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


class Files:
    """The edge of the network: tells where a file is, or why not."""

    def __init__(self, url: str) -> None:
        self.answer: MediaFile | SendFailed = MediaFile(url, "image/jpeg", SHA, len(BODY))

    async def locate_media(self, provider_id: str) -> MediaFile:
        if isinstance(self.answer, SendFailed):
            raise self.answer
        return self.answer


async def fetch(rt: Runtime, files: Files) -> Job:
    """Run the job that the message left behind, as the worker would."""
    live = next(iter(rt.channels.by_id.values()))
    network(live).locate_media = files.locate_media
    [row] = await rows(rt, "select id, kind, subject, payload, attempts from job where kind = 'media.fetch'")
    job = Job(*row)
    await Fetcher(rt.db, rt.media, rt.channels, lambda url: True, rt.clock).fetch(job)
    return job


async def test_P9_a_file_is_stored_under_its_hash(rt: Runtime, served: str) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, Image(provider_id="7", mime="image/jpeg", sha256=SHA)))
    await fetch(rt, Files(f"{served}/cake"))
    assert await rows(rt, "select state, sha256, size from media") == [("stored", SHA, len(BODY))]
    assert rt.media.path(SHA).read_bytes() == BODY
    assert not list((rt.media.folder / "part").iterdir())


async def test_P9_a_file_cut_short_or_changed_is_not_stored_and_tried_again(rt: Runtime, served: str) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, Image(provider_id="7", sha256=SHA)))
    said_so = {"short": UNANSWERED, "other": NOT_IT, "missing": BROKEN_OFF}
    for broken, problem in said_so.items():
        with pytest.raises(Later) as later:
            await fetch(rt, Files(f"{served}/{broken}"))
        assert not later.value.counts, "for a day, failures for now are none"
        assert await rows(rt, "select state, problem from media") == [("wanted", problem)], "people see why"
        assert not rt.media.path(SHA).exists()
    rt.clock.advance(PATIENCE / 1000 + 1)
    with pytest.raises(Later) as later:
        await fetch(rt, Files(f"{served}/short"))
    assert later.value.counts and later.value.seconds == LATEST
    again = said(rt, Image(provider_id="7", sha256=SHA))
    await take_in(rt, live, again)
    await take_in(rt, live, again)
    assert await rows(rt, "select count(*) from job where kind = 'media.fetch'") == [(2,)], "one a message"
    await change(
        rt, "delete from job where kind = 'media.fetch' and subject = (select cast(max(id) as text) from media)"
    )
    await fetch(rt, Files(f"{served}/cake"))
    assert await rows(rt, "select state, problem from media order by id") == [("stored", ""), ("wanted", "")]


async def test_P9_a_network_that_is_not_reached_is_told_in_words(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, Image(provider_id="7")))
    files = Files("")
    files.answer = SendFailed(Problem("graph.unreachable"), certain=True, temporary=True)
    with pytest.raises(Later):
        await fetch(rt, files)
    assert await rows(rt, "select problem from media") == [("Meta's Graph API could not be reached.",)]


async def test_P9_what_the_network_surely_does_not_have_is_shown_as_failed(rt: Runtime, served: str) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, Image(provider_id="7")))
    files = Files("")
    files.answer = SendFailed(Problem("100", "This file is gone"), certain=True, temporary=False)
    await fetch(rt, files)
    assert await rows(rt, "select state, problem from media") == [("failed", "This file is gone")]


async def test_P9_a_channel_that_is_being_changed_does_not_lose_its_files(rt: Runtime, served: str) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, Image(provider_id="7")))
    [row] = await rows(rt, "select id, kind, subject, payload, attempts from job where kind = 'media.fetch'")
    del rt.channels.by_id[live.row.id]  # what a change does while it closes the old session
    with pytest.raises(Later):
        await Fetcher(rt.db, rt.media, rt.channels, lambda url: True, rt.clock).fetch(Job(*row))
    rt.channels.by_id[live.row.id] = live
    assert await rows(rt, "select state from media") == [("wanted",)]


async def test_P9_a_file_given_up_is_shown_as_failed(rt: Runtime, served: str) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, Image(provider_id="7", sha256=SHA)))
    await change(rt, "update job set state = 'running', attempts = :last", last=ATTEMPTS)
    with pytest.raises(Later, match=UNANSWERED):
        await fetch(rt, Files(f"{served}/short"))
    assert not list((rt.media.folder / "part").iterdir())
    [row] = await rows(rt, "select id, kind, subject, payload, attempts from job")
    await rt.jobs._again(Job(*row), 1, "cut short")
    assert await rows(rt, "select state, problem from media") == [("failed", GAVE_UP)]
    assert await rows(rt, "select state from job") == [("dead",)]


async def test_P13_a_file_whose_job_ended_the_process_three_times_is_failed_and_can_be_asked_for_again(
    rt: Runtime, served: str
) -> None:
    """Not "wanted" for ever: it is said in the conversation, and a person can try it again, with all attempts."""
    rt.jobs._open = False
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, Image(provider_id="7", sha256=SHA)))
    await change(rt, "update job set state = 'running', attempts = :last", last=KILLS - 1)
    await rt.db.write(recover, "net", {KIND: given_up})
    assert await rows(rt, "select state from media") == [("wanted",)]
    await change(rt, "update job set state = 'running', attempts = :last", last=KILLS)
    await rt.db.write(recover, "net", {KIND: given_up})
    assert await rows(rt, "select state, problem from media") == [("failed", ENDED)]
    [(media_id,)] = await rows(rt, "select id from media")
    [(conversation_id,)] = await rows(rt, "select id from conversation")
    assert await rt.db.write(want_again, media_id) == conversation_id
    assert await rows(rt, "select state, problem from media") == [("wanted", "")]
    assert await rows(rt, "select state, attempts from job") == [("queued", 0)]
    with pytest.raises(Conflict):
        await rt.db.write(want_again, media_id)
    await fetch(rt, Files(f"{served}/cake"))
    assert await rows(rt, "select state, sha256 from media") == [("stored", SHA)]


async def test_a_refused_file_can_be_asked_for_again_though_its_job_is_gone(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, Image(provider_id="7")))
    await change(rt, "delete from job")
    await change(rt, "update media set state = 'failed', problem = 'This file is gone'")
    [(media_id,)] = await rows(rt, "select id from media")
    await rt.db.write(want_again, media_id)
    assert await rows(rt, "select kind, subject, state from job") == [(KIND, str(media_id), "queued")]
    with pytest.raises(NotFound):
        await rt.db.write(want_again, media_id + 1)


async def test_a_file_that_arrives_after_its_contact_was_erased_is_not_kept(rt: Runtime, served: str) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, Image(provider_id="7", sha256=SHA)))
    [(contact_id,)] = await rows(rt, "select id from contact")
    files = Files(f"{served}/cake")
    locate = files.locate_media

    async def meanwhile(provider_id: str) -> MediaFile:
        await erase.contact(rt, contact_id)
        return await locate(provider_id)

    files.locate_media = meanwhile
    await fetch(rt, files)
    assert not rt.media.path(SHA).exists()
    assert await rows(rt, "select count(*) from media") == [(0,)]


def test_P9_parts_of_a_killed_download_are_swept(tmp_path: object) -> None:
    store = Store(tmp_path / "media")
    (store.folder / "part" / "5").write_bytes(b"half")
    store.sweep()
    assert not list((store.folder / "part").iterdir())


async def test_a_stored_picture_is_looked_at_by_a_job_of_its_own(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, Image(provider_id="7")))
    [(media_id,)] = await rows(rt, "select id from media")
    sha256 = await rt.media.add(picture("PNG", (900, 600)))
    row = await rt.db.reader.one(store.MEDIA, id=media_id)
    assert row is not None
    await rt.db.write(stored, row, sha256, 10, "image/png")
    [job] = await rows(rt, "select id, kind, subject, payload, attempts from job where kind = :kind", kind=LOOK)
    await Fetcher(rt.db, rt.media, rt.channels, lambda url: True, rt.clock).look(Job(*job))
    assert await rows(rt, "select width, height from media") == [(900, 600)]
    assert rt.media.small(sha256).is_file()


async def two_pictures(rt: Runtime) -> list[tuple[int, int]]:
    """(contact, file) of two people who sent the same picture, which is stored."""
    live = await open_shop(rt)
    for who in ("15550001001", "15550001002"):
        await take_in(rt, live, said(rt, Image(provider_id="7"), who))
    await rt.media.add(BODY)
    made = await rows(rt, "select v.contact_id, d.id from media d join message m on m.id = d.message_id "
                      "join conversation v on v.id = m.conversation_id order by d.id")  # fmt: skip
    for _, media_id in made:
        row = await rt.db.reader.one(store.MEDIA, id=media_id)
        assert row is not None
        await rt.db.write(stored, row, SHA, len(BODY), "image/jpeg")
    return [(contact, media) for contact, media in made]


async def test_erasing_somebody_leaves_the_same_file_of_somebody_else(rt: Runtime) -> None:
    (first, _), (second, _) = await two_pictures(rt)
    await erase.contact(rt, first)
    assert rt.media.path(SHA).is_file()
    await erase.contact(rt, second)
    assert not rt.media.path(SHA).exists()


async def test_a_file_that_could_not_be_dropped_at_once_is_dropped_by_its_job(rt: Runtime) -> None:
    """As after a kill between the commit and the file, or with a storage that is away."""
    (first, _), (second, _) = await two_pictures(rt)
    rt.jobs._open = False
    await rt.db.bulk(erase.remains, first)
    await rt.db.bulk(erase.remains, second)
    assert rt.media.path(SHA).is_file()
    [job] = await rows(rt, "select id, kind, subject, payload, attempts from job where kind = 'media.drop'")
    await retention.handler(rt.db, rt.media)(Job(*job))
    assert not rt.media.path(SHA).exists()


async def test_files_go_when_they_were_kept_for_as_long_as_was_asked(rt: Runtime) -> None:
    _, (_, newer) = await two_pictures(rt)
    await change(rt, "update media set stored_at = stored_at + 86400000 where id = :id", id=newer)
    rt.clock.advance(30 * 86_400 + 1)
    assert await rt.db.write(retention.expire) == 0, "nothing was asked"
    await rt.db.write(settings.save_all, {"media_days": "30"})
    await rt.db.write(retention.expire)  # or upkeep did it just before
    assert await rows(rt, "select state from media order by id") == [("expired",), ("stored",)]
    assert not await retention.forget(rt.db, rt.media, SHA), "the other message has it"
    rt.clock.advance(86_400)
    await rt.db.write(retention.expire)
    assert await rows(rt, "select state from media order by id") == [("expired",), ("expired",)]
    assert await retention.forget(rt.db, rt.media, SHA) and not rt.media.path(SHA).exists()
    assert await rows(rt, "select count(*) from message where direction = 'in'") == [(2,)], "the messages stay"


async def test_P9_a_file_whose_row_was_never_written_goes_after_an_hour(rt: Runtime) -> None:
    await two_pictures(rt)
    orphan = await rt.media.add(b"nobody's")
    assert set(rt.media.kept(0, time.time() + 1)) == {SHA, orphan}
    assert rt.media.kept(0, time.time() - retention.HOUR) == []
    gone = [sha256 for sha256 in rt.media.kept(0, time.time() + 1) if await retention.forget(rt.db, rt.media, sha256)]
    assert gone == [orphan] and rt.media.path(SHA).is_file()
