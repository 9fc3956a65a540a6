"""`parley bot test`: how the tests of a document went, for people, for programs and for a build server."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from app import documents, i18n
from app.bot.document import DocumentError
from app.bot.trials import Outcome, Spoken
from app.cli import output
from app.errors import Invalid
from app.i18n import _, ngettext
from app.said import N_, mark

WHO: Final = {
    "user": mark("customer: "),
    "button": mark("customer presses: "),
    "media": mark("customer sends: "),
    "location": mark("customer is at: "),
    "wait": mark("later: "),
    "trigger": mark("asked for: "),
    "bot": mark("bot: "),
    "handoff": mark("handed to a person: "),
    "call": mark("calls, and the test has no answer: "),
}
SIGN: Final = {"yes": "  ", "missing": "- ", "extra": "+ ", "unknown": "! "}
NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def run(text: str, name: str, *, as_json: bool, junit: Path | None) -> int:
    """The exit code: 1 if a test fails. Raises `Invalid` for a document with errors or a report that cannot be
    written."""
    try:
        outcomes = documents.test(text)
    except DocumentError as error:
        first = error.problems[0]
        raise Invalid(f"{name}:{first.line}: {i18n.tell(documents.sentence(first))}", code="document") from None
    if junit is not None:
        try:
            junit.write_bytes(as_junit(name, outcomes))
        except OSError as error:
            raise Invalid(N_("{path} cannot be written: {reason}", path=junit, reason=error.strerror)) from None
    if as_json:
        output.as_json([plain(outcome) for outcome in outcomes])
    else:
        tell(outcomes)
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def tell(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        where = _("(line {n})").format(n=outcome.line)
        output.say(f"{output.mark(outcome.passed)} {outcome.name} {output.paint(where, 'faint')}")
        if not outcome.passed:
            for spoken in outcome.chat:
                output.say("      " + shown(spoken))
    failed = sum(not outcome.passed for outcome in outcomes)
    if not outcomes:
        output.say(_("This document has no tests."))
    elif failed:
        sentence = ngettext("{n} of {all} tests fails.", "{n} of {all} tests fail.", failed)
        output.say(output.paint(sentence.format(n=failed, all=len(outcomes)), "bad"))
        output.say(output.paint(_("- expected, but not said; + said, but not expected"), "faint"))
    else:
        passed = ngettext("{n} test passes.", "{n} tests pass.", len(outcomes)).format(n=len(outcomes))
        output.say(output.paint(passed, "good"))


def shown(spoken: Spoken, *, colour: bool = True) -> str:
    """One line of the comparison; a text of several lines stays indented."""
    text = SIGN[spoken.fits] + _(WHO[spoken.who]) + spoken.text.replace("\n", "\n        ")
    if spoken.fits == "unknown":
        text += " " + _("(there is no such button)")
    kind = {"yes": "", "missing": "bad", "extra": "good", "unknown": "bad"}[spoken.fits]
    return output.paint(text, kind) if colour and kind else text


def plain(outcome: Outcome) -> dict[str, Any]:
    chat = [
        {"who": spoken.who, "text": spoken.text, "fits": spoken.fits, "line": spoken.line or None}
        for spoken in outcome.chat
    ]
    why = "" if outcome.passed else str(documents.why(outcome))
    return {"name": outcome.name, "line": outcome.line, "passed": outcome.passed, "why": why, "chat": chat}


def as_junit(name: str, outcomes: Sequence[Outcome]) -> bytes:
    """The report that build servers read. Characters that XML has no place for are left out."""
    failed = sum(not outcome.passed for outcome in outcomes)
    suite = ElementTree.Element(
        "testsuite", name=clean(name), tests=str(len(outcomes)), failures=str(failed), errors="0"
    )
    for outcome in outcomes:
        case = ElementTree.SubElement(suite, "testcase", classname=clean(name), name=clean(outcome.name))
        if not outcome.passed:
            failure = ElementTree.SubElement(case, "failure", message=clean(str(documents.why(outcome))))
            failure.text = clean("\n".join(shown(spoken, colour=False) for spoken in outcome.chat))
    data: bytes = ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)
    return data


def clean(text: str) -> str:
    return NO_XML.sub("", text)
