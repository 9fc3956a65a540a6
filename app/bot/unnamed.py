"""Takes out who somebody is: names, numbers and addresses of a contact give way to those of nobody. Pure."""

import re
from collections.abc import Iterable
from typing import Any, Final

from app.bot.scene import ContactView

NAME: Final = "Kim Example"
FIRST: Final = "Kim"
MAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
NUMBER: Final = re.compile(r"\+?\d(?:[ ().-]{0,2}\d){7,14}(?!\d)")
DIGITS: Final = re.compile(r"\d")
SHORTEST: Final = 3  # letters of a name that is looked for


class Unnamed:
    """`said` are the contact's own words: numbers of 8 to 15 digits and e-mail addresses in them are theirs. The same
    one gives way to the same each time; a number keeps its form."""

    def __init__(self, contact: ContactView, said: Iterable[str]) -> None:
        self.contact = contact
        self.numbers: dict[str, str] = {}
        self.mails: dict[str, str] = {}
        words = [contact.name, contact.first_name, contact.username, *contact.name.split()]
        known = sorted({word.strip() for word in words if len(word.strip()) >= SHORTEST}, key=len, reverse=True)
        self.names = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in known) or r"(?!)", re.IGNORECASE)
        if len(digits(contact.phone)) >= SHORTEST:
            self.number(digits(contact.phone))
        for text in said:
            for found in MAIL.findall(text):
                self.mails.setdefault(found.lower(), f"customer{len(self.mails) + 1}@example.com")
            for found in NUMBER.findall(MAIL.sub("", text)):
                self.number(digits(found))

    def number(self, known: str) -> None:
        fresh = f"5550{len(self.numbers) + 100}"
        self.numbers.setdefault(known, (fresh * 3)[: len(known)])

    def view(self) -> dict[str, object]:
        """The contact of a test: somebody of whom as much is known."""
        contact, found = self.contact, dict[str, object]()
        if contact.name.strip():
            found["name"] = NAME
        if contact.phone:
            found["phone"] = self.text(contact.phone)
        if contact.username:
            found["username"] = FIRST.lower()
        if contact.language:
            found["language"] = contact.language
        return found | ({"tags": list(contact.tags)} if contact.tags else {})

    def text(self, text: str) -> str:
        """What the contact wrote, as nobody's."""
        return self.told(text, star=False)

    def pattern(self, text: str) -> str:
        """What the bot said, as a pattern that has a star for each of them."""
        return self.told(text, star=True)

    def value(self, value: Any) -> Any:
        """A value of JSON, in whose texts the contact gives way."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {name: self.value(item) for name, item in value.items()}
        return [self.value(item) for item in value] if isinstance(value, list) else value

    def told(self, text: str, *, star: bool) -> str:
        def mail(found: re.Match[str]) -> str:
            fresh = self.mails.get(found[0].lower())
            return found[0] if fresh is None else "*" if star else fresh

        def number(found: re.Match[str]) -> str:
            fresh = self.numbers.get(digits(found[0]))
            if fresh is None or star:
                return found[0] if fresh is None else "*"
            each = iter(fresh)
            return DIGITS.sub(lambda _: next(each), found[0])

        def name(found: re.Match[str]) -> str:
            return "*" if star else NAME if " " in found[0] else FIRST

        return self.names.sub(name, NUMBER.sub(number, MAIL.sub(mail, text)))


def digits(text: str) -> str:
    return "".join(DIGITS.findall(text))
