"""The limits, read from where they are kept, with who ran into them: a page for admins."""

from typing import TYPE_CHECKING, Final

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from app import troubles
from app.i18n import _, fmt
from app.routes import guard, hooks, site, stream
from app.routes.api import events, reading
from app.routes.respond import page
from app.security import limits, passwords, throttle
from app.store import limit_hits

if TYPE_CHECKING:
    from app.runtime import Runtime

ROWS: Final = 100


class Limit(msgspec.Struct, frozen=True):
    """A limit in words, and by which name its hits are counted."""

    name: str
    value: str
    code: str = ""


async def show(request: Request) -> Response:
    rt: Runtime = request.state.rt
    await rt.troubles.write(rt.db)
    hour = rt.clock.now() // troubles.HOUR
    hits = await rt.db.reader.all(limit_hits.RECENT, hour=hour - 1, day=hour - 24, limit=ROWS)
    table = known()
    known_as = {limit.code: limit.name for limit in table if limit.code}
    return await page(
        request, "settings/rates.html", limits=table, hits=hits, known_as=known_as, others=troubles.OTHERS
    )


def known() -> tuple[Limit, ...]:
    """Every limit on requests, read from where it is kept."""

    def rate(found: limits.Rate) -> str:
        said = _("{n} a minute, {burst} at once")
        return said.format(n=fmt.number(round(found.each * 60)), burst=fmt.number(found.burst))

    def tried(found: limits.Rate) -> str:
        return _("{n} a minute").format(n=fmt.number(round(found.each * 60)))

    return (
        Limit(_("Requests of visitors who are not logged in, by address"), rate(limits.ANONYMOUS), "anonymous"),
        Limit(_("Requests of a person"), rate(limits.SESSION), "session"),
        Limit(
            _("Requests with an API key"),
            _("{n} a second, {burst} at once, where the key says nothing else").format(
                n=fmt.number(limits.API_KEY.each), burst=fmt.number(limits.API_KEY.burst)
            ),
            "key",
        ),
        Limit(_("Log-ins, by address"), tried(limits.AUTHENTICATION), "login"),
        Limit(
            _("Wrong passwords"),
            _("{free} of a person from one network, then pauses of up to {pause}; {n} of a network in {time}").format(
                free=fmt.number(throttle.FREE), pause=fmt.duration(throttle.LONGEST),
                n=fmt.number(throttle.NETWORK_FAILURES), time=fmt.duration(throttle.NETWORK_WINDOW),
            ),
        ),
        Limit(
            _("Wrong codes of the second step, of one person"),
            _("{n} in {time}").format(
                n=fmt.number(throttle.CODE_FAILURES), time=fmt.duration(throttle.CODE_WINDOW)
            ),
        ),
        Limit(
            _("Passwords looked at"),
            _("{n} at once, {waiting} wait").format(
                n=fmt.number(passwords.AT_ONCE), waiting=fmt.number(passwords.QUEUE)
            ),
        ),
        Limit(
            _("Answers that it was too much"),
            _("{n} a second altogether").format(n=fmt.number(round(1 / limits.REFUSED_EVERY))),
        ),
        Limit(
            _("Notifications with a wrong signature, by address"),
            _("{n} a minute").format(n=fmt.number(hooks.BAD_PER_MINUTE)), "signature",
        ),
        Limit(
            _("Live pages open at once"),
            _("{n} of a session, {all} altogether").format(
                n=fmt.number(stream.EACH_SESSION), all=fmt.number(stream.ALTOGETHER)
            ),
        ),
        Limit(
            _("Programs that listen to events at once"),
            _("{n} of one key, {all} altogether").format(
                n=fmt.number(events.EACH), all=fmt.number(events.ALTOGETHER)
            ),
        ),
        Limit(
            _("Size of a request"),
            _("{page}; files {file}; notifications {hook}").format(
                page=fmt.size(site.BODY), file=fmt.size(site.UPLOAD), hook=fmt.size(hooks.LARGEST)
            ),
            "size",
        ),
        Limit(
            _("Whole lists as files, of one person or key"),
            _("{n} an hour").format(n=fmt.number(limits.EXPORT.burst)),
            "export",
        ),
        Limit(
            _("Head of a request"),
            _("{size} in {time}").format(size=fmt.size(limits.HEAD_BYTES), time=fmt.duration(ms(limits.HEAD_SECONDS))),
        ),
        Limit(
            _("Body of a request"),
            _("{time} altogether, {pause} without a byte; {n} large ones at once").format(
                time=fmt.duration(ms(limits.BODY_SECONDS)), pause=fmt.duration(ms(limits.BODY_PAUSE)),
                n=fmt.number(guard.LARGE_BODIES),
            ),
        ),
        Limit(
            _("A form"),
            _("{fields} fields of {size}, {files} files").format(
                fields=fmt.number(guard.MAX_FIELDS), size=fmt.size(guard.MAX_PART), files=fmt.number(guard.MAX_FILES)
            ),
        ),
        Limit(
            _("Pieces of a file in one request"),
            _("{n}; who asks for more gets the whole file").format(n=fmt.number(FileResponse.max_ranges)),
        ),
        Limit(_("JSON"), _("{n} levels, numbers of 63 bits, no name twice").format(n=fmt.number(reading.DEEPEST))),
    )  # fmt: skip


def ms(seconds: float) -> int:
    return round(seconds * 1000)
