"""What is said in a demo: chats of a bakery, and for the other starters those of their own tests.

A line is what the customer writes, and presses the button of that name if the bot has just offered it. `< ` begins what
somebody of the team answers. `[picture]`, `[voice]`, `[place]` and `[heart]` send what they say, the words behind them
go along.
"""

from typing import Final

import msgspec

from app.bot.answers import Answer
from app.bot.document import Document

TEAM: Final = "< "
OWN: Final = 3  # how much more often the starter's own chats happen than what happens everywhere
LATE: Final = "< Hello, here I am. Sorry that you had to wait, how can I help?"


class Chat(msgspec.Struct, frozen=True):
    """`weight`: how often it happens, beside the others. `language` is the customer's. `calls`: what web services
    answer meanwhile."""

    lines: tuple[str, ...]
    weight: int = 4
    language: str = "en"
    calls: tuple[Answer, ...] = ()

    @property
    def needs_team(self) -> bool:
        return any(line.startswith(TEAM) for line in self.lines)


# What customers ask everywhere and no starter knows: the page of unanswered questions lives of it.
UNKNOWN: Final = (
    Chat(("hi", "can I pay by card?", "ok"), 3),
    Chat(("do you take cards?",), 3),
    Chat(("Can I pay with card please",), 2),
    Chat(("is there parking near you?",), 2),
    Chat(("hello", "is there a car park near you"), 2),
    Chat(("are dogs allowed inside?",), 2),
    Chat(("are you hiring? my son is looking for a summer job",), 1),
)
FOREIGN: Final = (
    Chat(("hola", "¿Tienen algo para mañana?", "¿Hay alguien?", "< ¡Hola! Sí, dígame.", "gracias 🙏"), 4, "es"),
    Chat(("oi", "vocês têm vaga para sábado?", "por favor", "< Oi! Tem sim. Que horas?", "às 10h, obrigada!"), 4, "pt"),
    Chat(("Guten Tag", "Kann ich mit Karte zahlen?", "< Guten Tag, ja, ab 5 Euro.", "Danke!"), 3, "de"),
    Chat(("Bonjour", "Vous êtes ouverts lundi ?", "< Bonjour, oui, dès 8 heures.", "Merci beaucoup"), 3, "fr"),
    Chat(("Dzień dobry", "Czy można płacić kartą?", "< Tak, oczywiście!"), 2, "pl"),
    Chat(("Добрий день", "Ви працюєте в неділю?", "< Добрий день! Зачинено."), 2, "uk"),
    Chat(("مرحبا", "هل أنتم مفتوحون يوم الجمعة؟", "< أهلاً! نعم، من الثامنة صباحاً.", "شكراً جزيلاً"), 3, "ar"),
    Chat(("שלום", "אתם פתוחים היום?", "< שלום! כן, עד שש."), 2, "he"),
    Chat(("नमस्ते", "क्या आज शाम तक मिल जाएगा?", "< जी हाँ, पाँच बजे तक।", "धन्यवाद"), 2, "hi"),
    Chat(("こんにちは", "土曜日は何時までですか?", "< こんにちは。12時までです。"), 2, "ja"),
    Chat(("你好", "今天还开门吗?", "< 你好,开到六点。", "谢谢"), 2, "zh"),
)  # fmt: skip

BAKERY: Final = (
    Chat(("hi", "Menu", "Sourdough", "thanks"), 9),
    Chat(("good morning", "Opening hours"), 9),
    Chat(("when do you close today?", "thank you 🙏"), 7),
    Chat(("hello", "Menu", "Strawberry cake"), 6),
    Chat(("do you deliver?", "great, thanks"), 7),
    Chat(("Is the corn bread gluten free?", "thank you!"), 5),
    Chat(("what do you have today", "Cupcakes"), 4),
    Chat(("hey", "do you have rolls?"), 4),
    Chat(("how much is a birthday cake", "thx"), 4),
    Chat(("do you have vegan cake",), 2),
    Chat(("do you sell coffee too?",), 2),
    Chat(("have you got oat milk for the coffee?",), 1),
    Chat(
        ("hi", "I want to order a cake", "strawberry cake", "1", "Saturday",
         "< Hello! One strawberry cake for Saturday. At what time will you come?", "around ten",
         "< Perfect, ten. See you on Saturday!", "[heart]"), 6,
    ),
    Chat(
        ("order", "sourdough", "a few", "3", "tomorrow morning",
         "< Three sourdough for tomorrow, from 8:00. Anything else?", "no, that is all", "< Have a good day!"), 6,
    ),
    Chat(
        ("can I place an order?", "cupcakes", "do you deliver?", "cupcakes", "24", "Friday",
         "< 24 cupcakes for Friday. Mixed, or one kind?", "mixed please", "< Noted. 48.00 in all, you can pay here.",
         "thank you so much"), 5,
    ),
    Chat(("order", "rye bread", "never mind"), 3),
    Chat(
        ("hi", "I want to order a cake for my *mum's 70th* birthday", "a birthday cake", "1", "Sunday",
         "[picture] 24 slices, like this one but with _strawberries_ 🍓",
         "< What a lovely cake! With strawberries, yes. Shall we write a name on it?", "Lucia, please",
         "< Done. It will be ready at ten."), 3,
    ),
    Chat(
        ("talk to a person", "< Hello! How can I help?", "Did I leave my umbrella in the shop yesterday?",
         "< Yes! It is behind the counter.", "you are the best ❤️"), 4,
    ),
    Chat(("hello", "Talk to a person", "[voice]", "< I listened to it. Yes, we can do that!", "perfect 👍"), 2),
    Chat(("[place] The party is here", "talk to a person", "< Yes, we can bring it there. At four?", "great"), 2),
)  # fmt: skip


def of(starter: str, document: Document) -> tuple[Chat, ...]:
    """The chats of this starter, with those that happen everywhere."""
    own = BAKERY if starter == "bakery" else (*tested(document), *asked(document))
    return (*(msgspec.structs.replace(chat, weight=OWN * chat.weight) for chat in own), *UNKNOWN, *FOREIGN)


def tested(document: Document) -> tuple[Chat, ...]:
    """What the customer says in each test; somebody answers where the bot gives the conversation away."""
    found = []
    for case in document.tests:
        lines = tuple(line.text.text for line in case.chat if line.who in ("user", "button"))
        handed = any(line.who == "handoff" for line in case.chat)
        said = (*lines, "< Thank you, I have it here.", "great, thanks") if handed else lines
        found.append(Chat(said, 8, calls=case.calls))
    return tuple(found)


def asked(document: Document) -> tuple[Chat, ...]:
    """A greeting and one question for each rule that listens to words."""
    heard = [rule.says.any[0].text for rule in document.rules if rule.says.any]
    return tuple(Chat(("hi", words, "thank you"), 5) for words in heard)
