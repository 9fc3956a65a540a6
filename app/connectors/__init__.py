"""The networks Parley speaks. A new one is a file or a package here and a line below; the contract tests find it."""

from app.connectors.base import Connector
from app.connectors.demo import Demo
from app.connectors.simulator import Simulator
from app.connectors.telegram import Telegram
from app.connectors.whatsapp_cloud import WhatsAppCloud

CONNECTORS: dict[str, Connector] = {
    connector.kind: connector
    for connector in (
        WhatsAppCloud(),
        Telegram(),
        Simulator(),
        Demo(),
    )
}
