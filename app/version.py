"""The version, once: the package's metadata, `parley version` and the built binary all read it here."""

from typing import Final

VERSION: Final = "0.1.0"
