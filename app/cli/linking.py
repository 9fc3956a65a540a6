"""Linking a phone in the terminal: the QR code, or the code to type, until the phone is linked."""

import time
from collections.abc import Callable
from typing import Any

from app import qr
from app.cli import output
from app.i18n import _

STEP = 1.0
WAITING = ("starting", "pairing", "reconnecting")
FIRST_CODE = 30.0  # seconds in which WhatsApp has to show a first code

Ask = Callable[..., dict[str, Any]]


def follow(ask: Ask, name: str, *, code: bool) -> int:
    """Show each code as it comes. Returns 0 once the phone is linked, 1 where linking ended otherwise. `ask` carries
    out `channel.link`."""
    told = ask(name=name, code=False, again=True)
    shown, typed, began = "", "", time.monotonic()
    while told["state"] in WAITING:
        if told["code"] not in ("", typed):
            typed = told["code"]
            output.say(_("On the phone: Linked devices, Link with phone number. The code: {code}").format(code=typed))
        elif not code and told["qr"] not in ("", shown):
            shown = told["qr"]
            output.say(qr.lines(shown))
            output.say(_("On the phone: Linked devices, Link a device. Scan this code."))
        if not (told["qr"] or shown or typed) and time.monotonic() - began > FIRST_CODE:
            break
        time.sleep(STEP)
        told = ask(name=name, code=code and not typed and bool(told["qr"]), again=False)
    if told["state"] == "connected":
        output.say(_("“{name}” is linked to +{number}.").format(name=told["name"], number=told["number"]))
        return 0
    output.say(_(told["state_text"]))
    return 1
