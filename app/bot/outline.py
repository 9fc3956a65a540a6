"""What a flow is made of, for those who draw it: its steps, their branches and what is written on them, from the tree
of a document, whatever stands in it.
"""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from app.bot.languages import are_languages
from app.bot.nodes import MappingNode, Node, ScalarNode, SequenceNode
from app.bot.request import METHODS
from app.said import N_, Sentence

Stripe = Literal["q", "", "p", "x"]  # ask; say and call; hand-off; the rest
STRIPES: Final[dict[str, Stripe]] = {
    "ask": "q", "say": "", "image": "", "video": "", "audio": "", "document": "", "location": "", "contact": "",
    "reaction": "", "template": "", "call": "", "handoff": "p",
}  # fmt: skip
BRANCHES: Final = ("if", "switch", "ask", "call", "random")
ENDS: Final = ("return", "goto", "close", "handoff")


class Step(msgspec.Struct, frozen=True):
    """One step. `branches`: what is done when, by label; `goes`: the label that a `goto` names; `named`: a label's;
    `starts`: the flow that it starts."""

    kind: str
    line: int
    title: Sentence
    detail: str = ""
    branches: "tuple[Branch, ...]" = ()
    goes: str = ""
    named: str = ""
    starts: str = ""


class Branch(msgspec.Struct, frozen=True):
    label: Sentence
    steps: tuple[Step, ...]


def get(node: Node | None, key: str) -> Node | None:
    """The value of a group's key."""
    pairs = node.value if isinstance(node, MappingNode) else []
    return next((value for name, value in pairs if isinstance(name, ScalarNode) and name.value == key), None)


def steps_of(node: Node | None) -> tuple[Step, ...]:
    entries = node.value if isinstance(node, SequenceNode) else []
    return tuple(step for entry in entries if isinstance(entry, MappingNode) for step in step_of(entry))


def step_of(node: MappingNode) -> Iterator[Step]:
    """The step, or nothing where the group is empty."""
    keys = [key.value for key, _ in node.value if isinstance(key, ScalarNode)]
    kind = next((key for key in keys if key in KNOWN), keys[0] if keys else "")
    if kind:
        value = get(node, kind)
        title, detail = words_of(kind, value)
        yield Step(
            kind,
            node.line,
            title,
            detail,
            tuple(branches_of(kind, node)),
            plain(value) if kind == "goto" else "",
            plain(value) if kind == "label" else "",
            plain(value) if kind in ("start", "later") else "",
        )


def branches_of(kind: str, node: MappingNode) -> Iterator[Branch]:
    if kind == "if":
        yield Branch(N_("yes"), steps_of(get(node, "then")))
        yield Branch(N_("no"), steps_of(get(node, "else")))
    elif kind == "switch":
        cases = get(node, "cases")
        for key, steps in cases.value if isinstance(cases, MappingNode) else []:
            yield Branch(plain(key), steps_of(steps))
        yield Branch(N_("else"), steps_of(get(node, "else")))
    elif kind == "random":
        yield from alternatives(get(node, "random"))
    elif kind == "call" and (failed := get(node, "failed")):
        yield Branch(N_("answered"), ())
        if isinstance(failed, MappingNode):
            yield from (Branch(N_("failed: {what}", what=plain(key)), steps_of(steps)) for key, steps in failed.value)
        else:
            yield Branch(N_("failed"), steps_of(failed))
    elif kind in BRANCHES:
        otherwise, late = steps_of(get(node, "otherwise")), steps_of(get(get(get(node, "ask"), "timeout"), "do"))
        if otherwise or late:
            yield Branch(N_("answered"), ())
        if otherwise:
            yield Branch(N_("no valid answer"), otherwise)
        if late:
            yield Branch(N_("no answer in time"), late)


def alternatives(node: Node | None) -> Iterator[Branch]:
    """The branches of a `random`, each with how often it is drawn."""
    branches = node.value if isinstance(node, SequenceNode) else []
    texts = [plain(get(branch, "weight")) for branch in branches]
    weights = [int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 1 for text in texts]
    for branch, weight in zip(branches, weights, strict=True):
        share = round(100 * weight / max(1, sum(weights)))
        yield Branch(f"{share} %", steps_of(get(branch, "do") or branch))


def words_of(kind: str, value: Node | None) -> tuple[Sentence, str]:
    """What a box says: its title and the line below."""
    first = plain(value)
    match kind:
        case "ask":
            return N_("Ask: {name}", name=plain(get(value, "save"))), plain(get(value, "text"))
        case "if" | "switch":
            return first, ""
        case "say":
            return N_("Say"), first
        case "handoff":
            team = plain(get(value, "team"))
            title = N_("Hand off to: {team}", team=team) if team else N_("Hand off")
            return title, first or plain(get(value, "reason"))
        case "location" | "contact":
            return N_("Location") if kind == "location" else N_("Contact card"), plain(get(value, "name"))
        case "reaction":
            return N_("React: {emoji}", emoji=first), ""
        case "template":
            return N_("Template: {name}", name=first), ""
        case "random":
            return N_("By chance"), ""
        case "note":
            return N_("Note for the team"), first
        case "assign":
            return N_("Assign to: {name}", name=first), ""
        case "opt_in" | "opt_out":
            return N_("Opt in") if kind == "opt_in" else N_("Opt out"), ""
        case "start":
            return N_("Start: {name}", name=first), ""
        case "goto":
            return N_("Go to: {name}", name=first), ""
        case "label":
            return N_("Label: {name}", name=first), ""
        case "return":
            return N_("End of flow"), ""
        case "tag":
            return N_("Tag: {name}", name=first), ""
        case "untag":
            return N_("Take off tag: {name}", name=first), ""
        case "call":
            method = next((key for key in METHODS if get(value, key)), "")
            return N_("Call: {method}", method=method), plain(get(value, method))
        case "wait":
            until = plain(get(value, "until"))
            return (N_("Wait until: {time}", time=until) if until else N_("Wait: {time}", time=first)), ""
        case "schedule":
            said = value.value[0] if isinstance(value, SequenceNode) and value.value else value
            return N_("Send later"), plain(said) or plain(get(said, "say"))
        case "later":
            return N_("Start later: {name}", name=first), ""
        case "close":
            return N_("Close the chat"), ""
        case "set" | "field":
            title = N_("Remember") if kind == "set" else N_("Note of the person")
            return title, ", ".join(plain(key) for key, _ in value.value) if isinstance(value, MappingNode) else ""
        case _:
            return kind, first


KNOWN: Final = frozenset(
    {
        *STRIPES,
        *BRANCHES,
        *ENDS,
        "start",
        "label",
        "tag",
        "untag",
        "set",
        "field",
        "wait",
        "schedule",
        "later",
        "note",
        "assign",
        "opt_in",
        "opt_out",
    }
)


def plain(node: Node | None) -> str:
    """A text as it is written; the first of a list or of several languages."""
    if isinstance(node, SequenceNode):
        return plain(node.value[0]) if node.value else ""
    if isinstance(node, MappingNode) and are_languages(node):
        return plain(node.value[0][1])
    return " ".join(node.value.split()) if isinstance(node, ScalarNode) else ""


def walk(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        for branch in step.branches:
            yield from walk(branch.steps)
