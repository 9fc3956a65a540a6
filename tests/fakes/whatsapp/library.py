"""The network's own messages, as the client library defines them. With them comes the library itself.

It trusts the certificate of the host of files, whose authority is made here: see `trust`.
"""

import atexit
import importlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

from app.connectors.whatsapp_web.library import load_functions

from .certificates import make_certificates
from .redirect import trust

# Short, because it takes the place of a path in memory.
FOLDER = Path(tempfile.mkdtemp(prefix="fwa-", dir="/tmp"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
make_certificates(FOLDER)
with trust(FOLDER / "ca.pem"):
    load_functions()

adv: Any = importlib.import_module("neonize.proto.waAdv.WAAdv_pb2")
certificates: Any = importlib.import_module("neonize.proto.waCert.WACert_pb2")
common: Any = importlib.import_module("neonize.proto.waCommon.WACommon_pb2")
e2e: Any = importlib.import_module("neonize.proto.waE2E.WAWebProtobufsE2E_pb2")
login: Any = importlib.import_module("neonize.proto.waWa6.WAWebProtobufsWa6_pb2")
