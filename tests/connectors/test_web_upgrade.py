"""What Parley and its fake server know of one release of the client library: another one fails here, not at a
customer's. Contract §6.5."""

import importlib.metadata
import importlib.util
import re
from pathlib import Path

import pytest

from app.connectors.whatsapp_web import engine, library
from tests import linked_library
from tests.fakes.whatsapp import redirect

if linked_library.WHY_NOT:
    pytest.skip(linked_library.WHY_NOT, allow_module_level=True)  # it is the library that is looked at
SPEC = importlib.util.find_spec("neonize")
assert SPEC is not None and SPEC.origin is not None
FOLDER = Path(SPEC.origin).parent
NAMES = {
    engine.ME: "Device", engine.PAIRED: "PairStatusEv", engine.CONNECTED: "ConnectedEv",
    engine.KEEP_ALIVE_LOST: "KeepAliveTimeoutEv", engine.KEEP_ALIVE_BACK: "KeepAliveRestoredEv",
    engine.LOGGED_OUT: "LoggedOutEv", engine.REPLACED: "StreamReplacedEv", engine.BANNED: "TemporaryBanEv",
    engine.REFUSED: "ConnectFailureEv", engine.OUTDATED: "ClientOutdatedEv", engine.DISCONNECTED: "DisconnectedEv",
    engine.MESSAGE: "MessageEv", engine.RECEIPT: "ReceiptEv", engine.UNREADABLE: "UndecryptableMessageEv",
}  # fmt: skip


def test_release_is_the_one_that_was_tried() -> None:
    assert importlib.metadata.version("neonize") == library.VERSION
    assert f'"neonize=={library.VERSION}"' in Path("pyproject.toml").read_text(encoding="utf-8")
    # The library's own files compare this with what the shared library says of itself.
    assert f'__GONEONIZE_VERSION__ = "{library.VERSION}"' in (FOLDER / "download.py").read_text(encoding="utf-8")


def test_shared_library_is_one_file_with_each_constant_of_the_fake_once() -> None:
    [shared] = FOLDER.glob("neonize-*.*")
    data = shared.read_bytes()
    assert [data.count(constant) for constant in (redirect.URL, redirect.ROOT_KEY)] == [1, 1]


def test_events_have_the_numbers_by_which_they_are_read() -> None:
    table = (FOLDER / "events.py").read_text(encoding="utf-8").partition("EVENT_TO_INT")[2].partition("}")[0]
    numbers = {int(number): name for name, number in re.findall(r"(\w+): (\d+),", table)}
    assert {number: numbers.get(number) for number in NAMES} == NAMES
    assert set(engine.HEARD) < set(NAMES)


def test_functions_take_what_they_are_given() -> None:
    functions = library.load_functions().gocode
    for name in (*engine.CALLS, "Neonize", "Stop", "IsConnected"):
        assert getattr(functions, name).argtypes, name
    assert len(functions.Neonize.argtypes) == 17
    assert functions.DecryptPollVote.errcheck  # which it lacks of itself


def test_places_of_its_packages_can_be_taken() -> None:
    """What `library.py` keeps out is asked for by these lines alone."""
    wanted = re.findall(r"^from (\.[\w.]*) import (.+)$", (FOLDER / "_binder.py").read_text(encoding="utf-8"), re.M)
    assert wanted == [
        (".download", "__GONEONIZE_VERSION__, download"), (".utils.platform", "generated_name"),
    ]  # fmt: skip
