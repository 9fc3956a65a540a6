"""The list of tests left out has teeth: run on a small suite of its own, it passes what is named and nothing else."""

import pytest

from tests import skips

pytest_plugins = ["pytester"]

SUITE = """
import pytest
def test_left_out(): pytest.skip("no printer here")  # an example of what has to be named
@pytest.mark.xfail  # an example, too
def test_known_fault(): assert False
def test_fine(): pass
"""


def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, listed: str) -> pytest.HookRecorder:
    monkeypatch.setattr(skips, "LIST", pytester.path / "skips.txt")
    (pytester.path / "skips.txt").write_text(listed, encoding="utf-8")
    (pytester.path / "test_suite.py").write_text(SUITE, encoding="utf-8")
    return pytester.inline_run("-p", "tests.skips", "test_suite.py")


def test_a_test_left_out_without_a_line_fails_the_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run(pytester, monkeypatch, "test_suite.py::test_left_out  # no printer\n")
    assert found.ret == pytest.ExitCode.TESTS_FAILED


def test_tests_named_with_their_reason_may_be_left_out(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(pytester, monkeypatch, "test_suite.py::*  # this suite is an example\n").ret == pytest.ExitCode.OK


def test_a_line_without_a_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="no reason"):
        skips.read_list("tests/test_markup.py::test_links\n")
