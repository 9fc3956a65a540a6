"""The few ways a request can be refused. Raised anywhere, turned into a page or JSON in one place (`web.py`).

Every message is a whole sentence for a person: what happened and what to do. It is raised in English, as `N_(…)`, and
translated where it is shown; what a page has translated already is shown as it is.
"""

from collections.abc import Mapping

from app.said import Sentence


class ParleyError(Exception):
    """`code` is stable and for programs, `said` is for people (`str(error)` in English), `fields` names what is wrong
    in a form."""

    status = 500
    code = "internal"

    def __init__(
        self, message: Sentence, *, code: str | None = None, fields: Mapping[str, Sentence] | None = None
    ) -> None:
        super().__init__(str(message))
        self.said = message
        self.code = code or type(self).code
        self.fields: dict[str, Sentence] = dict(fields or {})


class Invalid(ParleyError):
    """The input cannot be used as it is."""

    status = 422
    code = "invalid"


class Unauthenticated(ParleyError):
    """Nobody is logged in, or the credential is not valid."""

    status = 401
    code = "unauthenticated"


class Forbidden(ParleyError):
    """Somebody is logged in but may not do this."""

    status = 403
    code = "forbidden"


class NotFound(ParleyError):
    """There is no such thing, or it is not visible to the asker."""

    status = 404
    code = "not_found"


class Conflict(ParleyError):
    """Somebody else changed it meanwhile, or the name is taken."""

    status = 409
    code = "conflict"


class TooLarge(ParleyError):
    """The body or file is over the limit."""

    status = 413
    code = "too_large"


class TooMany(ParleyError):
    """A limit is used up. `retry_after` in seconds."""

    status = 429
    code = "too_many"

    def __init__(self, message: Sentence, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(ParleyError):
    """It cannot be done now, but later: full disk, locked database, shutting down."""

    status = 503
    code = "unavailable"


class Misconfigured(ParleyError):
    """Settings, key or schema do not allow a start. The process exits with status 78."""

    code = "misconfigured"
