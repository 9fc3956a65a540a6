"""The templates of an account, and whether a message fits the one it names (contract 7.4, 11)."""

import itertools
import re
from typing import Any

from .errors import GraphError

_ids = itertools.count(1_627_019_861_106_475)
VARIABLE = re.compile(r"\{\{(\w+)\}\}")

FIRST: list[dict[str, Any]] = [
    {
        "name": "hello_world",
        "language": "en_US",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Welcome and congratulations. This message tests your set-up."}],
    },
    {
        "name": "order_confirmation",
        "language": "en_US",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Thank you, {{1}}. Your order number is {{2}}."}],
    },
    {
        "name": "spring_sale",
        "language": "en",
        "category": "MARKETING",
        "components": [
            {"type": "HEADER", "format": "IMAGE"},
            {"type": "BODY", "text": "{{1}} off everything this week."},
            {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Shop", "url": "https://shop.example/{{1}}"}]},
        ],
    },
]


def complete(template: dict[str, Any]) -> dict[str, Any]:
    """With what Graph adds."""
    base = {"id": str(next(_ids)), "language": "en_US", "status": "APPROVED", "category": "UTILITY"}
    return base | {"parameter_format": "POSITIONAL", "components": []} | template


def find(known: list[dict[str, Any]], name: str, language: str) -> dict[str, Any] | None:
    """The template in exactly this language."""
    return next((each for each in known if each["name"] == name and each["language"] == language), None)


def check(template: dict[str, Any], sent: dict[str, Any]) -> None:
    """Raises 132xxx where the message does not fit the approved template."""
    if template["status"] != "APPROVED":
        code = {"PAUSED": 132015, "DISABLED": 132016}.get(template["status"], 132001)
        raise GraphError(code, f"template {template['name']} is {template['status'].lower()}")
    given = {
        str(part["type"]).lower(): part for part in sent.get("components") or [] if part["type"].lower() != "button"
    }
    buttons = {int(part.get("index") or 0) for part in sent.get("components") or [] if part["type"].lower() == "button"}
    for part in template["components"]:
        kind = part["type"].upper()
        parameters = (given.get(kind.lower()) or {}).get("parameters", [])
        if kind == "BODY":
            _text(part.get("text", ""), parameters, 1024)
        elif kind == "HEADER" and part.get("format", "TEXT").upper() == "TEXT":
            _text(part.get("text", ""), parameters, 60)
        elif kind == "HEADER":
            _media(part["format"].lower(), parameters)
        elif kind == "BUTTONS":
            _buttons(part["buttons"], buttons)


def _text(text: str, parameters: list[dict[str, Any]], high: int) -> None:
    wanted = list(dict.fromkeys(VARIABLE.findall(text)))
    if len(wanted) != len(parameters):
        raise GraphError(132000, f"expected {len(wanted)} parameters, got {len(parameters)}")
    names = [parameter.get("parameter_name") for parameter in parameters]
    if wanted and not wanted[0].isdigit() and set(names) != set(wanted):
        raise GraphError(132012, f"expected the parameters {', '.join(wanted)}")
    filled = len(VARIABLE.sub("", text)) + sum(len(_shown(parameter)) for parameter in parameters)
    if filled > high:
        raise GraphError(132005, f"the filled text has {filled} characters, {high} are allowed")


def _shown(parameter: dict[str, Any]) -> str:
    kind = parameter["type"].lower()
    return str(parameter["text"] if kind == "text" else parameter[kind].get("fallback_value", ""))


def _media(kind: str, parameters: list[dict[str, Any]]) -> None:
    if not parameters:
        raise GraphError(132012, f"header: expected {kind}, got nothing")
    if parameters[0]["type"].lower() != kind:
        raise GraphError(132012, f"header: expected {kind}, got {parameters[0]['type']}")


def _buttons(buttons: list[dict[str, Any]], given: set[int]) -> None:
    for index, button in enumerate(buttons):
        kind = button["type"].upper()
        if kind == "URL" and VARIABLE.search(button.get("url", "")) and index not in given:
            raise GraphError(131008, f"button at index {index} of type url requires a parameter")
        if kind == "COPY_CODE" and index not in given:
            raise GraphError(131008, f"button at index {index} of type copy_code requires a parameter")
        if kind == "URL" and not VARIABLE.search(button.get("url", "")) and index in given:
            raise GraphError(132018, f"button at index {index} of type url takes no parameter")
