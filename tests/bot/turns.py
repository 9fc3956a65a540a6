"""What the bot tests share: a scene, and one turn of a bot given as a document."""

from functools import cache

from app.bot.decide import decide
from app.bot.document import Version, compile_version
from app.bot.scene import Arrived, ContactView, Decision, Event, HandOff, Scene, Send, State
from app.capabilities import Capabilities
from app.content import Content, Picked, Pressed, Text
from app.content import text as text_of

PLAIN = Capabilities()
FILES = {"image": {"image/jpeg": 5_000_000}, "video": {"video/mp4": 16_000_000}, "document": {"application/pdf": 10**8}}
WHATSAPP = Capabilities(buttons=3, list_rows=10, media=FILES | {"audio": {"audio/ogg": 16_000_000}})
NOW = 1_790_000_000_000
ANA = ContactView("7", "Ana Souza", "Ana", tags=("vip",), fields={"city": "Recife"})


@cache
def rules(text: str) -> Version:
    """A version from the lines under `rules:`, with a fallback that says `fallback`."""
    return compile_version(f"bot: Test\nrules:\n{text}\nfallback: {{do: [{{say: fallback}}]}}\n")


def listening(**says: str) -> Version:
    """One rule for each name, in order, whose `says` is the given text; it answers its name."""
    lines = [f"  - {{name: {name}, when: {{says: {what}}}, do: [{{say: {name}}}]}}" for name, what in says.items()]
    return rules("\n".join(lines))


def scene(state: State | None = None, capabilities: Capabilities = PLAIN) -> Scene:
    return Scene(state or State(), ANA, capabilities, "Shop", "simulator")


def turn(bot: Version, what: str | Content, state: State | None = None, capabilities: Capabilities = PLAIN) -> Decision:
    """What the bot does about a text or another content."""
    return decide(bot, scene(state, capabilities), arrived(what), NOW)


def arrived(what: str | Content) -> Event:
    content = Text(what) if isinstance(what, str) else what
    return Arrived(content, text_of(content))


def press(identity: str, title: str) -> Pressed:
    return Pressed(identity, title)


def pick(identity: str, title: str) -> Picked:
    return Picked(identity, title)


def said(decision: Decision) -> list[str]:
    """The texts of a decision; a hand-off as `→ reason`."""
    shown: list[str] = []
    for effect in decision.effects:
        if isinstance(effect, Send):
            shown.append(text_of(effect.content))
        elif isinstance(effect, HandOff):
            shown.append(f"→ {effect.reason}")
    return shown
