"""What a network can show. Data, read by the composer, the lint, the degrading rules and the outbox."""

import msgspec


class Capabilities(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a network can show; 0 means it cannot. Lengths in Unicode characters, sizes in bytes, times in seconds.

    `numbered`: buttons are shown with numbers, which are understood. `media`: kind → {mime: max bytes}. `window`:
    seconds in which free-form replies are allowed after the customer's last message (0 = always). `edit`, `delete`:
    seconds in which what was sent can be changed or taken back.
    """

    text: int = 4096
    caption: int = 1024
    buttons: int = 0
    button_title: int = 20
    button_text: int = 1024
    numbered: bool = False
    list_rows: int = 0
    list_title: int = 24
    list_description: int = 72
    list_label: int = 20
    list_text: int = 4096
    header: int = 60
    footer: int = 60
    media: dict[str, dict[str, int]] = {}
    location: bool = False
    contacts: bool = False
    reaction: bool = False
    template: bool = False
    quote: bool = False
    read_marks: bool = False
    typing: bool = False
    window: int = 0
    edit: int = 0
    delete: int = 0
