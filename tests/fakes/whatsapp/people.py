"""Who is there: the phone's owner and the contacts, and the devices linked to the phone."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .nodes import Jid, Node
from .signal import Device

if TYPE_CHECKING:
    from .device import Connection


@dataclass
class Person:
    """Somebody on WhatsApp, with one phone."""

    phone: str
    lid: str
    name: str
    device: Device = field(default_factory=Device)

    @property
    def by_phone(self) -> Jid:
        return Jid(f"{self.phone}@s.whatsapp.net")

    @property
    def by_lid(self) -> Jid:
        return Jid(f"{self.lid}@lid")

    def jid(self, lid: bool) -> Jid:
        return self.by_lid if lid else self.by_phone


@dataclass
class Linked:
    """A device linked to the phone: the client under test. `signed`: id, key and signature of its signed prekey;
    `waiting`: what it has not acknowledged, by id, which it is sent again when it logs in."""

    number: int
    identity: bytes
    noise: bytes
    signed: tuple[bytes, bytes, bytes]
    prekeys: list[tuple[int, bytes]] = field(default_factory=list)
    connection: "Connection | None" = None
    waiting: dict[str, Node] = field(default_factory=dict)
