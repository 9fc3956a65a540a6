"""Is WhatsApp as a linked device whole in the built program? For the development environment: it takes the tests' fake.

Usage: python build/smoke_linked.py dist/parley/parley

Copies the folder as `smoke.py` does, overwrites two constants in the copy of the client library (the server's address
and the root of its certificates), and has a customer answered through a phone that is linked: first in Parley's own
process, then in one of its own. Before that nothing of the library may be in memory.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from smoke import BOT, REPLY, START_SECONDS, Failed, Program, first_page, step, until

from tests.fakes.whatsapp import noise, redirect
from tests.fakes.whatsapp.library import FOLDER
from tests.fakes.whatsapp.threaded import Threaded

PATIENCE = 30.0


def answered(phone: Threaded) -> float:
    """Seconds until Alice has her answer."""
    began = time.monotonic()
    phone.say("hi")
    phone.do(phone.server.seen("message", text=REPLY))
    return time.monotonic() - began


def turn(folder: Path, port: int) -> None:
    """Overwrite the constants in the program's copy of the library, each of which must be there once."""
    [path] = (folder / "_internal" / "neonize").glob("neonize-*.*")
    data = path.read_bytes()
    for constant, value in ((redirect.URL, redirect.address_of(port)), (redirect.ROOT_KEY, noise.ROOT.public)):
        if data.count(constant) != 1:
            raise Failed(f"{constant!r} is {data.count(constant)} times in the library")
        data = data.replace(constant, value)
    path.write_bytes(data)


def memory(pid: int) -> str:
    """Resident memory, and the part that nobody shares, in MB."""
    lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:])
    sizes = {name: int(size) for name, size, *_ in lines}
    return f"{sizes['Rss:'] // 1024} MB, {(sizes['Private_Clean:'] + sizes['Private_Dirty:']) // 1024} MB its own"


def has_library(pid: int) -> bool:
    return "neonize" in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def state(program: Program) -> str:
    return str(json.loads(program.command("channel", "link", "Phone", "--json"))["state"])


def walk(program: Program, process: "subprocess.Popen[bytes]", phone: Threaded) -> None:
    if has_library(process.pid):
        raise Failed("the client library is in memory though no channel needs it")
    step(f"without a linked device: {memory(process.pid)}")
    document = program.elsewhere / "smoke.yaml"
    document.write_text(BOT, encoding="utf-8")
    program.command("bot", "import", str(document))
    began = time.monotonic()
    values = ("phone=+15550001111", "risk=yes", "rate=0")
    program.command("channel", "add", "whatsapp_web", "--name", "Phone", *values)
    program.command("bot", "publish", "Smoke", "--channel", "Phone")
    link = ("channel", "link", "Phone", "--json")
    code = until("a QR code", PATIENCE, lambda: json.loads(program.command(*link))["qr"])
    phone.do(phone.server.scan(code))
    until("the link", PATIENCE, lambda: state(program) == "connected")
    step(f"linked by QR code after {time.monotonic() - began:.1f} s, most of it commands")
    step(f"answered in {answered(phone):.2f} s with the library in Parley's process: {memory(process.pid)}")
    program.command("channel", "set", "Phone", "process=own")
    [child] = until("a child", PATIENCE, lambda: [pid for pid in children(process.pid) if has_library(pid)])
    until("the connection", PATIENCE, lambda: state(program) == "connected")
    step(f"answered in {answered(phone):.2f} s with the library in a process of its own: {memory(child)}")
    process.terminate()
    if code := process.wait(20):
        raise Failed(f"stopping ends with exit code {code}")
    until("the end of the child", 5, lambda: not Path(f"/proc/{child}/maps").exists())
    step("stopped cleanly, the child too")


def smoke(executable: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="parley-smoke-") as folder:
        phone = Threaded()
        program = Program(executable.resolve(), Path(folder), "http://127.0.0.1:9")
        turn(program.executable.parent, phone.server.port)
        program.environment |= {
            "PARLEY_WHATSAPP_WEB_URL": f"ws://127.0.0.1:{phone.server.port}/ws/chat",
            "SSL_CERT_FILE": str(FOLDER / "ca.pem"),
        }
        process = program.start()
        try:
            until("the first page", START_SECONDS, lambda: first_page(program, process))
            walk(program, process, phone)
        except (Failed, OSError, TimeoutError, subprocess.TimeoutExpired) as problem:
            raise Failed(f"{problem!r}\n--- log of the program ---\n{program.log()}") from problem
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


if __name__ == "__main__":
    try:
        smoke(Path(sys.argv[1]))
    except Failed as problem:
        print(f"smoke test failed: {problem}", file=sys.stderr)
        os._exit(1)
    print("smoke test of linked devices passed", flush=True)
    # Threads of the fake's own library would keep it alive.
    os._exit(0)
