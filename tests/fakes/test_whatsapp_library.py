"""The installed library is the one that the fake and the connector were made for: a new release fails here, and not in
the field."""

import importlib.metadata

import pytest

from tests import linked_library

if linked_library.WHY_NOT:
    pytest.skip(linked_library.WHY_NOT, allow_module_level=True)  # it is the library that is looked at

from app.connectors.whatsapp_web.library import load_functions
from tests.fakes.whatsapp import library, redirect

FUNCTIONS = "Neonize Stop Logout IsConnected PairPhone SendMessage Upload DownloadAny MarkRead SendChatPresence".split()


def test_version_is_the_one_that_was_examined() -> None:
    assert library.FOLDER.is_dir()
    assert importlib.metadata.version("neonize") == "0.5.2"


def test_both_constants_are_there_once() -> None:
    redirect.redirect(65535, redirect.ROOT_KEY)  # where they were turned already, they are known by their place
    assert {redirect.URL, redirect.ROOT_KEY} <= set(redirect._places)


def test_every_function_that_is_called_is_there() -> None:
    go = load_functions().gocode
    for name in FUNCTIONS:
        function = getattr(go, name)
        assert function.argtypes is not None, name
    assert len(go.Neonize.argtypes) == 17
