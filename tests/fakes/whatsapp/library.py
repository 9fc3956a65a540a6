"""The network's own messages, as the client library defines them.

With them comes the library itself. It reads once, as it is loaded, whose certificates it trusts: so the authority of
the host of files is made here, before that.
"""

import atexit
import importlib
import os
import shutil
import sys
import tempfile
import types
import warnings
from pathlib import Path
from typing import Any

from .certificates import make_certificates

FOLDER = Path(tempfile.mkdtemp(prefix="fake-whatsapp-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def _load() -> Any:
    """The package of messages. Raises `ImportError` if the library is loaded already and trusts somebody else."""
    if "neonize" in sys.modules:
        raise ImportError("the library was loaded before it could be told whom to trust")
    make_certificates(FOLDER)
    # It imports python-magic, which needs a C library, for what nobody here asks of it.
    sys.modules.setdefault("magic", types.ModuleType("magic"))
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(FOLDER / "authority.pem")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # it leaves a pipe open
            return importlib.import_module("neonize.proto")
    finally:
        if before is None:
            del os.environ["SSL_CERT_FILE"]
        else:
            os.environ["SSL_CERT_FILE"] = before


_load()
adv: Any = importlib.import_module("neonize.proto.waAdv.WAAdv_pb2")
certificates: Any = importlib.import_module("neonize.proto.waCert.WACert_pb2")
common: Any = importlib.import_module("neonize.proto.waCommon.WACommon_pb2")
e2e: Any = importlib.import_module("neonize.proto.waE2E.WAWebProtobufsE2E_pb2")
login: Any = importlib.import_module("neonize.proto.waWa6.WAWebProtobufsWa6_pb2")
