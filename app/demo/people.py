"""The made-up customers: names of many scripts, and numbers that no person can have.

Their numbers are those kept for fiction: +44 7700 900000 to 900999 are given to nobody.
"""

from typing import Final

import msgspec

FIRST_NUMBER: Final = 447700900000


class Person(msgspec.Struct, frozen=True):
    """`language` is what they write in; the bot answers in its own."""

    name: str
    language: str
    phone: str


_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "en": (
        "Ana Beatriz Souza", "Oliver Bennett", "Amelia Clarke", "Harry Whitfield", "Grace Okafor", "Jack Thornton",
        "Isla Murray", "Noah Sinclair", "Sophie Hargreaves", "Leo Fitzgerald", "Emily Watts", "Thomas Ashdown",
        "Charlotte Pryce", "George Adeyemi", "Mia Robertson", "Arthur Penhaligon", "Freya Lindqvist", "Sam Carter",
        "Ruby Nwosu", "Daniel Kowalczyk", "Lucy Marsh", "Ben Abrahams", "Hannah Doyle", "Adam Siddiqui", "Zoe Baptiste",
        "Chris & Pat (No. 14)", "Café Aurora (wholesale)", "Mrs Pemberton", "Tom", "Nan 💐", "Priya Raman",
        "Kwame Mensah", "Eleanor Rigg", "Jonah Weiss", "Maeve O'Sullivan", "Rosie T.", "Victor Chen", "Yasmin Haddad",
        "Peter Novak", "Claire Dubois", "Stan", "", "Beth Llewellyn", "Farah Qureshi", "Ian McAllister", "Joy Achieng",
        "Rachel Stein", "Luca Moretti", "Megan Hughes", "Dr. Winterbourne", "School kitchen, St Mary's",
    ),
    "es": ("Lucía Fernández", "Javier Ortega", "Carmen Ruiz"),
    "pt": ("Dona Lúcia", "João Pereira", "Mariana Alves"),
    "de": ("Katrin Vogel", "Jürgen Mäckel"),
    "fr": ("Camille Laurent", "Étienne Mercier"),
    "pl": ("Tomasz Wiśniewski",),
    "uk": ("Олена Шевченко",),
    "ar": ("أحمد الخطيب", "ليلى حداد"),
    "he": ("נועה לוי",),
    "hi": ("प्रिया शर्मा",),
    "ja": ("田中 恵子",),
    "zh": ("王小明",),
}  # fmt: skip

PEOPLE: Final = tuple(
    Person(name, language, str(FIRST_NUMBER + 7 * place + 101))
    for place, (name, language) in enumerate((name, language) for language, names in _NAMES.items() for name in names)
)
