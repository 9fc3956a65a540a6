"""Does a message fit its template, and can the template be sent at all? Pure; `components` as in `template`."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from app.said import N_, Sentence
from app.template import FILES, Parts, sent, sent_cards, variables, word

USABLE: Final = frozenset({"APPROVED"})


class Known(msgspec.Struct, frozen=True):
    """A template that a channel has, as far as it matters to whoever sends it."""

    name: str
    language: str
    status: str
    parts: Parts


def unusable(status: str) -> Sentence | None:
    """Why a template in this state cannot be sent; None if it can."""
    return None if status in USABLE else STATES.get(status, N_("The network does not let it be sent now."))


STATES: Final[dict[str, Sentence]] = {
    "DRAFT": N_("It is a draft that was not submitted for review yet."),
    "PENDING": N_("The network is still reviewing it."),
    "IN_APPEAL": N_("The network is reviewing an appeal."),
    "REJECTED": N_("The network rejected it."),
    "PAUSED": N_("The network paused it because people react badly to it."),
    "DISABLED": N_("The network disabled it because people reacted badly to it."),
    "PENDING_DELETION": N_("It is being deleted."),
    "DELETED": N_("It was deleted at the network."),
    "LIMIT_EXCEEDED": N_("The account has more templates than the network allows."),
    "ARCHIVED": N_("The network archived it because it was not used for a year."),
    "LOCKED": N_("The network locked it."),
}


def mismatch(parts: Parts, components: Iterable[Any]) -> Sentence | None:
    """Why a message with these components does not fit the template; None if it does."""
    components = list(components)
    header, body, presses = sent(components)
    wanted = variables(parts.body)
    names = [word(one, "parameter_name") for one in body]
    if len(body) != len(wanted):
        return N_("Its text has {wanted} values, and {given} are given.", wanted=len(wanted), given=len(body))
    if parts.named and set(names) != set(wanted):
        return N_("The values of its text are named {names}.", names=", ".join(wanted))
    if complaint := _header_mismatch(parts, header):
        return complaint
    for at, button in enumerate(parts.buttons):
        if (button.variable or button.kind == "COPY_CODE") and at not in presses:
            return N_("Its button “{button}” needs a value.", button=button.text or button.kind)
        if not button.variable and button.kind == "URL" and at in presses:
            return N_("Its button “{button}” has a fixed address, and a value is given for it.", button=button.text)
    if presses and max(presses) >= len(parts.buttons):
        return N_(
            "It has {n} buttons, and a value is given for number {at}.", n=len(parts.buttons), at=max(presses) + 1
        )
    return _cards_mismatch(parts, sent_cards(components))


def _cards_mismatch(parts: Parts, given: dict[int, list[dict[str, Any]]]) -> Sentence | None:
    if given.keys() != set(range(len(parts.cards))):
        return N_("It has {wanted} cards, and {given} are given.", wanted=len(parts.cards), given=len(given))
    for at, card in enumerate(parts.cards):
        if complaint := mismatch(card, given[at]):
            return N_("Card {n}: {what}", n=at + 1, what=complaint)
    return None


def _header_mismatch(parts: Parts, header: list[dict[str, Any]]) -> Sentence | None:
    kind = parts.header_kind
    needs = kind in (*FILES, "LOCATION") or bool(variables(parts.header))
    if not needs:
        return N_("Its header takes no value, and one is given.") if header else None
    given = word(header[0], "type").upper() if header else ""
    if kind in (*FILES, "LOCATION") and given != kind:
        return N_("Its header needs a value of type {kind}.", kind=kind.lower())
    return None if header else N_("Its header needs a value.")
