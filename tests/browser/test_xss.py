"""S19: hostile text in every place a customer or a network can write to. Nothing runs, nothing is fetched."""

from playwright.sync_api import Browser

from app import connecting, inbox
from app import content as c
from app.connectors.base import Address, Inbound
from tests.browser.house import House
from tests.browser.screenshots import chat_of
from tests.browser.test_inbox import ANA
from tests.browser.visitor import Visitor

MARK = "window.hit=1"
HOSTILE = (
    f"<script>{MARK}</script>",
    f'<img src=x onerror="{MARK}">',
    f"<svg/onload={MARK}>",
    f"<svg><script>{MARK}</script></svg>",
    f'"><img src=x onerror={MARK}>',
    f"'><svg onload={MARK}>",
    f"</textarea><script>{MARK}</script>",
    f"</title><script>{MARK}</script>",
    "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
    f"<a href=javascript:{MARK}>x</a>",
    f"javascript:{MARK}//https://x.example",
    f'https://x.example/"onmouseover="{MARK}',
    f"*<img src=x onerror={MARK}>* _<svg onload={MARK}>_",
    f"```<script>{MARK}</script>```",
    "<div hx-get='/inbox' hx-trigger='load'>x</div>",
    "<div data-hx-get='/inbox' data-hx-trigger='load'>x</div>",
    "<hx-partial hx-target='body'>gone</hx-partial>",
    "<div id=main hx-swap-oob=true>gone</div>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<form action=https://evil.example/><input name=csrf><button>x</button></form>",
    "<object data=https://evil.example/></object><embed src=https://evil.example/>",
    "<video src=https://evil.example/x.mp4 autoplay></video><audio src=https://evil.example/x autoplay></audio>",
    "<style>*{background:url(https://evil.example/)}</style>",
    "<math><mtext></table></math><img src=https://evil.example/>",
    "{{ 7 * 7 }} ${7*7} {% raw %} #{7*7}",
    "\u202e\u2066<b>\u2069\u0000\ufffe",
)


TAGS = (
    "img src=x", "svg", "body", "video src=x", "audio src=x", "details open", "input autofocus", "select autofocus",
    "textarea autofocus", "iframe src=/", "object data=x", "embed src=x", "marquee", "style", "math",
)  # fmt: skip
EVENTS = ("onerror", "onload", "onfocus", "ontoggle", "onstart")
BEFORE = ("", '">', "'>", "</textarea>", "</title>", "-->", "]]>", "`", "*", "\0")
SHAPES = (
    "<{tag} {event}={mark}>",
    '<{tag} {event}="{mark}">',
    "<{tag}/{event}={mark}//",
    "<{tag}\n{event}\t=\n'{mark}'>",
    "<{upper} {event}={mark}>",
    "<<{tag} {event}={mark}>>",
    "<{tag} {event}=&#119;indow.hit&equals;1>",
    "&lt;{tag} {event}={mark}&gt;",
    "%3C{tag}%20{event}={mark}%3E",
    "\\u003c{tag} {event}={mark}\\u003e",
    "\uff1c{tag} {event}={mark}\uff1e",
)


def spelled() -> list[str]:
    """Each tag with each event in some shape behind some beginning: 300 texts, no two alike."""
    pairs = [(tag, event) for tag in TAGS for event in EVENTS]
    found = []
    for number in range(4 * len(pairs)):
        tag, event = pairs[number % len(pairs)]
        shape = SHAPES[number % len(SHAPES)].format(tag=tag, upper=tag.upper(), event=event, mark=MARK)
        found.append(BEFORE[(number // 7) % len(BEFORE)] + shape)
    assert len(set(found)) == 300
    return found


def everywhere(house: House, text: str, number: int) -> None:
    """One hostile text as name, words, caption, file name, place, card, button, form and unknown kind."""
    live = next(live for live in house.rt.channels.by_id.values() if live.row.name == "Shop")
    phone = f"4477{number:08}"
    said: tuple[c.Content, ...] = (
        c.Text(text),
        c.Image("m", mime=text, caption=text),
        c.Document("m", mime="text/html", filename=text, caption=text),
        c.Location(1.0, 2.0, text, text),
        c.Contacts((c.Card(text, ((text, text),), ((text, text),)),)),
        c.Pressed(text, text),
        c.FlowReply(text, "", {text: text}),
        c.Order(text, ({"product_retailer_id": text, "quantity": text, "currency": text},), text),
        c.System("user_changed_number", text),
        c.Unsupported(text, text),
        c.Reaction("none", text),
    )

    async def write() -> None:
        for place, content in enumerate(said):
            now = house.rt.clock.now()
            inbound = Inbound(
                live.row.account, f"wamid.x.{number}.{place}", Address(phone=phone, wa_id=phone, username=text), now,
                content, b"{}", name=text,
            )  # fmt: skip
            await house.rt.db.write(inbox.receive, house.rt.channels.intake, live.here, inbound)

    house.run(write())


def test_S19_nothing_a_customer_sends_runs(browser: Browser, bakery: House) -> None:
    visitor = Visitor(browser, bakery)
    visitor.log_in()
    page = visitor.go(f"/inbox/{chat_of(bakery, ANA)}?view=all")  # live fragments meet it first
    for number, text in enumerate(HOSTILE):
        everywhere(bakery, text, number)
    page.wait_for_timeout(700)
    for path in ("/", "/inbox?view=all"):
        visitor.go(path)
        assert not page.evaluate("window.hit"), path
    for number in range(len(HOSTILE)):
        visitor.go(f"/inbox/{chat_of(bakery, f'4477{number:08}')}?view=all")
        assert not page.evaluate("window.hit"), HOSTILE[number]
        assert page.locator(".bubble [hx-get], .bubble [onerror], .bubble script, .bubble iframe").count() == 0
    assert not visitor.complaints()
    visitor.close()


def test_S19_three_hundred_spellings_stay_text(browser: Browser, bakery: House) -> None:
    live = next(live for live in bakery.rt.channels.by_id.values() if live.row.connector == "whatsapp_cloud")
    texts = spelled()

    async def write() -> None:
        for number, text in enumerate(texts):
            phone = f"4488{number // 30:08}"
            inbound = Inbound(
                live.row.account, f"wamid.y.{number}", Address(phone=phone, wa_id=phone), bakery.rt.clock.now(),
                c.Text(text), b"{}", name=text,
            )  # fmt: skip
            await bakery.rt.db.write(inbox.receive, bakery.rt.channels.intake, live.here, inbound)

    bakery.sessions.clear()  # each has sixty requests at once, and the test before asked for much
    visitor = Visitor(browser, bakery)
    visitor.log_in()
    page = visitor.go("/inbox?view=all")
    bakery.run(write())
    for number in range(len(texts) // 30):
        visitor.go(f"/inbox/{chat_of(bakery, f'4488{number:08}')}?view=all")
        shown = page.locator(".msg.in .bubble").all_inner_texts()
        assert len(shown) == 30 and not page.evaluate("window.hit"), number
    assert not visitor.complaints()
    visitor.close()


def test_S19_hostile_channel_names_and_searches_stay_text(rosa: Visitor, bakery: House) -> None:
    live = next(live for live in bakery.rt.channels.by_id.values() if live.row.name == "Shop")
    hostile = f"<img src=x onerror={MARK}>"
    bakery.run(connecting.change(bakery.rt.channels, live.row.id, {}, name=hostile))
    for path in ("/", "/channels", f"/channels/{live.row.id}", f"/inbox/{chat_of(bakery, ANA)}"):
        page = rosa.go(path)
        assert not page.evaluate("window.hit"), path
    page = rosa.go("/inbox?q=%3Cscript%3Ewindow.hit%3D1%3C%2Fscript%3E%22%3E%3Csvg+onload%3Dwindow.hit%3D1%3E")
    assert not page.evaluate("window.hit")
