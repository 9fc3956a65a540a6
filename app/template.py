"""A message template: what of it can be filled in, what it reads like then, and how it is sent. Pure.

`components` are as in the provider's contract, both as a template is defined and as it is sent; what is not known here
stays as it came. Places to fill in have keys: `header`, `header.latitude`…, `body.1` or `body.name`, `button.0`; on a
card of a carousel `card.0.header` and so on.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from app.said import N_, Sentence

VARIABLE: Final = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
FILES: Final = ("IMAGE", "VIDEO", "DOCUMENT")
TEXT, CARD, HEADER, CODE, URL = 1024, 160, 60, 20, 2000  # the most characters once filled in
VALUED: Final = frozenset({"url", "copy_code"})  # buttons that are given something
WORDS: Final[dict[str, Sentence]] = {
    "header": N_("Header"),
    "header.latitude": N_("Latitude"),
    "header.longitude": N_("Longitude"),
    "header.name": N_("Name of the place"),
    "header.address": N_("Address of the place"),
}

Components = tuple[dict[str, Any], ...]


class Button(msgspec.Struct, frozen=True):
    """`kind`: QUICK_REPLY, URL, PHONE_NUMBER, COPY_CODE, FLOW or another of the network's. `target` is the address or
    number; `flow` the id of a form."""

    kind: str
    text: str = ""
    target: str = ""
    example: str = ""
    flow: str = ""

    @property
    def variable(self) -> bool:
        return self.kind == "URL" and VARIABLE.search(self.target) is not None


class Parts(msgspec.Struct, frozen=True):
    """A template as people see it. `header_kind`: '', TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION or another of the
    network's; `cards` of a carousel have a header, a text and buttons; `others` names components that are not known
    here; `named`: variables have names, not numbers; `examples`: what the author gave for a slot's key."""

    header_kind: str = ""
    header: str = ""
    body: str = ""
    footer: str = ""
    buttons: tuple[Button, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    named: bool = False
    cards: tuple["Parts", ...] = ()
    others: tuple[str, ...] = ()


class Slot(msgspec.Struct, frozen=True):
    """One place to fill in. `kind`: text, file (an address) or number; `most` characters."""

    key: str
    label: Sentence
    kind: str = "text"
    example: str = ""
    most: int = TEXT
    required: bool = True


# ---- reading a definition -------------------------------------------------------------------------------------------


def read(components: Iterable[Any], *, named: bool = False) -> Parts:
    """The parts of a definition; never raises on any JSON."""
    found: dict[str, Any] = {"named": named}
    examples: dict[str, str] = {}
    others: list[str] = []
    for component in components:
        if not isinstance(component, dict):
            continue
        kind = word(component, "type").upper()
        match kind:
            case "HEADER":
                found["header_kind"] = word(component, "format").upper() or "TEXT"
                found["header"] = word(component, "text")
                examples |= _examples(component, "header", found["header"])
            case "BODY":
                found["body"] = word(component, "text")
                examples |= _examples(component, "body", found["body"])
            case "FOOTER":
                found["footer"] = word(component, "text")
            case "BUTTONS":
                found["buttons"] = tuple(map(_button, _objects(component.get("buttons"))))
            case "CAROUSEL":
                found["cards"] = tuple(_card(card, named) for card in _objects(component.get("cards")))
            case _:
                others.append(kind)
    return Parts(**found, examples=tuple(examples.items()), others=tuple(others))


def _card(given: dict[str, Any], named: bool) -> Parts:
    """A card holds no cards."""
    components = _objects(given.get("components"))
    return read([one for one in components if word(one, "type").upper() != "CAROUSEL"], named=named)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def word(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else str(found) if isinstance(found, int) else ""


def _button(given: dict[str, Any]) -> Button:
    example = given.get("example")
    if isinstance(example, list):
        example = example[0] if example else ""
    return Button(
        kind=word(given, "type").upper(),
        text=word(given, "text"),
        target=word(given, "url") or word(given, "phone_number"),
        example=example if isinstance(example, str) else "",
        flow=word(given, "flow_id"),
    )


def _examples(component: dict[str, Any], part: str, text: str) -> dict[str, str]:
    """What the author gave as examples, by key."""
    example = component.get("example")
    if not isinstance(example, dict):
        return {}
    given = example.get(f"{part}_text_named_params")
    if isinstance(given, list):
        pairs = [(word(one, "param_name"), word(one, "example")) for one in given if isinstance(one, dict)]
        return {_key(part, name): value for name, value in pairs}
    values = example.get(f"{part}_text")
    while isinstance(values, list) and values and isinstance(values[0], list):
        values = values[0]
    if isinstance(values, list):
        return {_key(part, name): str(value) for name, value in zip(variables(text), values, strict=False)}
    handle = example.get("header_handle")
    first = handle[0] if isinstance(handle, list) and handle else handle
    return {"header": first} if isinstance(first, str) else {}


def _key(part: str, name: str) -> str:
    return "header" if part == "header" else f"{part}.{name}"


def variables(text: str) -> list[str]:
    """The names in a text, each once; numbers in their order."""
    names = list(dict.fromkeys(VARIABLE.findall(text)))
    return sorted(names, key=int) if all(name.isdecimal() for name in names) else names


# ---- filling in -----------------------------------------------------------------------------------------------------


def slots(parts: Parts) -> tuple[Slot, ...]:
    """Everything that has to be given when it is sent, in reading order."""
    return tuple(_slots(parts))


def _slots(parts: Parts) -> Iterator[Slot]:
    examples = dict(parts.examples)
    if parts.header_kind in FILES:
        yield Slot("header", N_("File of the header"), "file", most=URL)
    elif parts.header_kind == "LOCATION":
        yield Slot("header.latitude", WORDS["header.latitude"], "number", "-23.5614", 20)
        yield Slot("header.longitude", WORDS["header.longitude"], "number", "-46.6559", 20)
        yield Slot("header.name", WORDS["header.name"], most=1000)
        yield Slot("header.address", WORDS["header.address"], most=1000)
    elif variables(parts.header):
        yield Slot("header", WORDS["header"], example=examples.get("header", ""), most=HEADER)
    for name in variables(parts.body):
        key = f"body.{name}"
        label = N_("Value {n}", n=int(name)) if name.isdecimal() and len(name) < 4 else name.replace("_", " ")
        yield Slot(key, label, example=examples.get(key, ""))
    for at, button in enumerate(parts.buttons):
        if button.variable:
            label = N_("End of the address of “{button}”", button=button.text)
            yield Slot(f"button.{at}", label, example=_end(button), most=URL)
        elif button.kind == "COPY_CODE":
            yield Slot(f"button.{at}", N_("Code to copy"), example=button.example, most=CODE)
    for at, card in enumerate(parts.cards):
        for slot in _slots(card):
            label = N_("Card {n}: {what}", n=at + 1, what=slot.label)
            yield msgspec.structs.replace(slot, key=f"card.{at}.{slot.key}", label=label)


def _on_card(at: int, values: Mapping[str, str]) -> dict[str, str]:
    """The values of one card, by the keys that they would have without it."""
    start = f"card.{at}."
    return {key.removeprefix(start): value for key, value in values.items() if key.startswith(start)}


def _end(button: Button) -> str:
    """What stands in the example in place of the variable."""
    start = button.target[: button.target.index("{{")]
    return button.example.removeprefix(start)


def wrong(parts: Parts, values: Mapping[str, str]) -> dict[str, Sentence]:
    """A sentence for each value that cannot be sent, by its key."""
    found: dict[str, Sentence] = {}
    for slot in slots(parts):
        value = values.get(slot.key, "").strip()
        if not value:
            found[slot.key] = N_("Fill this in.")
        elif len(value) > slot.most:
            found[slot.key] = N_("At most {n} characters.", n=slot.most)
        elif slot.kind == "number" and not _is_degrees(value, 90 if slot.key.endswith("latitude") else 180):
            found[slot.key] = N_("Degrees, like {example}.", example=slot.example)
        elif "\n" in value or "\t" in value or "     " in value:
            found[slot.key] = N_("Without line breaks, tabs, or more than four spaces in a row.")
    shown = filled(parts, values)
    found |= _too_long("body.", shown.body, TEXT, parts, found)
    for at, card in enumerate(shown.cards):
        found |= _too_long(f"card.{at}.body.", card.body, CARD, parts, found)
    return found


def _too_long(start: str, text: str, most: int, parts: Parts, found: Mapping[str, Sentence]) -> dict[str, Sentence]:
    """Said of the last value of a text, if nothing else is wrong with any of them."""
    if len(text) <= most or any(key.startswith(start) for key in found):
        return {}
    last = next((slot.key for slot in reversed(slots(parts)) if slot.key.startswith(start)), start.removesuffix("."))
    return {last: N_("With its values the text has {n} characters; {most} are allowed.", n=len(text), most=most)}


def _is_degrees(text: str, most: int) -> bool:
    return bool(re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,15})?", text)) and abs(float(text)) <= most


def filled(parts: Parts, values: Mapping[str, str]) -> Parts:
    """As it reads with these values; what is not given stays a variable."""

    def fill(part: str, text: str) -> str:
        return VARIABLE.sub(lambda found: values.get(_key(part, found[1]), "").strip() or found[0], text)

    buttons = tuple(
        msgspec.structs.replace(button, target=_filled_end(button, values.get(f"button.{at}", "").strip()))
        for at, button in enumerate(parts.buttons)
    )
    cards = tuple(filled(card, _on_card(at, values)) for at, card in enumerate(parts.cards))
    return msgspec.structs.replace(
        parts, header=fill("header", parts.header), body=fill("body", parts.body), buttons=buttons, cards=cards
    )


def _filled_end(button: Button, end: str) -> str:
    return VARIABLE.sub(lambda _: end, button.target) if end and button.variable else button.target


def sending(parts: Parts, values: Mapping[str, str]) -> Components:
    """The components of a message with these values. A header's file that is given by no address is left to whoever
    sends: `content.Template.file`."""
    made = [_header(parts, values)]
    body = [_text(values[f"body.{name}"], name if parts.named else "") for name in variables(parts.body)]
    made.append({"type": "body", "parameters": body} if body else {})
    made += [_press(at, button, values.get(f"button.{at}", "").strip()) for at, button in enumerate(parts.buttons)]
    cards = [
        {"card_index": at, "components": list(sending(card, _on_card(at, values)))}
        for at, card in enumerate(parts.cards)
    ]
    made.append({"type": "carousel", "cards": cards} if cards else {})
    return tuple(part for part in made if part)


def values(parts: Parts, components: Iterable[Any]) -> dict[str, str]:
    """What `sending` put into the components of header, text and cards."""
    components = list(components)
    found = {
        f"card.{at}.{key}": value
        for at, card in enumerate(parts.cards)
        for key, value in values(card, sent_cards(components).get(at, [])).items()
    }
    header, body, _ = sent(components)
    told = {
        word(one, "parameter_name") or name: word(one, "text")
        for name, one in zip(variables(parts.body), body, strict=False)
    }
    found |= {_key("body", name): text for name, text in told.items()}
    return found | {"header": word(header[0], "text")} if header else found


def reading(parts: Parts) -> str:
    """Its text and that of its cards, a paragraph each."""
    return "\n\n".join(part for part in (parts.body, *(card.body for card in parts.cards)) if part)


def labels(parts: Parts) -> tuple[str, ...]:
    """What stands on its buttons."""
    return tuple(button.text or button.kind.replace("_", " ").capitalize() for button in parts.buttons)


def _text(value: str, name: str = "") -> dict[str, Any]:
    return {"type": "text"} | ({"parameter_name": name} if name else {}) | {"text": value.strip()}


def _header(parts: Parts, values: Mapping[str, str]) -> dict[str, Any]:
    given = values.get("header", "").strip()
    kind = parts.header_kind.lower()
    if parts.header_kind == "LOCATION":
        place = {
            name: values.get(f"header.{name}", "").strip() for name in ("latitude", "longitude", "name", "address")
        }
        return {"type": "header", "parameters": [{"type": "location", "location": place}]}
    if not given:
        return {}
    if parts.header_kind in FILES:
        return {"type": "header", "parameters": [{"type": kind, kind: {"link": given}}]}
    name = next(iter(variables(parts.header)), "")
    return {"type": "header", "parameters": [_text(given, name if parts.named else "")]} if name else {}


def _press(at: int, button: Button, value: str) -> dict[str, Any]:
    place = {"type": "button", "index": str(at)}
    if button.kind == "FLOW":
        return place | {"sub_type": "flow", "parameters": [{"type": "action", "action": {}}]}
    if not value:
        return {}
    if button.kind == "COPY_CODE":
        return place | {"sub_type": "copy_code", "parameters": [{"type": "coupon_code", "coupon_code": value}]}
    return place | {"sub_type": "url", "parameters": [_text(value)]} if button.variable else {}


# ---- reading what was sent ----------------------------------------------------------------------------------------


def sent(components: Iterable[Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]], set[int]]:
    """The parameters of header and text, and the numbers of the buttons that have any."""
    found: dict[str, list[dict[str, Any]]] = {"header": [], "body": []}
    presses: set[int] = set()
    for component in components:
        if not isinstance(component, dict):
            continue
        kind, parameters = word(component, "type").lower(), component.get("parameters")
        listed = [one for one in parameters if isinstance(one, dict)] if isinstance(parameters, list) else []
        if kind == "button" and word(component, "index").isdecimal():
            presses |= {int(word(component, "index"))} if word(component, "sub_type").lower() in VALUED else set()
        elif kind in found:
            found[kind] = listed
    return found["header"], found["body"], presses


def sent_cards(components: list[Any]) -> dict[int, list[dict[str, Any]]]:
    """The components of each card that is given, by its number."""
    carousel = next((one for one in _objects(components) if word(one, "type").lower() == "carousel"), {})
    cards = [card for card in _objects(carousel.get("cards")) if word(card, "card_index").isdecimal()]
    return {int(word(card, "card_index")): _objects(card.get("components")) for card in cards}
