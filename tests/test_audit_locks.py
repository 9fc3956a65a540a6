"""`make audit` says "no known hole" only when every package was looked up. The service is played on loopback."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from threading import Thread
from typing import Any

import pytest

from tests.test_project import ROOT, locked

SCRIPT = ROOT / "build" / "audit.py"
Asked = tuple[str, str, str]  # ecosystem, name, version

spec = spec_from_file_location("audit", SCRIPT)
assert spec is not None and spec.loader is not None
script = module_from_spec(spec)
spec.loader.exec_module(script)


@contextmanager
def service(answer: Callable[[Asked], Any]) -> Iterator[tuple[str, set[Asked]]]:
    """Its address, and what it was asked for. It answers 503 where `answer` is None."""
    asked: set[Asked] = set()

    class Service(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["content-length"])))
            wanted = (query["package"]["ecosystem"], query["package"]["name"], query["version"])
            asked.add(wanted)
            said = answer(wanted)
            body = json.dumps(said or {}).encode()
            self.send_response(503 if said is None else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query", asked
        finally:
            server.shutdown()
            thread.join()


def test_every_package_of_every_platform_is_looked_up() -> None:
    """Two seconds: it starts pip-audit twice, because one package is locked in two versions."""
    with service(lambda wanted: {}) as (address, asked):
        done = subprocess.run([sys.executable, SCRIPT, address], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    python = {(name, version) for kind, name, version in asked if kind == "PyPI"}
    for path in (ROOT / "requirements").glob("*.txt"):
        assert {(name, str(version)) for name, version in locked(path).items()} <= python
    assert ("npm", "htmx.org", "4.0.1") in asked and any(name == "@codemirror/view" for _, name, _ in asked)
    counts = len(python), len(asked) - len(python)
    assert done.stdout == "No known hole in {} Python packages and {} of npm.\n".format(*counts)


HOLE = {"vulns": [{"id": "GHSA-0000", "details": "", "aliases": [], "affected": []}]}
LOOKED_UP = pytest.mark.parametrize("look_up", [script.python_holes, script.npm_holes], ids=["pip-audit", "npm"])


@LOOKED_UP
def test_a_known_hole_is_named(look_up: Callable[[list[tuple[str, str]], str], list[str]]) -> None:
    with service(lambda wanted: HOLE if wanted[1] == "bad" else {}) as (address, _):
        assert look_up([("bad", "1.0"), ("good", "2.0")], address) == ["bad 1.0: GHSA-0000"]


@LOOKED_UP
def test_a_package_that_could_not_be_looked_up_fails_it(
    look_up: Callable[[list[tuple[str, str]], str], list[str]],
) -> None:
    """Where the service answers for others, and where nobody listens (the address of a service that has ended)."""
    with service(lambda wanted: None if wanted[1] == "unknown" else {}) as (address, _):
        with pytest.raises(SystemExit, match="Not audited"):
            look_up([("good", "2.0"), ("unknown", "1.0")], address)
    with pytest.raises(SystemExit, match="Not audited"):
        look_up([("good", "2.0")], address)
