"""Templates of a channel: fetched from the network, kept up to date by what it tells, drafted, submitted, edited and
deleted. The network has the last word: what it lists replaces what is stored here.
"""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from app import events
from app.audit import entry, logged
from app.connectors.account import ChecksTemplates, Draft, KeepsTemplates, Listed, Submitted, TemplateNews
from app.connectors.base import SendFailed
from app.connectors.states import advice_for
from app.content import Template, kind
from app.db import Reader, Tx
from app.errors import Conflict, Invalid, NotFound, ParleyError
from app.i18n import tell
from app.jobs import Handler, Later
from app.models import Job
from app.said import N_, Sentence, joined
from app.store import jobs as job_rows
from app.store import message_templates as store
from app.store.message_templates import Row
from app.template import Parts, filled, labels, read, reading, values
from app.template_fit import Known, mismatch, unusable

if TYPE_CHECKING:
    from app.channels import Live
    from app.runtime import Runtime

DRAFT: Final = "DRAFT"
EDITABLE: Final = frozenset({"APPROVED", "REJECTED", "PAUSED"})
KIND: Final = "template.fetch"
MOST: Final = 6_000
LATER: Final = "network_later"  # code of what is worth another try

_components: msgspec.json.Decoder[tuple[dict[str, Any], ...]] = msgspec.json.Decoder(tuple[dict[str, Any], ...])
_json = msgspec.json.Encoder()


def draft_of(row: Row) -> Draft:
    return Draft(row.name, row.language, row.category, _components.decode(row.components), bool(row.named))


def parts_of(row: Row) -> Parts:
    return read(_components.decode(row.components), named=bool(row.named))


async def get(db: Reader, template_id: int) -> Row:
    """Raises `NotFound`."""
    row = await db.one(store.BY_ID, id=template_id)
    if row is None:
        raise NotFound(N_("There is no such template. It may have been deleted."))
    return row


async def known(db: Reader, channels: list[tuple[int, str]]) -> tuple[tuple[str, tuple[Known, ...]], ...]:
    """The templates by channel, for whoever checks a bot; only of channels whose list was fetched."""
    found = []
    for channel_id, name in channels:
        if await db.one(store.FETCHED_AT, channel_id=channel_id):
            rows = await db.all(store.LIST, channel_id=channel_id, name="", language="", limit=MOST)
            found.append((name, tuple(Known(row.name, row.language, row.status, parts_of(row)) for row in rows)))
    return tuple(found)


async def fitting(db: Reader, channel_id: int, said: Template) -> Template:
    """The message as it reads, if the template is known here; then what the network would refuse is refused. Raises
    `Invalid`."""
    row = await db.one(store.BY_NAME, channel_id=channel_id, name=said.name, language=said.language)
    if row is None:
        return said
    parts, given = parts_of(row), given_in(said)
    why = unusable(row.status) or mismatch(parts, given)
    if why is not None:
        wrong = N_(
            "The template “{name}” ({code}) cannot be sent so. {why}", name=said.name, code=said.language, why=why
        )
        raise Invalid(wrong, code="template", fields={"template": wrong})
    shown = filled(parts, values(parts, given))
    return msgspec.structs.replace(
        said, text=reading(shown), header=shown.header, footer=parts.footer, buttons=labels(parts)
    )


def given_in(said: Template) -> tuple[dict[str, Any], ...]:
    """The components of a message, with the header that its stored file will make."""
    if said.file is None:
        return said.components
    return ({"type": "header", "parameters": [{"type": kind(said.file)}]}, *said.components)


# ---- what people do -------------------------------------------------------------------------------------------------


async def fetch(rt: "Runtime", channel_id: int) -> int:
    """The network's list, page by page; what it does not hold any more goes. Returns how many there are. Raises
    `NotFound`, `Conflict`."""
    live, session = keeper(rt, channel_id)
    began, count = rt.clock.now(), 0
    try:
        async for page in session.templates():
            count += len(page)
            await rt.db.write(take, channel_id, page, began)
    except SendFailed as failure:
        raise refusal(failure) from failure
    await rt.db.write(fetched_all, live.row.id, began)
    return count


async def create(rt: "Runtime", channel_id: int, draft: Draft) -> int:
    """A draft, which the network does not know of yet. Raises `Invalid`, `Conflict` if there is one of that name."""
    live, _ = keeper(rt, channel_id)
    check(live, draft)
    return await rt.db.write(insert, channel_id, draft)


async def change(rt: "Runtime", template_id: int, draft: Draft) -> None:
    """Another text: of a draft here, of any other at the network, which reviews it again. Raises `Invalid`, `Conflict`
    where the network takes no change or cannot be reached."""
    row = await get(rt.db.reader, template_id)
    live, session = keeper(rt, row.channel_id)
    if row.status != DRAFT:
        draft = msgspec.structs.replace(draft, name=row.name, language=row.language)
        if row.status not in EDITABLE:
            raise Conflict(N_("A template can be changed once its review is over, or while it is paused."))
        if row.status == "APPROVED" and draft.category != row.category:
            wrong = N_("The category of an approved template cannot be changed.")
            raise Invalid(wrong, fields={"category": wrong})
    check(live, draft)
    if row.status != DRAFT:
        try:
            await session.edit_template(row.provider_id, draft, category=draft.category != row.category)
        except SendFailed as failure:
            raise refusal(failure) from failure
    line = entry("template.changed", row.name, live.row.name)
    await rt.db.write(logged, line, update, row, draft)


async def submit(rt: "Runtime", template_id: int) -> None:
    """Hand a draft in for review. Raises as `change`."""
    row = await get(rt.db.reader, template_id)
    live, session = keeper(rt, row.channel_id)
    if row.status != DRAFT:
        raise Conflict(N_("This template was submitted already."))
    check(live, draft_of(row))
    try:
        answer = await session.submit_template(draft_of(row))
    except SendFailed as failure:
        raise refusal(failure) from failure
    line = entry("template.submitted", row.name, live.row.name)
    await rt.db.write(logged, line, submitted, row, answer)


async def delete(rt: "Runtime", template_id: int) -> None:
    """At the network and here. Raises `NotFound`, `Conflict`."""
    row = await get(rt.db.reader, template_id)
    live, session = keeper(rt, row.channel_id)
    if row.provider_id:
        try:
            await session.delete_template(row.provider_id, row.name)
        except SendFailed as failure:
            if failure.problem.subcode != GONE:
                raise refusal(failure) from failure
    await rt.db.write(logged, entry("template.deleted", row.name, live.row.name), drop, row)


GONE: Final = "2593002"  # the network has no such template


def keeper(rt: "Runtime", channel_id: int) -> tuple["Live", KeepsTemplates]:
    """Raises `NotFound`, `Conflict` for a network without templates."""
    live = rt.channels.get(channel_id)
    if not isinstance(live.session, KeepsTemplates):
        raise Conflict(N_("This network has no templates."))
    return live, live.session


def check(live: "Live", draft: Draft) -> None:
    """Raises `Invalid` with a sentence for each part."""
    wrong = live.connector.check_template(draft) if isinstance(live.connector, ChecksTemplates) else {}
    if wrong:
        raise Invalid(joined(dict.fromkeys(wrong.values())), fields=wrong)


def refusal(failure: SendFailed) -> ParleyError:
    """The network's refusal in plain words, with its own words where they say more."""
    problem = failure.problem
    advice = advice_for(f"template.{problem.subcode}") or advice_for(problem.code)
    if not failure.certain:
        said: Sentence = N_("The network did not answer. Fetch the templates to see whether it took this one.")
        return Conflict(said, code=LATER)
    said = problem.title or problem.code
    if advice is not None:
        said = joined([N_(words) for words in (advice.sentence, advice.remedy) if words])
    return Conflict(_with_words(said, problem.detail), code=LATER if failure.temporary else "network")


def _with_words(said: Sentence, words: str) -> Sentence:
    return N_("{said} The network says: {words}", said=said, words=words) if words else said


# ---- what the network tells -----------------------------------------------------------------------------------------


def handler(rt: "Runtime") -> Handler:
    """Fetches the list of a channel about which something was told that is not known here."""

    async def run(job: Job) -> None:
        if int(job.subject) not in rt.channels.by_id:
            return
        try:
            await fetch(rt, int(job.subject))
        except ParleyError as error:
            if error.code == LATER:
                raise Later(60, tell(error.said)) from error
            # Nothing can be fetched until a person changes the channel.

    return run


def learn(tx: Tx, channel_id: int, news: TemplateNews, at: int) -> None:
    """What the network tells of one template, which several channels may share. What is older than what is known
    changes nothing; for one that is not known, the list is asked for."""
    rows = tx.all(store.BY_PROVIDER, provider_id=news.provider_id)
    if news.rewritten or (not rows and news.status not in ("DELETED", "PENDING_DELETION")):
        ask_again(tx, channel_id)
    for row in rows:
        if (tx.one(store.TOLD_AT, id=row.id) or 0) <= at:
            _learn(tx, row, news, at)


def _learn(tx: Tx, row: Row, news: TemplateNews, at: int) -> None:
    if news.status == "DELETED":
        tx.run(store.DELETE, id=row.id)
    else:
        reason = news.reason if news.status else row.reason
        coming = news.coming or ("" if news.category else row.coming)
        tx.run(
            store.NEWS, id=row.id, provider_id=news.provider_id, status=news.status or row.status, coming=coming,
            category=news.category or row.category, quality=news.quality or row.quality, reason=reason,
            components=row.components, at=at, now=tx.now,
        )  # fmt: skip
    changed(tx, row.channel_id, row.id)


def ask_again(tx: Tx, channel_id: int) -> None:
    tx.run(
        job_rows.REPLACE, id=tx.new_id(), kind=KIND, subject=str(channel_id), payload="{}", due_at=tx.now, now=tx.now,
        conversation_id=None, lane="net",
    )  # fmt: skip


# ---- units of work --------------------------------------------------------------------------------------------------


def take(tx: Tx, channel_id: int, page: list[Listed], began: int) -> None:
    """A page of the network's list."""
    for one in page:
        draft, values = one.draft, {"status": one.status, "quality": one.quality, "reason": one.reason}
        row = tx.one(store.BY_NAME, channel_id=channel_id, name=draft.name, language=draft.language)
        components = _json.encode(draft.components).decode()
        common = {
            "provider_id": one.provider_id, "category": draft.category, "named": int(draft.named),
            "components": components, "fetched_at": began, "now": tx.now, **values,
        }  # fmt: skip
        if row is None:
            where = {"id": tx.new_id(), "channel_id": channel_id, "name": draft.name, "language": draft.language}
            tx.run(store.INSERT, **where, **common)
        else:
            tx.run(store.FETCHED, id=row.id, **common)


def fetched_all(tx: Tx, channel_id: int, began: int) -> None:
    tx.run(store.GONE, channel_id=channel_id, before=began)
    tx.run(store.FETCHED_ALL, channel_id=channel_id, now=tx.now)
    changed(tx, channel_id)


def insert(tx: Tx, channel_id: int, draft: Draft) -> int:
    if tx.one(store.BY_NAME, channel_id=channel_id, name=draft.name, language=draft.language):
        raise _taken(draft)
    template_id = tx.new_id()
    tx.run(
        store.INSERT, id=template_id, channel_id=channel_id, provider_id="", name=draft.name, language=draft.language,
        category=draft.category, status=DRAFT, quality="", reason="", named=int(draft.named),
        components=_json.encode(draft.components).decode(), fetched_at=0, now=tx.now,
    )  # fmt: skip
    changed(tx, channel_id, template_id)
    return template_id


def _taken(draft: Draft) -> Conflict:
    said = N_("There is a template “{name}” in this language already.", name=draft.name)
    return Conflict(said, fields={"name": said})


def update(tx: Tx, row: Row, draft: Draft) -> None:
    other = tx.one(store.BY_NAME, channel_id=row.channel_id, name=draft.name, language=draft.language)
    if other is not None and other.id != row.id:
        raise _taken(draft)
    tx.run(
        store.CHANGE, id=row.id, name=draft.name, language=draft.language, category=draft.category,
        named=int(draft.named), components=_json.encode(draft.components).decode(),
        status=DRAFT if row.status == DRAFT else "PENDING",
        now=tx.now,
    )  # fmt: skip
    changed(tx, row.channel_id, row.id)


def submitted(tx: Tx, row: Row, answer: Submitted) -> None:
    tx.run(
        store.SUBMITTED, id=row.id, provider_id=answer.provider_id, status=answer.status or "PENDING",
        category=answer.category, now=tx.now,
    )  # fmt: skip
    changed(tx, row.channel_id, row.id)


def drop(tx: Tx, row: Row) -> None:
    tx.run(store.DELETE, id=row.id)
    changed(tx, row.channel_id, row.id)


def changed(tx: Tx, channel_id: int, template_id: int = 0) -> None:
    data = b'{"channel_id":"%d"}' % channel_id
    if template_id:
        data = b'{"channel_id":"%d","id":"%d"}' % (channel_id, template_id)
    tx.publish(events.Event(events.TEMPLATE_UPDATED, (f"templates-{channel_id}",), data))
