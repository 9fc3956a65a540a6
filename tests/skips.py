"""A test left out is named: one skipped or expected to fail that tests/skips.txt does not list turns the run red.

Lines of the list are `test id    # reason`; an id ending in `*` stands for all that begin with it.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

LIST = Path(__file__).with_name("skips.txt")


def read_list(text: str) -> list[str]:
    """Patterns of the list; every line must carry its reason."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for line in lines:
        if not line.partition("#")[2].strip():
            raise ValueError(f"{LIST.name}: no reason given: {line}")
    return [line.partition("#")[0].strip() for line in lines]


class Skips:
    """Collects what was left out (on the controller, so it sees every worker) and judges it at the end."""

    def __init__(self) -> None:
        self.allowed = read_list(LIST.read_text(encoding="utf-8"))
        self.unnamed: list[str] = []

    def note(self, node: str) -> None:
        # The pattern is compared literally but for a closing *: ids of parametrised tests hold brackets.
        if not any(fnmatchcase(node, pattern.replace("[", "[[]")) for pattern in self.allowed):
            self.unnamed.append(node)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:  # expected failures are reported as skipped too
            self.note(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.note(report.nodeid)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        yield
        if self.unnamed and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unnamed:
            terminalreporter.section("left out without a line in tests/skips.txt")
            for node in sorted(set(self.unnamed)):
                terminalreporter.write_line(node)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Skips(), "parley-skips")
