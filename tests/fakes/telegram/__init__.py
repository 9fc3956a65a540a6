"""A faithful fake of Telegram's Bot API: a program (`python -m tests.fakes.telegram`) and a handle for tests.

HTTP, faults and paces are those of the fake Graph. `server` routes, `methods` does what a bot may ask (with `shape`
and `entities` for what is allowed), `updates` queues what people do (`people`) and hands it out, `hook` delivers it,
`truth` keeps what really happened, `admin` is the side channel, `world` is all state, `config` all settings.
"""

from .config import QUICK, Settings
from .handle import FakeTelegram
from .truth import Sent, read

__all__ = ["QUICK", "FakeTelegram", "Sent", "Settings", "read"]
