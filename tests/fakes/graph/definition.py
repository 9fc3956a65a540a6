"""The definition of a template, judged as Graph does when it is created or edited (contract 11)."""

import re
from collections import Counter
from typing import Any

from .errors import GraphError

VARIABLE = re.compile(r"\{\{(\w+)\}\}")
CATEGORIES = ("AUTHENTICATION", "MARKETING", "UTILITY")
FORMATS = ("TEXT", "IMAGE", "VIDEO", "GIF", "DOCUMENT", "LOCATION", "PRODUCT")
MOST = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1}
KINDS = (
    *("QUICK_REPLY", "OTP", "FLOW", "MPM", "SPM", "CATALOG", "VOICE_CALL", "ORDER_DETAILS", "REQUEST_CONTACT_INFO"),
    *("EXTENSION", *MOST),
)


def refused(details: str, subcode: int = 2388299, title: str = "Invalid parameter") -> GraphError:
    """100 with a subcode and Meta's words for the person at the screen."""
    return GraphError(100, subcode=subcode, message="Invalid parameter", title=title, words=details)


def check(given: dict[str, Any], handles: set[str]) -> None:
    """Raises 100 with a subcode."""
    if not re.fullmatch(r"[a-z0-9_]{1,512}", str(given.get("name", ""))):
        raise refused("The name holds other characters than a-z, 0-9 and _.")
    if given.get("category") not in CATEGORIES:
        raise GraphError(100, f"category must be one of {', '.join(CATEGORIES)}")
    if not re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2,4})?", str(given.get("language", ""))):
        raise GraphError(100, "language is not supported")
    components = given.get("components")
    if not isinstance(components, list) or not all(isinstance(one, dict) for one in components):
        raise GraphError(100, "components must be a list of objects")
    kinds = Counter(str(one.get("type", "")).upper() for one in components)
    if not kinds["BODY"] or any(count > 1 for count in kinds.values()):
        raise refused("There must be one body, and nothing twice.")
    if given["category"] == "AUTHENTICATION":
        return
    named = str(given.get("parameter_format", "")).upper() == "NAMED"
    for component in components:
        CHECKS.get(str(component.get("type", "")).upper(), _other)(component, named, handles)


def _other(component: dict[str, Any], named: bool, handles: set[str]) -> None:
    if str(component.get("type")).upper() not in ("CAROUSEL", "LIMITED_TIME_OFFER", "CALL_PERMISSION_REQUEST"):
        raise GraphError(100, f"components: unknown type {component.get('type')}")


def _length(text: Any, high: int, where: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise GraphError(100, f"{where}: text is required")
    if len(text) > high:
        raise refused(f"The {where} has more than {high} characters.", 2388040, "Character limit exceeded")
    return text


def _variables(text: str, named: bool, where: str) -> list[str]:
    names = list(dict.fromkeys(VARIABLE.findall(text)))
    if "{{" in VARIABLE.sub("", text):
        raise refused(f"The {where} holds a variable that cannot be read.")
    if named != bool(names and not names[0].isdigit()) and names:
        raise refused(f"The variables of the {where} do not have the format that was named.")
    if not named and sorted(map(int, names)) != list(range(1, len(names) + 1)):
        raise refused(f"The variables of the {where} are not numbered from 1.")
    return names


def _header(component: dict[str, Any], named: bool, handles: set[str]) -> None:
    form = str(component.get("format", "")).upper()
    if form not in FORMATS:
        raise GraphError(100, f"header: unknown format {form}")
    example = component.get("example") or {}
    if form == "TEXT":
        text = _length(component.get("text"), 60, "header")
        if re.search(r"[\n*~`]", text):
            raise refused("The header holds line breaks or formatting.", 2388047, "Header format is incorrect")
        names = _variables(text, named, "header")
        if len(names) > 1:
            raise refused("The header has more than one variable.", 2388047, "Header format is incorrect")
        _examples(names, example, "header", named)
    elif form in ("IMAGE", "VIDEO", "GIF", "DOCUMENT"):
        found = example.get("header_handle") or []
        if not found or found[0] not in handles:
            raise refused("The header has no example, or one that was not uploaded.", 2388273, "Missing sample")


def _examples(names: list[str], example: dict[str, Any], part: str, named: bool) -> None:
    if not names:
        return
    if named:
        given = {one.get("param_name") for one in example.get(f"{part}_text_named_params") or []}
        missing = set(names) - given
    else:
        values = example.get(f"{part}_text") or []
        values = values[0] if values and isinstance(values[0], list) else values
        missing = set(names[len(values) :])
    if missing:
        raise refused(f"There is no example for {', '.join(sorted(missing))}.", 2388043, "Missing example")


def _body(component: dict[str, Any], named: bool, handles: set[str]) -> None:
    text = _length(component.get("text"), 1024, "body")
    names = _variables(text, named, "body")
    bare = text.strip()
    if names and (VARIABLE.match(bare) or re.search(VARIABLE.pattern + "$", bare)):
        raise refused("A variable is the first or the last thing in the body.", 2388299, "Leading or trailing params")
    if len(VARIABLE.sub(" ", text).split()) < 2 * len(names) + 1 and names:
        raise refused("There are too many variables for the length.", 2388293, "Parameters words ratio exceeds limit")
    _examples(names, component.get("example") or {}, "body", named)


def _footer(component: dict[str, Any], named: bool, handles: set[str]) -> None:
    text = _length(component.get("text"), 60, "footer")
    if VARIABLE.search(text):
        raise refused("The footer holds a variable.", 2388073, "Footer format is incorrect")


def _buttons(component: dict[str, Any], named: bool, handles: set[str]) -> None:
    buttons = component.get("buttons")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 10:
        raise refused("There are 1 to 10 buttons.")
    kinds = [str(button.get("type", "")).upper() for button in buttons]
    for kind, count in Counter(kinds).items():
        if kind not in KINDS or count > MOST.get(kind, 10):
            raise refused(f"There are too many buttons of type {kind}, or it is unknown.")
    places = [at for at, kind in enumerate(kinds) if kind == "QUICK_REPLY"]
    if places and places[-1] - places[0] >= len(places):
        raise refused("Quick replies do not stand together.")
    for kind, button in zip(kinds, buttons, strict=True):
        _button(kind, button)


def _button(kind: str, button: dict[str, Any]) -> None:
    if kind in ("QUICK_REPLY", "URL", "PHONE_NUMBER", "FLOW"):
        _length(button.get("text"), 25, "button")
    if kind == "URL":
        url = _length(button.get("url"), 2000, "url")
        found = list(VARIABLE.finditer(url))
        if not url.startswith(("http://", "https://")) or len(found) > 1 or (found and found[0].end() != len(url)):
            raise refused("The address is none, or its variable is not at its end.")
        if found and not button.get("example"):
            raise refused("There is no example for the address.", 2388043, "Missing example")
    if kind == "PHONE_NUMBER":
        _length(button.get("phone_number"), 20, "phone_number")
    if kind == "COPY_CODE":
        _length(button.get("example"), 20, "code")


CHECKS = {"HEADER": _header, "BODY": _body, "FOOTER": _footer, "BUTTONS": _buttons}
