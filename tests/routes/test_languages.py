"""That no page speaks around `_()`."""

import re

from tests.shell import House


async def test_every_readable_text_of_the_shell_can_be_translated(house: House) -> None:
    """In the pseudo-language every text is in brackets; what is not was written around `_()`."""
    await house.add_user()
    browser = await house.logged_in()
    await browser.submit("/account", {"name": "[Rosa]", "language": "xx", "zone": "", "theme": ""})
    await browser.get("/account")  # takes the sentence of the change, which was still English
    page = (await browser.get("/account")).text
    assert '<html lang="xx"' in page
    plain = re.sub(r"<(script|select|style|svg|kbd|time)\b.*?</\1>|<title>.*?</title>", " ", page, flags=re.DOTALL)
    texts = [text.strip() for text in re.findall(r">([^<>]+)<", plain) if re.search(r"[A-Za-z]{2}", text)]
    texts += re.findall(r'(?:aria-label|placeholder|data-offline)="([^"]+)"', plain)
    names = ("Parley", "127.0.0.1", "python-httpx", "[Rosa]")
    assert len(texts) > 20
    assert [text for text in texts if not text.startswith("[") and not any(name in text for name in names)] == []
