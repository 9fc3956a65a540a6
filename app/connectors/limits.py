"""What the limits of networks have in common.

A network has a rule for each kind of content. It yields what cannot be sent, one sentence that names the field, so that
a person can mend it and nothing is sent to be refused. Lengths are counted in Unicode characters.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from app.connectors.base import Problem
from app.content import Content, Location
from app.said import N_, Sentence

MB: Final = 1024 * 1024
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
DOCUMENTS: Final = (
    "text/plain",
    "application/pdf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    f"{_OFFICE}wordprocessingml.document",
    f"{_OFFICE}spreadsheetml.sheet",
    f"{_OFFICE}presentationml.presentation",
)

Complaints = Iterator[Sentence]
Rules = Mapping[type, Callable[[Any], Complaints]]


def broken(network: str, rules: Rules, content: Content) -> Problem | None:
    """The first limit that this content breaks, None if it can be sent."""
    rule = rules.get(type(content))
    if rule is None:
        return Problem("send.content", title=N_("{network} has no message of this kind.", network=network))
    sentence = next(rule(content), None)
    return Problem("send.limit", title=sentence) if sentence else None


def words(network: str, field: Sentence, text: str, most: int, *, required: bool = True) -> Complaints:
    if required and not text.strip():
        yield N_("{field} is empty.", field=field)
    if len(text) > most:
        yield N_(
            "{field} has {count} characters; {network} takes {most}.",
            field=field,
            count=len(text),
            network=network,
            most=most,
        )


def location(content: Location) -> Complaints:
    if not -90 <= content.latitude <= 90:
        yield N_("The latitude is not between -90 and 90.")
    if not -180 <= content.longitude <= 180:
        yield N_("The longitude is not between -180 and 180.")


def request(network: str, what: str) -> Complaints:
    """What a customer may be asked for by a key of their own."""
    if what not in ("location", "contact_info"):
        yield N_("The request is for “{what}”; {network} knows location and contact_info.", what=what, network=network)
