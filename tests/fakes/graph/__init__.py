"""A faithful fake of the WhatsApp Cloud API: a program (`python -m tests.fakes.graph`) and a handle for tests.

`wire` and `client` speak HTTP, `server` routes, `validate` (with `shape`, `interactive`, `template`) judges bodies,
`definition` and `review` keep templates, `send` accepts, `statuses` and `inbound` make webhooks, `webhooks` delivers
them, `truth` keeps what really happened, `faults` misbehaves, `admin` is the side channel, `world` is all state,
`config` all settings.
"""

from .config import FAST, Config, Number, Settings
from .handle import FakeGraph
from .truth import Accepted, Inbound, Posted, Refused, read

__all__ = ["FAST", "Accepted", "Config", "FakeGraph", "Inbound", "Number", "Posted", "Refused", "Settings", "read"]
