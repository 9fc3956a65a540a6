"""`python -m tests.browser.screenshots FOLDER [NAME…]`: a filled installation in both themes, on desktop and phone."""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from app.db import Query
from tests.browser import filled, programs
from tests.browser.house import House
from tests.browser.visitor import DESKTOP, PHONE, Visitor, chromium

CHAT = Query("select v.id from conversation v join contact c on c.id = v.contact_id where c.phone = :phone", int)
CONTACT = Query("select id from contact where phone = :phone", int)
BOT = Query("select min(id) from bot", int)


SHOWN = ("home", "inbox", "channels", "bots", "simulator")  # what docs/ keeps; name others on the command line


def chat_of(house: House, phone: str) -> int:
    """The conversation with this number."""
    found = house.run(house.rt.db.reader.one(CHAT, phone=phone))
    assert found is not None
    return found


def contact_of(house: House, phone: str) -> int:
    found = house.run(house.rt.db.reader.one(CONTACT, phone=phone))
    assert found is not None
    return found


def pictures(house: House) -> dict[str, str]:
    """Name of a picture → what it shows."""
    shop = next(live.row.id for live in house.rt.channels.by_id.values() if live.row.name == "Shop")
    bot = house.run(house.rt.db.reader.one(BOT))
    webhook = programs.add(house)
    return {
        "home": "/",
        "inbox": f"/inbox/{chat_of(house, '5511987654321')}?view=all",
        "inbox-long": f"/inbox/{chat_of(house, '34600111222')}?view=bot",
        "inbox-arabic": f"/inbox/{chat_of(house, '966501234567')}?view=waiting",
        "inbox-hindi": f"/inbox/{chat_of(house, '919812345678')}?view=waiting",
        "inbox-list": "/inbox?view=all",
        "steps": f"/inbox/{chat_of(house, '5511987654321')}/steps",
        "steps-again": f"/inbox/{chat_of(house, '5511987654321')}/steps?with={bot}.0",
        "contacts": "/contacts",
        "contact": f"/contacts/{contact_of(house, '5511987654321')}",
        "contact-new": "/contacts/new",
        "contact-merge": f"/contacts/{contact_of(house, '5511987654321')}/merge?q=v",
        "contact-erase": f"/contacts/{contact_of(house, '34600111222')}/erase",
        "import": "/contacts/import",
        "analytics": "/analytics",
        "channels": "/channels",
        "channel": f"/channels/{shop}",
        "channel-new": "/channels/new/whatsapp_cloud",
        "bots": "/bots",
        "bot": f"/bots/{bot}",
        "rules": f"/bots/{bot}/rules?rule=0",
        "texts": f"/bots/{bot}/texts",
        "hours": f"/bots/{bot}/hours",
        "publish": f"/bots/{bot}/publish",
        "versions": f"/bots/{bot}/versions",
        "replay": f"/bots/{bot}/replay",
        "unanswered": f"/bots/{bot}/unanswered",
        "simulator": "/simulator",
        "settings": "/settings",
        "teams": "/settings/teams",
        "sessions": "/settings/sessions",
        "two-step": "/account/two-step",
        "secret-new": "/settings/secrets/new",
        "key-new": "/settings/keys/new",
        "webhook": f"/settings/webhooks/{webhook}",
        "webhook-edit": f"/settings/webhooks/{webhook}/edit",
        "setup-business": "/setup/business",
        "account": "/account",
    }


def shoot(house: House, folder: Path, names: Sequence[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for theme in ("light", "dark"):
            for form, size in (("", DESKTOP), ("-phone", PHONE)):
                visitor = Visitor(browser, house, theme=theme, size=size)
                visitor.log_in()
                for name, path in pictures(house).items():
                    if name in names:
                        visitor.go(path)
                        visitor.page.wait_for_timeout(150)  # pictures in the page, and motion that has to end
                        visitor.page.screenshot(path=str(folder / f"{name}{form}-{theme}.png"))
                for complaint in visitor.complaints():
                    print(f"{theme}{form}: {complaint}", file=sys.stderr)
                visitor.close()


def main() -> None:
    folder, names = Path(sys.argv[1]), sys.argv[2:] or SHOWN
    with tempfile.TemporaryDirectory(prefix="parley-shots-") as data:
        filled.fill(Path(data), time.time_ns() // 1_000_000)
        with House(Path(data)) as house:
            shoot(house, folder, names)


if __name__ == "__main__":
    main()
