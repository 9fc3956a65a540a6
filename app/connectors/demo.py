"""A network that is not there: the customers of a demo write on it, and what is sent to them arrives at once."""

from collections.abc import Mapping

from app.connectors.base import Channel, PairLimit, Problem, Session, Setting
from app.connectors.simulator import SimulatorSession
from app.connectors.whatsapp_cloud import limits
from app.content import Content

ACCOUNT = "demo"


class Demo:
    """Looks like WhatsApp Cloud in everything; nothing leaves the process."""

    kind = "demo"
    label = "Demo"
    settings: tuple[Setting, ...] = ()
    capabilities = limits.CAPABILITIES
    default_rate = 0.0
    pair_limit: PairLimit | None = None

    def open_session(self, channel: Channel) -> Session:
        return SimulatorSession(ACCOUNT)

    def account_of(self, config: Mapping[str, str]) -> str:
        return ACCOUNT

    def check(self, content: Content) -> Problem | None:
        return limits.check(content)
