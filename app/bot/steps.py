"""The steps of a document made ready to run: texts checked, buttons given ids, whatever is constant built once."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

from app.bot.acts import Act
from app.bot.composing import compose
from app.bot.flow import Move
from app.bot.grammar import Button, Give, Group, Header, Rule, Say, Show, Step
from app.bot.index import Builder
from app.bot.messages import Message, React
from app.bot.program import Assembler, Program
from app.bot.scene import Effect, HandOff, Send
from app.bot.secret import Sealed
from app.bot.shape import Located, Problem
from app.bot.text import Text, TextError, compile_text
from app.bot.values import OUTPUT, Room
from app.bot.words import paired, words
from app.content import Audio, Buttons, Choice, ChoiceList, Content, Document, Image, Section, Video
from app.content import Text as Words
from app.said import N_

EMPTY = Text("")
Made = TypeVar("Made", Text, Sealed)
FILES: dict[str, Callable[..., Any]] = {"image": Image, "video": Video, "audio": Audio, "document": Document}


class Saying(msgspec.Struct, frozen=True):
    """Sends one content. `ready` holds it for each variant when nothing is to be filled in; `build` makes None where
    nothing can be sent. `quote`: it is about the message that came."""

    texts: tuple[Text, ...]
    build: Callable[[Room, str], Content | None]
    ready: tuple[Content, ...] | None
    quote: bool = False


class Handing(msgspec.Struct, frozen=True):
    reason: Text
    team: Text = EMPTY


Ready = Saying | Handing


class Question(msgspec.Struct, frozen=True):
    saying: Saying
    choices: tuple[Choice, ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """The steps of one rule. `effects` is the whole outcome when it is constant and plain texts only, the longest
    of which has `longest` characters; `line` is the rule's; `goes_on`: the rules after it are asked, too."""

    name: str
    line: int
    steps: tuple[Ready, ...]
    effects: tuple[Effect, ...] | None
    longest: int = 0
    program: Program | None = None
    goes_on: bool = False


def plan(
    name: str, line: int, steps: tuple[Step, ...], compiler: "Compiler", key: str = "", *, interrupt: bool = False
) -> Plan:
    """`key` is what a conversation that waits in these steps remembers them by. Steps that only say something need no
    program, unless they may interrupt one."""
    key = key or f"rule {name}"
    if any(isinstance(step, Move | Act) for step in steps):
        return Plan(name, line, (), None, 0, Assembler(compiler).program(key, name, steps))
    ready = tuple(compiler.step(step) for step in steps if not isinstance(step, Move | Act))
    effects = _constant_effects(name, ready)
    contents = [effect.content for effect in effects or () if isinstance(effect, Send)]
    lengths = [len(content.text) for content in contents if isinstance(content, Words)]
    return Plan(
        name, line, ready, effects if sum(lengths) <= OUTPUT else None, max(lengths, default=0),
        Program(key, name, ready) if interrupt else None,
    )  # fmt: skip


def plan_rule(rule: Rule, compiler: "Compiler") -> Plan:
    made = plan(rule.name.text, rule.line, rule.do, compiler, interrupt=rule.interrupt)
    return msgspec.structs.replace(made, goes_on=True) if rule.goes_on else made


def flow(name: str, steps: tuple[Step, ...], compiler: "Compiler") -> Program:
    return Assembler(compiler).program(f"flow {name}", f"flow {name}", steps)


def _is_plain(content: Content) -> bool:
    return isinstance(content, Words)


def _constant_effects(name: str, steps: tuple[Ready, ...]) -> tuple[Effect, ...] | None:
    effects: list[Effect] = []
    for step in steps:
        if isinstance(step, Handing):
            if step.reason.constant is None or step.team.constant is None:
                return None
            effects.append(HandOff(step.reason.constant, name, step.team.constant))
            break  # nothing more is said
        elif step.ready is None or len(step.ready) != 1 or not _is_plain(step.ready[0]) or step.quote:
            return None
        else:
            effects.append(Send(step.ready[0], name))
    return tuple(effects)


class Compiler:
    """Makes steps ready and collects what is wrong with their texts. `language` is the document's."""

    def __init__(self, problems: list[Problem], flows: Iterable[str] = (), language: str = "") -> None:
        self.problems, self.language, self.pairs = problems, language, paired(language)
        self.flows = frozenset(flows)
        self.patterns = Builder({})
        self.names: list[tuple[str, int, int]] = []
        self.secrets: list[tuple[str, Located]] = []

    def step(self, step: Say | Show | Message | Give) -> Ready:
        match step:
            case Give():
                return Handing(self.text(step.reason), self.text(step.team))
            case Show():
                return self.show(step)
            case Say():
                return self.say(step)
            case _:
                return self.message(step)

    def message(self, step: Message) -> Saying:
        """A place, a card, a reaction or a template: one content without texts to choose from."""
        make, constant = compose(step, self)
        quote = isinstance(step, React) or getattr(step, "quote", False)
        return _saying((EMPTY,), lambda room, text: make(room), constant, quote)

    def saying(self, step: Step) -> Saying | None:
        """A step that sends something; None if it does anything else."""
        ready = None if isinstance(step, Move | Act) else self.step(step)
        return ready if isinstance(ready, Saying) else None

    def text(self, source: Located | None) -> Text:
        """A checked text; names it reads are noted with their place for the lint."""
        if source is None:
            return EMPTY
        return self.compiled(source, compile_text) or EMPTY

    def compiled(self, source: Located, compile_: Callable[[str], Made], known: str = "") -> Made | None:
        """What `compile_` makes of a text, or None and a problem; `known` is a name that the lint does not ask for."""
        try:
            made = compile_(source.text)
        except TextError as error:
            self.problems.append(Problem(self.line(source, error.line), source.column, error.said))
            return None
        read = [(name, line) for name, line in made.names if not known or name.split(".", 1)[0] != known]
        self.names += [(name, self.line(source, line), source.column) for name, line in read]
        return made

    def line(self, source: Located, within: int) -> int:
        return source.line + within - (0 if source.block else 1)

    def fixed(self, source: Located | None) -> str:
        """A text that may not hold places to fill in, as titles are what the network compares."""
        if source is None:
            return ""
        if "{{" in source.text or "{%" in source.text:
            self.problems.append(Problem(source.line, source.column, N_("Titles and ids hold no places to fill in")))
        return source.text.strip()

    def show(self, step: Show) -> Saying:
        url, caption, filename = self.text(step.url), self.text(step.caption), self.fixed(step.filename)
        make = FILES[step.kind]
        more = {"filename": filename} if filename else {}

        def build(room: Room, text: str) -> Content:
            content: Content = make(url=url.render(room).strip(), caption=text, **more)
            return content

        return _saying((caption,), build, url.constant is not None, step.quote)

    def say(self, step: Say) -> Saying:
        texts = tuple(self.text(text) for text in step.texts)
        footer = self.text(step.footer)
        header, header_is_constant = self.header(step.header)
        constant = header_is_constant and footer.constant is not None
        if step.menu is not None:
            return _saying(texts, self.menu(step, header, footer), constant, step.quote)
        if step.buttons:
            choices = self.choices(step.buttons, set())

            def build(room: Room, text: str) -> Content:
                return Buttons(text, choices, header(room), footer.render(room).strip())

            return _saying(texts, build, constant, step.quote)
        return _saying(texts, lambda room, text: Words(text), True, step.quote)

    def question(self, text: Located, buttons: tuple[Button, ...]) -> Question:
        """What a question says, with its choices."""
        words, choices = self.text(text), self.choices(buttons, set())
        if choices:
            return Question(_saying((words,), lambda room, text: Buttons(text, choices), True), choices)
        return Question(_saying((words,), lambda room, text: Words(text), True))

    def pattern(self, source: Located) -> Any:
        """The compiled pattern of an answer; None if it was refused."""
        self.patterns.problems = self.problems
        return self.patterns.pattern(source)

    def menu(self, step: Say, header: Callable[[Room], Any], footer: Text) -> Callable[[Room, str], Content]:
        assert step.menu is not None
        label, taken = self.fixed(step.menu.label), set[str]()
        sections = tuple(self.section(group, taken) for group in step.menu.sections)
        return lambda room, text: ChoiceList(text, label, sections, header(room), footer.render(room).strip())

    def section(self, group: Group, taken: set[str]) -> Section:
        return Section(self.choices(group.choices, taken), self.fixed(group.title))

    def header(self, header: Header | None) -> tuple[Callable[[Room], Any], bool]:
        if header is None:
            return (lambda room: ""), True
        text = self.text(header.value)
        if header.kind == "text":
            return (lambda room: text.render(room).strip()), text.constant is not None
        make = FILES[header.kind]
        return (lambda room: make(url=text.render(room).strip())), text.constant is not None

    def choices(self, buttons: tuple[Button, ...], taken: set[str]) -> tuple[Choice, ...]:
        """Choices with ids. Two that read the same, or have the same id, cannot be told apart and are refused."""
        made: list[Choice] = []
        for button in buttons:
            title, given = self.fixed(button.title), self.fixed(button.id)
            identity = given or slug(title)
            for key, what in ((f"title {' '.join(words(title)) or title}", title), (f"id {identity}", identity)):
                if key in taken:
                    place = button.title
                    self.problems.append(
                        Problem(place.line, place.column, N_("“{what}” is offered twice in one message", what=what))
                    )
                taken.add(key)
            made.append(Choice(identity, title, self.fixed(button.description)))
        return tuple(made)


def slug(title: str) -> str:
    """`Talk to a person` → `talk-to-a-person`; short enough for every network's button data (64 bytes)."""
    text = "-".join(words(title)) or title
    return text.encode("utf-8", "replace")[:60].decode("utf-8", "ignore")


def _saying(
    texts: tuple[Text, ...], build: Callable[[Room, str], Content | None], constant: bool, quote: bool = False
) -> Saying:
    ready = None
    if constant and all(text.constant is not None for text in texts):
        room = Room({})
        made = [build(room, (text.constant or "").strip()) for text in texts]
        ready = tuple(content for content in made if content is not None)
    return Saying(texts, build, ready if ready and len(ready) == len(texts) else None, quote)
