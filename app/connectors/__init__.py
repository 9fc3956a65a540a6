"""The networks Parley speaks. A new one is a file or a package here and a line below; the contract tests find it."""

from app.connectors.base import Connector
from app.connectors.demo import Demo
from app.connectors.simulator import Simulator
from app.connectors.sms import Sms
from app.connectors.telegram import Telegram
from app.connectors.whatsapp_cloud import WhatsAppCloud
from app.connectors.whatsapp_web import WhatsAppWeb

CONNECTORS: dict[str, Connector] = {
    connector.kind: connector
    for connector in (
        WhatsAppCloud(),
        WhatsAppWeb(),
        Telegram(),
        Sms(),
        Simulator(),
        Demo(),
    )
}
