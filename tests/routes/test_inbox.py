"""The inbox as the server draws it: lists, threads, answering, and who may do what."""

import re
from html import unescape
from pathlib import Path

import pytest

from app import connecting, handoff, inbox, noted, saying, search, teams, users, within
from app import content as c
from app.bot.scene import Send
from app.connectors.base import Address, Inbound, Problem
from app.db import Tx
from app.store import inbox as inbox_rows
from app.store import media
from tests.browser.house import EMAIL
from tests.routes.visiting import AHMED, ANA, LONG, NOW, PRIYA, Visit, visiting

pytestmark = pytest.mark.anyio
JOAO = "5511977770003"
HEADS = re.compile(r'id="message-(\d+)"')
ROWS = re.compile(r'id="inbox-row-(\d+)"')


async def hears(visit: Visit, text: str | c.Content, phone: str = ANA) -> None:
    """A customer writes."""
    live = next(live for live in visit.rt.channels.by_id.values() if live.row.name == "Shop")
    name, what = (text[:40], c.Text(text)) if isinstance(text, str) else (c.kind(text), text)
    said = Inbound(live.row.account, f"wamid.{name}", Address(phone=phone, wa_id=phone), NOW, what, b"{}")
    await visit.rt.db.write(inbox.receive, visit.rt.channels.intake, live.here, said)


async def test_without_a_view_those_who_wait_are_shown(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        html = (await visit.get("/inbox")).text
        assert {int(row) for row in ROWS.findall(html)} == {await visit.chat(PRIYA), await visit.chat(AHMED)}
        assert "Waiting 14 min" in html and "Waiting 6 min" in html


@pytest.mark.parametrize("q", ["ana", "ANA BEA", "5511987", "+55 11 98765"])
async def test_search_finds_by_the_beginning_of_name_or_number(tmp_path: Path, q: str) -> None:
    async with visiting(tmp_path) as visit:
        html = (await visit.client.get("/inbox/list", params={"q": q}, headers=visit.headers(True))).text
        assert await visit.chat(ANA) in map(int, ROWS.findall(html))
        assert "Bruno" not in html


async def test_a_list_says_what_the_network_told_last(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        await hears(visit, c.System("person_blocked"), ANA)
        for page in ("/inbox/list?view=all", "/"):
            html = (await visit.get(page, hx=page != "/")).text
            assert "This person blocked the bot, and is opted out." in html and "System message" not in html, page


async def test_a_list_says_that_the_last_message_was_deleted_before_it_came(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        await hears(visit, c.Delete("wamid.a secret"), ANA)
        await hears(visit, "a secret", ANA)
        html = (await visit.get("/inbox/list?view=all", hx=True)).text
        assert "Deleted a message" in html and "a secret" not in html


async def test_search_for_nobody_says_so(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        assert "Nothing found" in (await visit.get("/inbox/list?q=zz%25_")).text


async def test_a_message_is_found_and_opens_where_it_stands(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat = await visit.chat(ANA)
        await hears(visit, "a zebra <b>crossing</b>", ANA)
        for number in range(60):
            await hears(visit, f"and then {number}", ANA)
        await search.keep(visit.rt.db)
        html = (await visit.get("/inbox/list?q=ZEBRA&by=customer", hx=True)).text
        assert "a <mark>zebra</mark> &lt;b&gt;crossing" in html
        [place] = re.findall(r'href="([^"]*message=[^"]*)"', html)
        assert f"/inbox/{chat}?" in place and "by=customer" in place
        thread = (await visit.get(unescape(place))).text
        number = place.rpartition("#message-")[2]
        assert f'id="message-{number}"' in thread and "and then 19<" in thread and "and then 40<" not in thread
        assert "Newest messages" in thread and "Earlier messages" in thread
        assert "Newest messages" not in (await visit.get(f"/inbox/{chat}")).text
        for none in ("by=bot", "since=2001-01-01&until=2001-01-02"):
            assert "<mark>" not in (await visit.get(f"/inbox/list?q=zebra&{none}", hx=True)).text
        more = re.findall(r'href="([^"]*hits=[^"]*)"', (await visit.get("/inbox/list?q=then", hx=True)).text)
        page = (await visit.get(unescape(more[0]).replace("/inbox?", "/inbox/found?"), hx=True)).text
        assert "<mark>then</mark> 39" in page and "<mark>then</mark> 40" not in page
        assert "Type a word" in (await visit.get("/inbox/list?q=%F0%9F%8E%82", hx=True)).text


async def test_the_list_pages_by_key_without_gap_or_repetition(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        whole = ROWS.findall((await visit.get("/inbox?view=all")).text)
        last_at = await visit.one("select last_at from conversation where id = :id", id=int(whole[9]))
        rest = ROWS.findall((await visit.get(f"/inbox/more?view=all&before={last_at}.{whole[9]}", hx=True)).text)
        assert rest == whole[10:]


async def test_the_live_list_reaches_down_to_what_was_loaded(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        whole = ROWS.findall((await visit.get("/inbox?view=all")).text)
        last_at = await visit.one("select last_at from conversation where id = :id", id=int(whole[4]))
        assert ROWS.findall((await visit.get(f"/inbox/list?view=all&to={last_at}.{whole[4]}")).text) == whole[:5]


@pytest.mark.parametrize(
    "shown",
    [
        "Avenida Paulista", "Dona Célia", "Menu for November.pdf", "Not shown here: poll.", "strawberry-cake",
        "Rua das Flores 12", "<b>mum&#39;s 70th</b>", "<i>strawberries</i>", "❤️", "<audio", "edited",
        "This message was deleted.", 'class="quote"', "Not delivered.", "May or may not have arrived.",
        'rel="noopener noreferrer nofollow"', 'aria-label="Delivered"', 'class="picked"', "The bot handed over",
    ],
)  # fmt: skip
async def test_the_thread_shows_every_kind(tmp_path: Path, shown: str) -> None:
    async with visiting(tmp_path) as visit:
        assert shown in await whole_thread(visit, await visit.chat(ANA))


async def whole_thread(visit: Visit, chat: int) -> str:
    first = await visit.one("select min(at) from message where conversation_id = :id", id=chat)
    return (await visit.get(f"/inbox/{chat}/thread?from={first}.0")).text


async def test_older_messages_come_on_demand(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat = await visit.chat(LONG)
        page = (await visit.get(f"/inbox/{chat}?view=all")).text
        seen = HEADS.findall(page)
        assert len(seen) == 40
        while found := re.search(r'hx-get="(/inbox/\d+/older\?before=[\d.]+)"', page):
            page = (await visit.get(found.group(1), hx=True)).text
            earlier = HEADS.findall(page)
            assert earlier and not set(earlier) & set(seen)
            seen = earlier + seen
        assert len(seen) == 300 and seen == sorted(seen, key=int)


async def test_an_unchanged_thread_is_not_sent_again(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        path = f"/inbox/{await visit.chat(ANA)}/thread?from=0.0"
        first = await visit.get(path)
        etag = {"If-None-Match": first.headers["etag"]}
        again = await visit.get(path, **etag)
        assert again.status_code == 304 and not again.content
        await hears(visit, "still there?")
        newer = await visit.get(path, **etag)
        assert newer.status_code == 200 and "still there?" in newer.text


async def test_only_messages_that_are_new_to_the_page_arrive(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat = await visit.chat(ANA)
        newest = await visit.one("select max(id) from message where conversation_id = :id", id=chat)
        await hears(visit, "look")
        html = (await visit.get(f"/inbox/{chat}/thread?from=0.0&seen={newest}")).text
        assert html.count(' arrived"') == 1


async def test_a_reply_takes_the_chat_and_silences_the_bot(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat = await visit.chat(LONG)
        answer = await visit.post(f"/inbox/{chat}/reply", {"text": "Rosa here"}, hx=True)
        assert answer.status_code == 200 and f"conversation-{chat}" in answer.headers["hx-trigger"]
        assert "Rosa here" not in answer.text  # the field is empty again
        assert await visit.one("select mode from conversation where id = :id", id=chat) == "person"
        await hears(visit, "menu", LONG)
        assert await visit.one("select author from message order by at desc, id desc limit 1") == "contact"
        assert "You have this chat." in (await visit.get(f"/inbox/{chat}/head")).text


async def test_a_reply_works_without_javascript(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat = await visit.chat(ANA)
        answer = await visit.post(f"/inbox/{chat}/reply", {"text": "plain"})
        assert answer.status_code == 303 and answer.headers["location"] == f"/inbox/{chat}"


async def test_an_empty_reply_comes_back_with_a_sentence(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        answer = await visit.post(f"/inbox/{await visit.chat(ANA)}/reply", {"text": "  "}, hx=True)
        assert answer.status_code == 422 and 'role="alert"' in answer.text


async def test_a_reply_that_is_too_long_keeps_what_was_written(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        text = "x" * 5000
        answer = await visit.post(f"/inbox/{await visit.chat(ANA)}/reply", {"text": text}, hx=True)
        assert answer.status_code == 422 and text in answer.text


async def test_after_the_networks_window_no_free_reply_is_taken(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat = await visit.chat("5511940000000")  # wrote more than a day ago
        assert "more than 24 hours old" in (await visit.get(f"/inbox/{chat}")).text
        assert (await visit.post(f"/inbox/{chat}/reply", {"text": "hello"}, hx=True)).status_code == 422


async def test_taking_giving_back_and_closing(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat = await visit.chat(PRIYA)
        for action, mode in (("take", "person"), ("give-back", "bot"), ("take", "person"), ("close", "bot")):
            assert (await visit.post(f"/inbox/{chat}/{action}", hx=True)).status_code == 204
            assert await visit.one("select mode from conversation where id = :id", id=chat) == mode
        assert await visit.one("select closed_at from conversation where id = :id", id=chat) == NOW


async def test_a_held_message_is_sent_again_or_given_up_by_a_person_only(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        held = await visit.one("select message_id from outbox where state = 'held'")
        assert (await visit.post(f"/inbox/messages/{held}/resend", hx=True)).status_code == 204
        assert await visit.one("select state from outbox where message_id = :id", id=held) == "queued"
        assert (await visit.post(f"/inbox/messages/{held}/discard", hx=True)).status_code == 409


async def test_a_file_that_could_not_be_fetched_is_said_so_and_tried_again(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        await visit.rt.jobs.close(5)
        await hears(visit, c.Image(provider_id="7", mime="image/jpeg"))
        chat, file = await visit.chat(ANA), await visit.one("select max(id) from media")
        failed = {"id": file, "state": "failed", "problem": "It failed too often."}
        await visit.rt.db.write(lambda tx: tx.run(media.FAILED, **failed))
        page = (await visit.get(f"/inbox/{chat}")).text
        assert "Could not be fetched. It failed too often." in page and f"/inbox/files/{file}/again" in page
        assert (await visit.post(f"/inbox/files/{file}/again", hx=True)).status_code == 204
        assert await visit.one("select state from media where id = :id", id=file) == "wanted"
        assert (await visit.post("/inbox/files/1/again", hx=True)).status_code == 404
        await visit.become("viewer")
        assert "/again" not in (await visit.get(f"/inbox/{chat}")).text
        assert (await visit.post(f"/inbox/files/{file}/again", hx=True)).status_code == 403


async def test_a_viewer_reads_and_cannot_act(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        await visit.become("viewer")
        chat = await visit.chat(AHMED)
        page = await visit.get(f"/inbox/{chat}")
        assert page.status_code == 200 and "<textarea" not in page.text and "/take" not in page.text
        assert await visit.one("select unread from conversation where id = :id", id=chat) > 0
        held = await visit.one("select message_id from outbox where state = 'held'")
        acts = [f"/inbox/{chat}/{act}" for act in ("reply", "take", "give-back", "close")]
        for path in (*acts, f"/inbox/messages/{held}/resend", f"/inbox/messages/{held}/discard"):
            assert (await visit.post(path, {"text": "hi"}, hx=True)).status_code == 403, path


async def test_opening_a_chat_means_it_was_seen(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat = await visit.chat(AHMED)
        await visit.get(f"/inbox/{chat}")
        assert await visit.one("select unread from conversation where id = :id", id=chat) == 0


async def test_what_a_customer_writes_is_text_everywhere(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        await hears(visit, '<img src=x onerror="alert(1)"><b hx-get=/x>')
        chat = await visit.chat(ANA)
        for path in (f"/inbox/{chat}", "/inbox?view=all", "/"):
            html = (await visit.get(path)).text
            assert "<img src=x" not in html and "<b hx-get" not in html and "&lt;img src=x" in html, path


async def test_why_names_rule_and_version_of_the_message_asked_for(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat = await visit.chat(ANA)
        sql = "select id from message where conversation_id = :id and rule = 'big-order'"
        html = (await visit.get(f"/inbox/{chat}/why?why={await visit.one(sql, id=chat)}")).text
        assert "Luna Bakery, version 1, live" in html and "<mark>big order</mark>" in html and "orders" in html


async def test_why_never_crosses_into_another_chat(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        sql = "select id from message where conversation_id = :id and rule = 'big-order'"
        foreign = await visit.one(sql, id=await visit.chat(ANA))
        html = (await visit.get(f"/inbox/{await visit.chat(LONG)}/why?why={foreign}")).text
        assert "big order" not in html and "not decided anything" in html


@pytest.mark.parametrize("path", ["", "/thread", "/older", "/head", "/composer", "/why"])
async def test_a_chat_that_is_not_there_is_404(tmp_path: Path, path: str) -> None:
    async with visiting(tmp_path) as visit:
        assert (await visit.get(f"/inbox/1{path}")).status_code == 404


@pytest.mark.parametrize("key", ["1.2.3", "-1.2", "x", "9" * 40 + ".1", "1.%00"])
async def test_a_foreign_key_in_an_address_is_ignored(tmp_path: Path, key: str) -> None:
    async with visiting(tmp_path) as visit:
        chat = await visit.chat(ANA)
        for path in (f"/inbox/more?view=all&before={key}", f"/inbox/{chat}/thread?from={key}&seen={key}"):
            assert (await visit.get(path)).status_code == 200


async def test_a_removed_channel_leaves_its_chats_readable(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        shop = next(live.row.id for live in visit.rt.channels.by_id.values() if live.row.name == "Shop")
        await connecting.remove(visit.rt.channels, shop)
        html = (await visit.get(f"/inbox/{await visit.chat(ANA)}")).text
        assert "The channel of this conversation was removed" in html and "<textarea" not in html


async def test_an_empty_installation_says_what_to_do(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        html = (await visit.get("/inbox")).text
        assert "No conversations yet" in html and "simulator" in html


async def test_who_took_a_chat_keeps_its_time_while_writing(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat = await visit.chat(ANA)
        sql = "select taken_at from conversation where id = :id"
        before = await visit.one(sql, id=chat)
        await visit.rt.db.write(handoff.say, chat, c.Text("one more"), await visit.one("select min(id) from app_user"))
        assert await visit.one(sql, id=chat) == before


async def test_notes_remarks_and_whose_it_is_are_shown(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat = await visit.chat(ANA)
        channel_id = await visit.one("select channel_id from conversation where id = :id", id=chat)
        contact_id = await visit.one("select contact_id from conversation where id = :id", id=chat)
        waits = await visit.chat(PRIYA)
        await teams.add(visit.rt, "Cakes")

        def write(tx: Tx) -> None:
            saying.remark(tx, chat, channel_id, c.Note("Allergic to <nuts>."))
            saying.remark(tx, chat, channel_id, c.System("bot.nobody", data={"name": "Pia & Co"}))
            missed = Problem("bot.missed", "Too late.")
            saying.withhold(tx, chat, channel_id, 1, 0, Send(c.Text("Cake tomorrow!")), missed)
            teams.assign_team(tx, chat, "cakes")
            teams.assign_team(tx, waits, "cakes")
            noted.consent(tx, contact_id, given=False)

        await visit.rt.db.write(write)
        html = (await visit.get(f"/inbox/{chat}?view=all")).text
        for shown in (
            "<b>Note.</b> Allergic to &lt;nuts&gt;.", "only your team sees this", "“Pia &amp; Co”",
            "an hour later it was too late", "for \u2068Cakes\u2069", "<bdi>Cakes</bdi>", "the bot only answers",
        ):  # fmt: skip
            assert shown in html, shown
        rows = {chat: html.split(f'id="inbox-row-{chat}"')[1].split("</li>")[0] for chat in (chat, waits)}
        assert "Cakes" in rows[waits] and "Cakes" not in rows[chat]  # a person has that one
        assert "Allergic" not in rows[chat]


async def test_mine_is_what_i_took_what_is_assigned_to_me_and_what_my_teams_have(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        taken, mine, ours, theirs, done = [await visit.chat(phone) for phone in (ANA, PRIYA, AHMED, LONG, JOAO)]
        owner = await users.find(visit.rt, EMAIL)
        cakes = await teams.add(visit.rt, "Cakes")
        await teams.add(visit.rt, "Bread")
        await teams.join(visit.rt, cakes, owner.id)
        colleague, _password = await users.add(visit.rt, email="kim@luna.example", name="Kim", role="agent")

        def assign(tx: Tx) -> None:
            teams.assign(tx, mine, EMAIL)
            teams.assign_team(tx, ours, "cakes")
            teams.assign_team(tx, theirs, "bread")
            teams.assign_team(tx, done, "cakes")

        await visit.rt.db.write(assign)
        await handoff.close(visit.rt, done)
        html = (await visit.get("/inbox/list?view=mine")).text
        assert set(map(int, ROWS.findall(html))) == {taken, mine, ours}
        assert re.search(r'aria-current="page">Mine <span class="count">3<', html)
        page = await visit.rt.db.read(inbox_rows.list_rows, "mine", owner.id, limit=2)
        rest = await visit.rt.db.read(inbox_rows.list_rows, "mine", owner.id, before=page[-1].key, limit=2)
        assert [row.id for row in page + rest] == [int(row) for row in ROWS.findall(html)]
        assert page[0].key > page[1].key > rest[0].key
        await visit.rt.db.write(lambda tx: teams.assign(tx, ours, "kim@luna.example"))
        assert f'id="inbox-row-{ours}"' not in (await visit.get("/inbox/list?view=mine")).text, "a colleague has it"
        assert [row.id for row in await visit.rt.db.read(inbox_rows.list_rows, "mine", colleague)] == [ours]


async def test_a_person_assigns_a_chat_to_somebody_a_team_or_nobody(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        chat = await visit.chat(ANA)
        me = await visit.one("select id from app_user order by created_at limit 1")
        team = await teams.add(visit.rt, "Orders desk")
        assert "Orders desk" in (await visit.get(f"/inbox/{chat}")).text
        for to, user_id, team_id, told in (
            (f"user-{me}", me, None, "assigned this to “"),
            (f"team-{team}", None, team, "assigned this to “Orders desk”"),
            ("", None, None, "assigned this to nobody"),
        ):
            answer = await visit.post(f"/inbox/{chat}/assign", {"to": to})
            assert answer.status_code == 303
            assert await visit.one("select assigned_to from conversation where id = :id", id=chat) == user_id
            assert await visit.one("select team_id from conversation where id = :id", id=chat) == team_id
            assert told in (await visit.get(f"/inbox/{chat}")).text
        assert (await visit.post(f"/inbox/{chat}/assign", {"to": "user-5"})).status_code == 404
        limited, _ = await users.add(visit.rt, email="far@luna.example", name="Far", role="agent")
        await within.limit_user(visit.rt, limited, frozenset())
        assert (await visit.post(f"/inbox/{chat}/assign", {"to": f"user-{limited}"})).status_code == 409
