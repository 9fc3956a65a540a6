"""A rule as a form shows it, and what is to be changed in the document when the form comes back. What a form cannot
show is not touched. Names of fields: `name`, `words`, `say.0`, `say.0.1` (a variant), `say.0.pt`, `buttons.0` and
`handoff.1`, each with the number of its step; `say.new` and `handoff.new` for steps that are not there yet."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from app.bot.nodes import MappingNode, Node, ScalarNode, SequenceNode
from app.bot.source import ByHand, Edit, Source, child, written
from app.bot.spoken import Spoken, said
from app.said import N_

MOST_FIELDS: Final = 80  # of all steps; what is over is left to the document


class Field(msgspec.Struct, frozen=True):
    """A text to fill in. `language`: '' where the document does not say one; `variant`: which of several, from 1."""

    name: str
    value: str
    language: str = ""
    variant: int = 0


class Step(msgspec.Struct, frozen=True):
    """`kind`: say, handoff, or other, which is named by `verb` and left to the document. `buttons`: None where a form
    cannot show them, as `more` tells: other keys of the step."""

    kind: str
    line: int
    place: int
    verb: str
    fields: tuple[Field, ...] = ()
    buttons: tuple[str, ...] | None = None
    more: tuple[str, ...] = ()


class RuleForm(msgspec.Struct, frozen=True):
    """`words`: None where what the rule listens to is more than words; `conditions`: what else it asks for; `more`:
    other keys of the rule."""

    place: int
    line: int
    name: str
    words: tuple[str, ...] | None
    conditions: tuple[str, ...]
    steps: tuple[Step, ...]
    more: tuple[str, ...] = ()


def rules_of(root: Node) -> list[Node]:
    found = child(root, "rules")
    return found.value if isinstance(found, SequenceNode) else []


def rule_form(node: Node, place: int) -> RuleForm:
    when, do = child(node, "when"), child(node, "do")
    steps = do.value if isinstance(do, SequenceNode) else []
    others = tuple(name for name in names(when) if name != "says")
    more = tuple(name for name in names(node) if name not in ("name", "when", "do"))
    shown: list[Step] = []
    for number, step in enumerate(steps):
        made = step_form(step, number)
        room = sum(len(one.fields) + 1 for one in (*shown, made)) <= MOST_FIELDS
        shown.append(made if room else Step("other", made.line, number, made.verb))
    return RuleForm(
        place, node.line, text_of(child(node, "name")), lines_of(child(when, "says")), others,
        tuple(shown), more,
    )  # fmt: skip


def step_form(node: Node, place: int) -> Step:
    keys = names(node)
    verb = keys[0] if keys else ""
    if "say" in keys:
        fields = tuple(field(one, f"say.{place}") for one in texts_in(node))
        more = tuple(key for key in keys if key not in ("say", "buttons"))
        buttons = child(node, "buttons")
        known = buttons is None or lines_of(buttons) is not None
        shown = (lines_of(buttons) or ()) if known else None
        return Step("say", node.line, place, verb, fields, shown, more if known else (*more, "buttons"))
    reason = child(node, "handoff")
    if isinstance(reason, ScalarNode):
        more = tuple(key for key in keys if key != "handoff")
        return Step("handoff", node.line, place, "handoff", (Field(f"handoff.{place}", reason.value),), None, more)
    return Step("other", node.line, place, verb)


def texts_in(step: Node) -> list[Spoken]:
    node = child(step, "say")
    return list(said(node, (), "say")) if node is not None else []


def field(one: Spoken, stem: str) -> Field:
    numbers = [part for part in one.place if isinstance(part, int)]
    return Field(
        ".".join([stem, *map(str, one.place)]), one.node.value, one.language, numbers[-1] + 1 if numbers else 0
    )


def names(node: Node | None) -> list[str]:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return [key.value for key, _ in pairs if isinstance(key, ScalarNode)]


def text_of(node: Node | None) -> str:
    return node.value if isinstance(node, ScalarNode) else ""


def texts_of(node: Node | None) -> tuple[str, ...] | None:
    """A text or a list of texts; None for anything else."""
    if isinstance(node, ScalarNode) and not node.empty:
        return (node.value,)
    if isinstance(node, SequenceNode) and all(isinstance(item, ScalarNode) for item in node.value):
        return tuple(item.value for item in node.value if isinstance(item, ScalarNode))
    return None


def lines_of(node: Node | None) -> tuple[str, ...] | None:
    """Texts that can stand one a line."""
    found = texts_of(node)
    return None if found is None or any("\n" in text for text in found) else found


# ---- what comes back ------------------------------------------------------------------------------------------------


def lines(text: str) -> list[str]:
    """One a line, without empty ones and repeats."""
    found = (" ".join(line.split()) for line in text.split("\n"))
    return list(dict.fromkeys(line for line in found if line))


def merged(text: str, old: tuple[str, ...]) -> list[str]:
    """The same; those that were there before stay as they were written."""
    known = {" ".join(word.split()): word for word in reversed(old)}
    found = [known.get(line, line) for line in lines(text)]
    return [*old] if lines(text) == lines("\n".join(old)) else found


def changed(source: Source, place: int, given: Mapping[str, str]) -> list[Edit]:
    """What to change in rule number `place`. Fields that are not given stay. Raises `ByHand`, `LookupError`."""
    node = rules_of(source.root)[place]
    form = rule_form(node, place)
    edits: list[Edit] = []
    if given.get("name", form.name) != form.name:
        edits += reworded(source, child(node, "name"), given["name"])
    says = child(child(node, "when"), "says")
    if "words" in given and form.words is not None and says is not None:
        words = merged(given["words"], form.words)
        edits += source.set_texts(says, words or [""]) if words != [*form.words] else []
    do = child(node, "do")
    if isinstance(do, SequenceNode):
        for number, step in enumerate(form.steps):
            edits += changed_step(source, do, number, step, given)
        edits += added_steps(source, do, given)
    return edits


def changed_step(source: Source, do: SequenceNode, place: int, step: Step, given: Mapping[str, str]) -> list[Edit]:
    node = do.value[place]
    if step.kind == "handoff":
        [reason] = step.fields
        wanted = given.get(reason.name, reason.value)
        if wanted == reason.value:
            return []
        if not wanted and len(do.value) > 1:
            return source.drop_items(do, place, place + 1)
        return reworded(source, child(node, "handoff"), wanted)
    edits: list[Edit] = []
    texts = texts_in(node) if step.kind == "say" else []
    for one, shown in zip(texts, step.fields, strict=False):
        wanted = given.get(shown.name, shown.value).rstrip("\n")
        if wanted != shown.value.rstrip("\n"):
            ends = shown.value[len(shown.value.rstrip("\n")) :]
            edits += reworded(source, one.node, wanted + ends if wanted else "")
    name = f"buttons.{place}"
    if name in given and step.buttons is not None:
        titles = merged(given[name], step.buttons)
        edits += buttons(source, node, titles) if titles != [*step.buttons] else []
    return edits


def reworded(source: Source, node: Node | None, value: str) -> list[Edit]:
    if not isinstance(node, ScalarNode):
        raise ByHand(N_("There is no text at this place."))
    return source.set_text(node, value)


def buttons(source: Source, step: Node, titles: list[str]) -> list[Edit]:
    old = child(step, "buttons")
    if not isinstance(step, MappingNode):
        raise ByHand(N_("There is no text at this place."))
    if old is None:
        return source.put_key(step, "buttons", titles, "say")
    return source.set_texts(old, titles) if titles else source.drop_key(step, "buttons")


def added_steps(source: Source, do: SequenceNode, given: Mapping[str, str]) -> list[Edit]:
    """An answer comes first, a hand-off last."""
    edits: list[Edit] = []
    if given.get("say.new"):
        edits += source.add_items(do, 0, [f"{{say: {written(given['say.new'])}}}"])
    if given.get("handoff.new"):
        edits += source.add_items(do, len(do.value), [f"{{handoff: {written(given['handoff.new'])}}}"])
    return edits


def new_rule(given: Mapping[str, str]) -> dict[str, Any]:
    """A rule as the form of a new one describes it."""
    steps: list[dict[str, Any]] = []
    if given.get("say.new"):
        titles = lines(given.get("buttons.new", ""))
        steps.append({"say": given["say.new"]} | ({"buttons": titles} if titles else {}))
    if given.get("handoff.new"):
        steps.append({"handoff": given["handoff.new"]})
    return {"name": given.get("name", ""), "when": {"says": lines(given.get("words", ""))}, "do": steps}


def arranged(source: Source, place: int, how: str) -> list[Edit]:
    """Rule number `place` one up, one down, or gone. Raises `ByHand`, `LookupError`."""
    rules = child(source.root, "rules")
    if not isinstance(rules, SequenceNode) or place >= len(rules.value):
        raise LookupError
    if how == "remove":
        return source.drop_items(rules, place, place + 1)
    first = place - 1 if how == "up" else place
    return source.swap(rules, first) if 0 <= first < len(rules.value) - 1 else []
