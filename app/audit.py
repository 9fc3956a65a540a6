"""The audit log (S35): who changed what, when, from where, in the commit of the change itself.

Each line holds the SHA-256 of the one before it and of itself, so that a line that was changed, left out or put in
later shows. Lines are kept a year.
"""

import hashlib
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, TypeVar

import msgspec

from app.db import Reader, Tx
from app.said import mark
from app.store import audits as store

T = TypeVar("T")

KEPT: Final = 365 * 86_400_000
BATCH: Final = 1000

ACTIONS: Final[dict[str, str]] = {
    "login": mark("Logged in"),
    "login.failed": mark("Failed to log in"),
    "login.reused": mark("Used a refresh token a second time, which ended its log-in"),
    "logout": mark("Logged out"),
    "session.ended": mark("Ended a session"),
    "password.changed": mark("Changed a password"),
    "two_step.on": mark("Switched two-step log-in on"),
    "two_step.off": mark("Switched two-step log-in off"),
    "two_step.reset": mark("Switched two-step log-in off for somebody"),
    "two_step.codes": mark("Made new recovery codes"),
    "invitation.created": mark("Invited a person"),
    "invitation.revoked": mark("Took an invitation back"),
    "team.added": mark("Added a team"),
    "team.removed": mark("Removed a team"),
    "channels.limited": mark("Changed which channels somebody sees"),
    "team.joined": mark("Put somebody into a team"),
    "team.left": mark("Took somebody out of a team"),
    "user.added": mark("Added a person"),
    "user.role": mark("Changed a role"),
    "user.disabled": mark("Disabled a person"),
    "user.enabled": mark("Enabled a person"),
    "channel.added": mark("Added a channel"),
    "channel.changed": mark("Changed a channel"),
    "channel.unlinked": mark("Ended the link to a phone"),
    "channel.removed": mark("Removed a channel"),
    "template.submitted": mark("Submitted a template for review"),
    "template.changed": mark("Changed a template"),
    "template.deleted": mark("Deleted a template"),
    "bot.published": mark("Published a bot"),
    "bot.planned": mark("Planned a version"),
    "bot.pointed": mark("Chose a version for a channel"),
    "token.created": mark("Made an API key"),
    "token.deleted": mark("Deleted an API key"),
    "webhook.created": mark("Added a webhook"),
    "webhook.changed": mark("Changed a webhook"),
    "webhook.deleted": mark("Deleted a webhook"),
    "webhook.rotated": mark("Gave a webhook a new secret"),
    "keys.rotated": mark("Gave the installation a new encryption key"),
    "secret.set": mark("Set a secret"),
    "secret.removed": mark("Removed a secret"),
    "contact.merged": mark("Merged two contacts"),
    "contact.unmerged": mark("Undid a merge of contacts"),
    "contact.imported": mark("Brought in contacts"),
    "contacts.exported": mark("Exported contacts"),
    "conversations.exported": mark("Exported conversations"),
    "messages.exported": mark("Exported messages"),
    "contact.erased": mark("Erased a contact"),
    "error.marked": mark("Marked an error"),
    "settings.changed": mark("Changed the settings"),
}


class Actor(msgspec.Struct, frozen=True):
    """Who acts: a person, a program with its key, or somebody at the machine itself."""

    name: str
    user_id: int | None = None
    ip: str = ""


MACHINE: Final = Actor("command line")
# Whoever the work of this task is for. Set where a request or a command is recognised.
acting: ContextVar[Actor] = ContextVar("acting", default=MACHINE)


class Changes:
    """`count` is another number once a line was committed: somebody may have other rights than before."""

    count = 0

    def another(self) -> None:
        self.count += 1


changes: Final = Changes()


class Entry(msgspec.Struct, frozen=True):
    """A line to be written. `subject` names what was changed, `detail` says more; neither ever holds a secret."""

    actor: Actor
    action: str
    subject: str
    detail: str = ""


def entry(action: str, subject: object = "", detail: str = "", actor: Actor | None = None) -> Entry:
    """What whoever acts now is about to do."""
    assert action in ACTIONS
    return Entry(actor or acting.get(), action, str(subject)[:200], detail[:500])


def logged(tx: Tx, line: Entry, unit: Callable[..., T], *args: Any) -> T:
    """Run a unit and write its line in the same commit; a unit that raises leaves none."""
    done = unit(tx, *args)
    write(tx, line)
    return done


def write(tx: Tx, line: Entry) -> None:
    """One more line, at the end of the chain."""
    tx.after_commit(changes.another)
    tx.run(store.BEGIN)
    tx.lock("audit_head", 1)
    last, before = tx.one(store.HEAD) or (0, "")
    row = store.Line(
        last + 1, tx.now, line.actor.name, line.actor.user_id, line.actor.ip, line.action, line.subject, line.detail,
        before, "",
    )  # fmt: skip
    hashed = hash_of(row)
    values = msgspec.structs.asdict(row) | {"hash": hashed}
    tx.run(store.INSERT, **values)
    tx.run(store.SET_HEAD, seq=row.seq, hash=hashed)


def hash_of(row: store.Line) -> str:
    """SHA-256 over every column, the hash before it included."""
    plain = [value for name, value in msgspec.structs.asdict(row).items() if name != "hash"]
    return hashlib.sha256(msgspec.json.encode(plain)).hexdigest()


class Verdict(msgspec.Struct, frozen=True):
    """What a look at the whole log found. `wrong` is the first line that does not fit, None if all do."""

    lines: int
    wrong: int | None


async def verify(db: Reader) -> Verdict:
    """Follow the chain from the oldest line kept to the newest."""
    seq, before, count = 0, "", 0
    while rows := await db.all(store.AFTER, after=seq, limit=BATCH):
        for row in rows:
            follows = count == 0 or (row.before == before and row.seq == seq + 1)
            if not follows or hash_of(row) != row.hash:
                return Verdict(count, row.seq)
            seq, before, count = row.seq, row.hash, count + 1
    head = await db.one(store.HEAD)
    if head is not None and head != (seq, before) and (count or head[0]):
        return Verdict(count, seq + 1)  # the end was cut off
    return Verdict(count, None)


def sweep(tx: Tx) -> int:
    """Lines older than a year go; how many went."""
    old = tx.all(store.OLD, before=tx.now - KEPT)
    tx.many(store.DROP, [{"seq": seq} for seq in old])
    return len(old)
