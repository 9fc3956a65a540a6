"""The client library (neonize: Go's whatsmeow behind ctypes) as Parley takes it, its functions and its messages.

Its packages import an HTTP client, a picture library and a logging set-up for what is not used here, and one of them
fetches the shared library from the internet where it is missing. So empty packages of the same names stand in for them:
what is imported is `_binder` (the functions, in the process that runs the sessions) and `proto` (the messages).
"""

import importlib
import importlib.machinery
import importlib.util
import logging
import sys
import threading
import types
from pathlib import Path
from typing import Any, Final

VERSION: Final = "0.5.2"  # the one that the tests have seen; another is refused by the library itself

_loading = threading.RLock()
_functions: Any = None


class Missing(Exception):
    """The library is not installed, or not for this system."""


def load_functions() -> Any:
    """The library's module of functions; with it the Go runtime starts in this process. Raises `Missing`."""
    global _functions
    with _loading:
        if _functions is None:
            _stand_in()
            try:
                binder: Any = importlib.import_module("neonize._binder")
            except (ImportError, OSError, RuntimeError) as error:
                raise Missing(str(error)) from error
            # Two functions lack what turns their answer into bytes, so theirs are pointers to memory that is lost.
            for name in ("DecryptPollVote", "SendFBMessage"):
                getattr(binder.gocode, name).errcheck = binder.consume_bytes_struct
            # It logs keys at its lowest level, and every reconnect at the one above.
            logging.getLogger("whatsmeow").setLevel(logging.WARNING)
            _functions = binder
        return _functions


class Library:
    """The library's messages, without the library: `told` what it tells, `e2e` what people say to each other."""

    def __init__(self) -> None:
        self.told: Any = _shape("Neonize_pb2")
        self.e2e: Any = _shape("waE2E.WAWebProtobufsE2E_pb2")
        self.common: Any = _shape("waCommon.WACommon_pb2")
        self.companion: Any = _shape("waCompanionReg.WAWebProtobufsCompanionReg_pb2")

    @staticmethod
    def load() -> "Library":
        """Takes a fifth of a second the first time, so it is called in a thread. Raises `Missing`."""
        with _loading:
            _stand_in()
            try:
                return Library()
            except ImportError as error:
                raise Missing(str(error)) from error


def _shape(name: str) -> Any:
    return importlib.import_module(f"neonize.proto.{name}")


def _stand_in() -> None:
    """Take the places of the packages, once. Raises `Missing`."""
    if "neonize" in sys.modules:
        return
    found = importlib.util.find_spec("neonize")
    folder = Path(found.origin).parent if found and found.origin else None
    files = list(folder.glob("neonize-*.*")) if folder else []
    if folder is None or not files:
        raise Missing("neonize")
    for name, place in (("neonize", folder), ("neonize.utils", folder / "utils")):
        package = importlib.util.module_from_spec(importlib.machinery.ModuleSpec(name, None, is_package=True))
        package.__path__ = [str(place)]
        sys.modules[name] = package
    _put("neonize.download", __GONEONIZE_VERSION__=VERSION, download=_refuse)
    # Its own way asks the system for its name by a program that it then forgets to wait for.
    _put("neonize.utils.platform", generated_name=lambda: files[0].name)


def _put(name: str, **holds: Any) -> None:
    module = sys.modules[name] = types.ModuleType(name)
    vars(module).update(holds)


def _refuse() -> None:
    raise ImportError(f"neonize {VERSION} is not whole, and nothing is downloaded")
