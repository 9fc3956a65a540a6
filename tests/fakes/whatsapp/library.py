"""The network's own messages, as the client library defines them. With them comes the library itself.

It trusts the certificate of the host of files, whose authority is made here: see `trust`.
"""

import atexit
import importlib
import shutil
import subprocess
import sys
import tempfile
import time
import types
import warnings
from pathlib import Path
from typing import Any

from .certificates import make_certificates
from .redirect import trust

# Short, because it takes the place of a path in memory.
FOLDER = Path(tempfile.mkdtemp(prefix="fwa-", dir="/tmp"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
make_certificates(FOLDER)
# It imports python-magic, which needs a C library, for what nobody here asks of it.
sys.modules.setdefault("magic", types.ModuleType("magic"))
with trust(FOLDER / "ca.pem"), warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)
    importlib.import_module("neonize.proto")
    # It leaves two pipes to `uname` open, which the next one to start a process would be told of.
    while subprocess._active:
        subprocess._cleanup()
        time.sleep(0.01)

adv: Any = importlib.import_module("neonize.proto.waAdv.WAAdv_pb2")
certificates: Any = importlib.import_module("neonize.proto.waCert.WACert_pb2")
common: Any = importlib.import_module("neonize.proto.waCommon.WACommon_pb2")
e2e: Any = importlib.import_module("neonize.proto.waE2E.WAWebProtobufsE2E_pb2")
login: Any = importlib.import_module("neonize.proto.waWa6.WAWebProtobufsWa6_pb2")
