"""WhatsApp as a linked device, as WhatsApp Web is: a phone's own number, no business account. Needs the extra `web`.

An event comes in through `native.py` → `session.py` → `reading.py` → `contents.py`, a state through `states.py`;
a message goes out through `session.py` → `sending.py` → `writing.py`, `files.py`. What the library does wrong is in
`native.py`. Networks that take no official road can close an account: `pacing.py` and the notice before linking.
"""

import re
from collections.abc import Mapping

from app.connectors.base import Channel, PairLimit, Problem, Session, Setting
from app.connectors.whatsapp_web import limits
from app.connectors.whatsapp_web.session import WebSession
from app.content import Content
from app.said import N_, Sentence, mark

DIGITS = re.compile(r"[1-9]\d{6,14}")


class WhatsAppWeb:
    """One phone number; the account is its digits."""

    kind = "whatsapp_web"
    label = "WhatsApp Web"
    capabilities = limits.CAPABILITIES
    default_rate = 0.5
    pair_limit: PairLimit | None = None
    risk = mark(
        "This is not an official way into WhatsApp and breaks its terms: WhatsApp can block the number for a time or "
        "for good, also with few messages. Use a number that you can do without, or the Cloud API. Parley answers only "
        "people who have written, and no faster than a person would."
    )
    settings: tuple[Setting, ...] = (
        Setting(
            "phone",
            mark("Phone number"),
            mark("The number of the phone that is to be linked, with its country code."),
            example="+49 30 1234567",
        ),
        Setting(
            "risk",
            mark("I know the risk"),
            mark("WhatsApp can block a number that is linked to a program. Yes, to go on all the same."),
            example="yes",
        ),
        Setting(
            "device",
            mark("Name of the device"),
            mark("What the phone shows in its list of linked devices."),
            required=False,
            example="Parley",
        ),
        Setting(
            "away",
            mark("Answer late, in minutes"),
            mark(
                "What people wrote longer ago than this while the phone was not linked or Parley did not run is not "
                "answered but listed: you say what becomes of it. Usually 10."
            ),
            required=False,
            example="10",
            form=r"[1-9]\d{0,3}",
        ),
        Setting(
            "buttons",
            mark("Buttons"),
            mark(
                "Usually buttons are a text with numbers, because many phones do not show those of linked devices. "
                "“buttons” sends real ones after that text, “poll” makes them a poll, which every phone shows."
            ),
            required=False,
            example="numbers",
            form="numbers|buttons|poll",
        ),
        Setting(
            "groups",
            mark("Groups"),
            mark(
                "Usually what is written in groups is left out. Yes answers there whoever mentions the number or "
                "answers what it said; a prefix, as !shop, also whoever begins with it."
            ),
            required=False,
            example="no",
            form=r"\S{1,20}",
        ),
        Setting(
            "a_day",
            mark("Messages a day"),
            mark("At most. A new link begins with a tenth of it and has all of it after a week. Usually 1000."),
            required=False,
            example="1000",
            form=r"[1-9]\d{0,4}",
        ),
        Setting(
            "an_hour",
            mark("Messages an hour"),
            mark("At most, as above. Usually 200."),
            required=False,
            example="200",
            form=r"[1-9]\d{0,3}",
        ),
        Setting(
            "strangers",
            mark("Write to people first"),
            mark(
                "Usually only people who have written are written to. Yes lifts this for ten people a day, and is what "
                "WhatsApp blocks numbers for most often."
            ),
            required=False,
            example="no",
        ),
        Setting(
            "process",
            mark("Process"),
            mark(
                "Usually one process carries all channels. Own gives this one a process of its own: a crash of the "
                "client program stops nothing else then, for about 60 MB of memory. After a crash Parley does it by "
                "itself."
            ),
            required=False,
            example="own",
        ),
    )

    def open_session(self, channel: Channel) -> Session:
        return WebSession(channel)

    def account_of(self, config: Mapping[str, str]) -> str:
        return re.sub(r"\D", "", config.get("phone", ""))

    def check(self, content: Content) -> Problem | None:
        return limits.check(content)

    def check_settings(self, values: Mapping[str, str]) -> dict[str, Sentence]:
        """A sentence for each setting that cannot be."""
        wrong: dict[str, Sentence] = {}
        if "phone" in values and not DIGITS.fullmatch(self.account_of(values)):
            wrong["phone"] = N_("A phone number has 7 to 15 digits, the country code first.")
        if "risk" in values and values["risk"] != "yes":
            wrong["risk"] = N_("A device is linked only by someone who knows the risk: yes.")
        if values.get("process", "own") not in ("own", "shared"):
            wrong["process"] = N_("Own or shared.")
        if values.get("strangers", "no") not in ("yes", "no"):
            wrong["strangers"] = N_("Yes or no.")
        return wrong
