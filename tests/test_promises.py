"""docs/reliability.md names a test for each promise, docs/security.md for each control, and each of them exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = [(ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("reliability.md", "security.md")]
ROWS = [row for page in PAGES for row in re.findall(r"^\| ([PS]\d+) \| ([^|]+) \| ([^|]+) \| ([^|]*) ?\|$", page, re.M)]
PROMISES = [1, *range(3, 20), 21, 22, 23, 26, 27, 28, 31, 34, 35, *range(37, 40), 43]
CONTROLS = range(1, 37)
UNTESTED = ["S28"]


def defined(test: str) -> bool:
    """Whether `file::name` is a function of that file."""
    file, _, name = test.partition("::")
    path = ROOT / file
    return path.is_file() and re.search(rf"^(async )?def {name}\(", path.read_text(encoding="utf-8"), re.M) is not None


def test_every_promise_and_control_has_its_line() -> None:
    assert [name for name, *_ in ROWS] == [f"P{n}" for n in PROMISES] + [f"S{n}" for n in CONTROLS]


def test_every_line_names_a_test_or_says_that_there_is_none() -> None:
    assert [name for name, _, tests, _ in ROWS if "::" not in tests] == UNTESTED
    assert all(tests == "no test yet" and gap for name, _, tests, gap in ROWS if name in UNTESTED)


def test_every_test_and_file_named_on_the_page_exists() -> None:
    named = re.findall(r"`(tests/[\w/.]+(?:::\w+)?)`", "".join(PAGES))
    assert len(named) > 200
    assert [test for test in named if not (defined(test) if "::" in test else (ROOT / test).exists())] == []
    assert not defined("tests/test_promises.py::test_that_nobody_wrote")
