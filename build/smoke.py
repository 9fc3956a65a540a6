"""Does the built program work where nothing else is? Standard library only.

Usage: python build/smoke.py dist/parley/parley

Copies the folder elsewhere, starts it as another user where that is allowed, with no Python to be found and an empty
data folder, and walks the shortest way a customer's message can go: set-up through the one-time link, a channel by the
command line, a bot, a signed webhook, the reply at Meta's side, one event on the stream, and a clean stop.
"""

import contextlib
import hashlib
import hmac
import http.cookiejar
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar

START_SECONDS = 20  # generous, for a busy machine; the time really taken is printed
STOP_SECONDS = 15
NOBODY = 65534
SECRET, VERIFY, PHONE_ID = "smoke-app-secret", "smoke-verify", "106540352242922"
CUSTOMER = "5511999990000"
REPLY = "Hello from the binary."
BOT = f"""bot: Smoke
language: en
rules:
  - name: greeting
    when: {{says: [hi]}}
    do: [{{say: "{REPLY}"}}]
fallback: {{do: [{{say: "Sorry?"}}]}}
"""

T = TypeVar("T")


class Failed(Exception):
    """One sentence on what did not happen."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: str, seconds: float, look: Callable[[], T | None]) -> T:
    """Call `look` until it gives something; a refused connection is "not yet"."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if found := look():
                return found
        time.sleep(0.02)
    raise Failed(f"not within {seconds:.0f} s: {what}")


def step(text: str) -> None:
    print(f"  {text}", flush=True)


class Form(HTMLParser):
    """The first form that posts: where to, and its fields with their types and values."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, tuple[str, str]] = {}
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None and given.get("method", "").lower() == "post":
            self.action, self.inside = given.get("action", ""), True
        elif tag in {"input", "select", "textarea"} and self.inside and given.get("name"):
            self.fields[given["name"]] = (given.get("type", "text"), given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False

    def filled(self) -> dict[str, str]:
        """Hidden fields as they are, the rest as an owner would type them."""
        typed = {"email": "owner@example.com", "password": "a long pass phrase for smoke"}
        return {
            name: typed.get(kind, value or ("Smoke" if kind == "text" else value))
            for name, (kind, value) in self.fields.items()
        }


class Program:
    """The copied program: how it is called, where its data is, and as whom."""

    def __init__(self, executable: Path, place: Path, graph: str) -> None:
        self.place = place
        self.executable = place / "program" / executable.name
        shutil.copytree(executable.parent, self.executable.parent, symlinks=True)
        self.data = place / "data"
        self.elsewhere = place / "elsewhere"
        self.data.mkdir(mode=0o700)
        self.elsewhere.mkdir()
        place.chmod(0o755)
        self.port = free_port()
        self.environment = {
            "PATH": str(self.elsewhere),  # exists and is empty: nothing can be borrowed from this machine
            "HOME": str(self.data),
            "LANG": "C.UTF-8",
            "PARLEY_DATA": str(self.data),
            "PARLEY_PORT": str(self.port),
            "PARLEY_GRAPH_URL": graph,
            "PARLEY_OUTBOUND_ALLOW": urllib.parse.urlsplit(graph).netloc,
        }
        self.user: dict[str, Any] = {}
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            os.chown(self.data, NOBODY, NOBODY)
            self.user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}

    def start(self) -> "subprocess.Popen[bytes]":
        with (self.place / "log").open("wb") as log:
            return subprocess.Popen(
                [self.executable, "serve"],
                cwd=self.elsewhere,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **self.user,
            )

    def log(self) -> str:
        return (self.place / "log").read_text(encoding="utf-8", errors="replace")

    def command(self, *arguments: str, text: str = "") -> str:
        done = subprocess.run(
            [self.executable, *arguments],
            cwd=self.elsewhere,
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **self.user,
        )
        if done.returncode:
            raise Failed(f"parley {' '.join(arguments[:2])} exits {done.returncode}: {done.stdout}{done.stderr}")
        return str(done.stdout)


class Browser:
    """Cookies and the origin header that a browser sends with a form."""

    def __init__(self, base: str) -> None:
        self.base = base
        # Like a browser, and unlike this library by itself: loopback is trusted with cookies marked Secure.
        policy = http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https"))
        jar = http.cookiejar.CookieJar(policy)
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def open(self, url: str, form: dict[str, str] | None = None) -> tuple[str, str]:
        """The page and the address it was found at in the end."""
        body = urllib.parse.urlencode(form).encode() if form is not None else None
        headers = {"Origin": self.base, "Sec-Fetch-Site": "same-origin"} if body else {}
        request = urllib.request.Request(urllib.parse.urljoin(self.base, url), data=body, headers=headers)
        with self.opener.open(request, timeout=10) as answer:
            return str(answer.read(), "utf-8"), str(answer.url)

    def first_event(self, url: str, ring: Callable[[], None]) -> str:
        """Open the stream, ring, and read up to the first event that has data."""
        with self.opener.open(urllib.parse.urljoin(self.base, url), timeout=10) as stream:
            ring()
            for raw in stream:
                line = str(raw, "utf-8").rstrip("\n")
                if line.startswith("data:"):
                    return line
        raise Failed("the event stream closed without an event")


class Graph(http.server.ThreadingHTTPServer):
    """Meta's side, as little of it as one message needs: accepts every send and remembers its text."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), GraphCall)
        self.texts: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class GraphCall(http.server.BaseHTTPRequestHandler):
    server: Graph
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer({"id": PHONE_ID, "display_phone_number": "+1 555 000 1111", "verified_name": "Smoke", "data": []})

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "text" in sent:
            self.server.texts.append(sent["text"]["body"])
        wamid = f"wamid.sent{len(self.server.texts)}"
        self.answer({"messaging_product": "whatsapp", "success": True, "messages": [{"id": wamid}]})

    def answer(self, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: what went wrong is told by the walk."""


def notification(text: str) -> bytes:
    message = {"from": CUSTOMER, "id": "wamid.smoke1", "timestamp": str(int(time.time())), "type": "text"}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001111", "phone_number_id": PHONE_ID},
        "contacts": [{"profile": {"name": "Ana"}, "wa_id": CUSTOMER}],
        "messages": [message | {"text": {"body": text}}],
    }
    change = {"field": "messages", "value": value}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).encode()


def post_signed(url: str, body: bytes) -> None:
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
    with urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers), timeout=10) as answer:
        if answer.status != 200:
            raise Failed(f"the webhook was answered {answer.status}")


def set_up(program: Program, browser: Browser) -> None:
    link = until(
        "the set-up link is printed", 5, lambda: re.search(rf"http://\S+:{program.port}/setup\S*", program.log())
    )
    page, address = browser.open(link[0])
    form = Form(page)
    if form.action is None:
        raise Failed("the set-up page has no form")
    browser.open(urllib.parse.urljoin(address, form.action), form.filled())
    _page, address = browser.open("/")
    if "/setup" in address or "/login" in address:
        raise Failed(f"after set-up the first page is {address}")


def walk(program: Program, graph: Graph) -> None:
    base = f"http://127.0.0.1:{program.port}"
    browser = Browser(base)
    set_up(program, browser)
    step("set up through the one-time link, signed in")
    keys = {"phone_number_id": PHONE_ID, "access_token": "smoke-token", "app_secret": SECRET, "verify_token": VERIFY}
    program.command("channel", "add", "whatsapp_cloud", "--name", "Shop", *(f"{k}={v}" for k, v in keys.items()))
    key = json.loads(program.command("channel", "show", "Shop", "--json"))["key"]
    document = program.elsewhere / "smoke.yaml"
    document.write_text(BOT, encoding="utf-8")
    program.command("bot", "import", str(document))
    program.command("bot", "publish", "Smoke", "--channel", "Shop")
    step("a channel and a bot added by the command line while the server runs")
    event = browser.first_event(
        "/events?topics=conversations", lambda: post_signed(f"{base}/hooks/whatsapp/{key}", notification("hi"))
    )
    step(f"a signed webhook answered 200, an event on the stream: {event}")
    until("the reply reaches Meta's side", 10, lambda: REPLY in graph.texts)
    step("the reply reached Meta's side")


def smoke(executable: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="parley-smoke-") as folder, Graph() as graph:
        program = Program(executable.resolve(), Path(folder), graph.base)
        began = time.monotonic()
        process = program.start()
        try:
            until("the first page", START_SECONDS, lambda: first_page(program, process))
            step(f"first page after {time.monotonic() - began:.2f} s")
            walk(program, graph)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            if code := process.wait(STOP_SECONDS):
                raise Failed(f"stopping ends with exit code {code}")
            step(f"stopped cleanly in {time.monotonic() - began:.2f} s")
        except (Failed, OSError, subprocess.TimeoutExpired) as problem:
            raise Failed(f"{problem}\n--- log of the program ---\n{program.log()}") from problem
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def first_page(program: Program, process: "subprocess.Popen[bytes]") -> bool:
    if process.poll() is not None:
        raise Failed(f"the program ended with exit code {process.returncode}")
    with urllib.request.urlopen(f"http://127.0.0.1:{program.port}/", timeout=5) as answer:
        return bool(answer.status == 200)


if __name__ == "__main__":
    try:
        smoke(Path(sys.argv[1]))
    except Failed as problem:
        sys.exit(f"smoke test failed: {problem}")
    print("smoke test passed")
