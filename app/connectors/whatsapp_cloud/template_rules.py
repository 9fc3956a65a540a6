"""Meta's limits for a template, looked at before it is submitted. Contract §11.

A definition that breaks one is refused by Meta, often a day later and in few words; here the part is named.
"""

import re
from collections import Counter
from typing import Final

from app.connectors.account import Draft
from app.said import N_, Sentence
from app.template import FILES, VARIABLE, Button, Parts, read, variables

NAME: Final = re.compile(r"[a-z0-9_]{1,512}")
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?")
CATEGORIES: Final = ("UTILITY", "MARKETING", "AUTHENTICATION")
HEADERS: Final = ("", "TEXT", "LOCATION", "GIF", "PRODUCT", *FILES)
BODY, HEADER, FOOTER, LABEL, ADDRESS, NUMBER, CODE, BUTTONS = 1024, 60, 60, 25, 2000, 20, 20, 10
MOST_OF: Final = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1, "CATALOG": 1, "VOICE_CALL": 1}
WEB: Final = re.compile(r"https?://[^\s/{][^\s]*", re.IGNORECASE)
PHONE: Final = re.compile(r"\+?[0-9]{6,19}")

Wrong = dict[str, Sentence]


def check(draft: Draft) -> Wrong:
    """A sentence for each part that Meta would refuse."""
    parts = read(draft.components, named=draft.named)
    wrong = _head(draft)
    if draft.category == "AUTHENTICATION":
        return wrong  # its words are Meta's own
    wrong |= _header(parts) | _body(parts) | _footer(parts) | _buttons(parts.buttons)
    return wrong | _examples(parts, wrong)


def _head(draft: Draft) -> Wrong:
    wrong: Wrong = {}
    if not NAME.fullmatch(draft.name):
        wrong["name"] = N_("1 to 512 small letters, digits and underscores, like order_ready.")
    if not LANGUAGE.fullmatch(draft.language):
        wrong["language"] = N_("A code like en or pt_BR.")
    if draft.category not in CATEGORIES:
        wrong["category"] = N_("One of {names}.", names=", ".join(CATEGORIES))
    return wrong


def _words(text: str, most: int, *, required: bool = True) -> Sentence | None:
    if not text.strip():
        return N_("Fill this in.") if required else None
    return N_("At most {n} characters.", n=most) if len(text) > most else None


def _first(**found: Sentence | None) -> Wrong:
    return {name: sentence for name, sentence in found.items() if sentence}


def _header(parts: Parts) -> Wrong:
    if parts.header_kind not in HEADERS:
        return {"header": N_("A header is a text, a picture, a video, a document or a place.")}
    if parts.header_kind != "TEXT":
        return {}
    sentence = _words(parts.header, HEADER) or _numbered(parts, parts.header)
    if not sentence and len(variables(parts.header)) > 1:
        sentence = N_("A header has at most one variable.")
    if not sentence and ("\n" in parts.header or "*" in parts.header or "_" in VARIABLE.sub("", parts.header)):
        sentence = N_("A header has one line and no formatting such as * or _.")
    return _first(header=sentence)


def _body(parts: Parts) -> Wrong:
    text = parts.body
    sentence = _words(text, BODY) or _numbered(parts, text)
    bare = text.strip()
    if not sentence and (VARIABLE.match(bare) or re.search(VARIABLE.pattern + r"$", bare)):
        sentence = N_("A variable may not be the first or the last thing in the text: write some words around it.")
    if not sentence and re.search(VARIABLE.pattern + r"\s*" + VARIABLE.pattern, text):
        sentence = N_("Two variables stand beside each other: write some words between them.")
    words, count = len(VARIABLE.sub(" ", text).split()), len(variables(text))
    if not sentence and count and words < 2 * count + 1:
        sentence = N_("There are too many variables for so few words.")
    if not sentence and re.search(r"\n{3,}", text):
        sentence = N_("More than two line breaks follow each other.")
    return _first(body=sentence)


def _numbered(parts: Parts, text: str) -> Sentence | None:
    """Variables are all numbers, 1, 2, 3…, or all names."""
    names = variables(text)
    if parts.named:
        odd = next((name for name in names if not re.fullmatch(r"[a-z_][a-z0-9_]*", name)), "")
        return N_("The variable “{name}” is no name in small letters.", name=odd) if odd else None
    if any(not name.isdecimal() for name in names):
        return N_("Variables are either all numbers or all names.")
    if [int(name) for name in names] != list(range(1, len(names) + 1)):
        return N_("Variables are numbered 1, 2, 3 without a gap.")
    return _loose(text)


def _loose(text: str) -> Sentence | None:
    bare = VARIABLE.sub("", text)
    return N_("There is a brace that belongs to no variable.") if "{{" in bare or "}}" in bare else None


def _footer(parts: Parts) -> Wrong:
    sentence = _words(parts.footer, FOOTER, required=False)
    if not sentence and VARIABLE.search(parts.footer):
        sentence = N_("A footer has no variables.")
    return _first(footer=sentence)


def _buttons(buttons: tuple[Button, ...]) -> Wrong:
    wrong: Wrong = {}
    if len(buttons) > BUTTONS:
        wrong["buttons"] = N_("At most {n} buttons.", n=BUTTONS)
    for kind, count in Counter(button.kind for button in buttons).items():
        if count > MOST_OF.get(kind, BUTTONS):
            wrong["buttons"] = N_("At most {n} buttons of this kind.", n=MOST_OF.get(kind, BUTTONS))
    answers = [at for at, button in enumerate(buttons) if button.kind == "QUICK_REPLY"]
    if answers and answers[-1] - answers[0] >= len(answers):
        wrong["buttons"] = N_("Quick replies stand together, before or after all other buttons.")
    labels = Counter(button.text.strip().casefold() for button in buttons if button.text)
    for at, button in enumerate(buttons):
        sentence = _button(button)
        if not sentence and labels[button.text.strip().casefold()] > 1:
            sentence = N_("Two buttons have the same label.")
        if sentence:
            wrong[f"button.{at}"] = sentence
    return wrong


def _button(button: Button) -> Sentence | None:
    match button.kind:
        case "COPY_CODE":
            return _words(button.example, CODE)
        case "URL":
            return _words(button.text, LABEL) or _address(button)
        case "PHONE_NUMBER":
            number = re.sub(r"[\s().-]", "", button.target)
            wrong = not PHONE.fullmatch(number) or len(number) > NUMBER
            said = N_("A number with its country code, like +5511999990000.") if wrong else None
            return _words(button.text, LABEL) or said
        case "FLOW":
            return _words(button.text, LABEL) or (None if button.flow else N_("The id of the form is missing."))
        case "REQUEST_CONTACT_INFO" | "OTP" | "MPM" | "SPM" | "CATALOG" | "ORDER_DETAILS" | "EXTENSION":
            return None
        case _:
            sentence = _words(button.text, LABEL)
            if not sentence and (VARIABLE.search(button.text) or "\n" in button.text):
                sentence = N_("The label of a button has one line and no variables.")
            return sentence


def _address(button: Button) -> Sentence | None:
    if not WEB.fullmatch(button.target) or len(button.target) > ADDRESS:
        return N_("An address that begins with https://.")
    found = list(VARIABLE.finditer(button.target))
    if len(found) > 1 or (found and found[0].end() != len(button.target)):
        return N_("An address has at most one variable, and that at its end.")
    return None


def _examples(parts: Parts, wrong: Wrong) -> Wrong:
    """Reviewers see the examples: each variable and each file needs one."""
    found: Wrong = {}
    examples = dict(parts.examples)
    missing = [name for name in variables(parts.body) if not examples.get(f"body.{name}", "").strip()]
    if missing and "body" not in wrong:
        found["body"] = N_("Give an example for {names}.", names=", ".join(f"{{{{{name}}}}}" for name in missing))
    needs = parts.header_kind in FILES or bool(variables(parts.header))
    if needs and "header" not in wrong and not examples.get("header", "").strip():
        found["header"] = N_("Give an example.")
    for at, button in enumerate(parts.buttons):
        if button.variable and f"button.{at}" not in wrong and not button.example.strip():
            found[f"button.{at}"] = N_("Give an example of the whole address.")
    return found
