"""P31: one process a data folder, and the second is told who has it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.instance import AlreadyRunning, Holder, Instance, find_running
from app.system import default_data_folder

HOLD = """
import sys
from pathlib import Path
from app.instance import Instance
instance = Instance.take(Path(sys.argv[1]))
instance.listens_on(8099)
print("taken", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"taken\n"
    return process


def end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_P31_the_second_process_is_refused_and_told_pid_and_port(
    tmp_path: Path, holder: "subprocess.Popen[bytes]"
) -> None:
    with pytest.raises(AlreadyRunning, match=rf"process {holder.pid}, which listens on port 8099"):
        Instance.take(tmp_path)
    assert find_running(tmp_path) == Holder(holder.pid, 8099)
    end(holder)


def test_P31_a_killed_process_leaves_no_lock(tmp_path: Path, holder: "subprocess.Popen[bytes]") -> None:
    end(holder)
    assert find_running(tmp_path) is None
    Instance.take(tmp_path).release()


def test_P31_looking_who_runs_does_not_drop_the_own_lock(tmp_path: Path) -> None:
    instance = Instance.take(tmp_path)
    for _ in range(2):
        assert find_running(tmp_path) == Holder(os.getpid(), 0)
    instance.release()
    assert find_running(tmp_path) is None


def test_nobody_runs_on_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    assert find_running(tmp_path / "none") is None


def test_a_new_data_folder_is_private(tmp_path: Path) -> None:
    Instance.take(tmp_path / "deep" / "data").release()
    assert (tmp_path / "deep" / "data").stat().st_mode & 0o077 == 0
    assert (tmp_path / "deep" / "data" / "lock").stat().st_mode & 0o077 == 0


def test_data_lies_where_the_user_keeps_such_things(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_data_folder() == tmp_path / "parley"
