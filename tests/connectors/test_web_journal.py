"""What outlives a kill: the journal of an account, and the record of its crashes. Contract §2.3, §5.2, P8, P38, P39."""

import os
import threading
from pathlib import Path

import msgspec
import pytest

from app.connectors.whatsapp_web import journal, safety
from app.connectors.whatsapp_web.child import LENGTH, Line
from app.connectors.whatsapp_web.journal import WINDOW, InUse, Journal
from app.connectors.whatsapp_web.safety import DAY, Off, Safety


def test_P8_what_was_not_kept_is_there_for_the_next_process_in_its_order(tmp_path: Path) -> None:
    first = Journal(tmp_path / "j")
    for number in range(3):
        first.append(17, b"%d" % number)
    with pytest.raises(InUse):
        Journal(tmp_path / "j")
    first.kept()
    first.close()
    second = Journal(tmp_path / "j")
    # The oldest comes once more: the file is emptied only when all is kept, and the database takes nothing twice.
    assert second.left() == [(17, b"0"), (17, b"1"), (17, b"2")]
    second.append(18, b"new")
    for _ in range(4):
        second.kept()
    assert (tmp_path / "j").stat().st_size == 0
    second.close()


@pytest.mark.parametrize("cut", [1, 5, 7])
def test_P39_an_entry_cut_off_by_a_kill_is_left_out_and_written_over(tmp_path: Path, cut: int) -> None:
    first = Journal(tmp_path / "j")
    first.append(17, b"whole")
    first.append(17, b"cut off")
    first.close()
    os.truncate(tmp_path / "j", (tmp_path / "j").stat().st_size - cut)
    second = Journal(tmp_path / "j")
    assert second.left() == [(17, b"whole")]
    second.append(17, b"next")
    second.close()
    assert Journal(tmp_path / "j").left() == [(17, b"whole"), (17, b"next")]


def test_P8_library_waits_for_no_database_until_very_much_waits(tmp_path: Path) -> None:
    full = Journal(tmp_path / "j")
    for _ in range(1000):
        full.append(17, b"x")
    full.append(17, bytes(WINDOW))
    waiting = threading.Thread(target=full.append, args=(17, b"one more"))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    for _ in range(1001):
        full.kept()
    waiting.join(5)
    assert not waiting.is_alive()
    late = threading.Thread(target=full.append, args=(17, b"at the end"))
    late.start()
    full.release()
    late.join(5)
    assert not late.is_alive()
    full.close()


def test_P8_library_waits_for_no_parent_that_does_not_listen() -> None:
    """Whoever tells the parent goes on at once, and the parent hears all of it in order when it listens again."""
    heard, told = os.pipe()
    line = Line(os.open(os.devnull, os.O_RDONLY), told)
    speaker = threading.Thread(target=lambda: [line.tell("told", number, bytes(1000)) for number in range(300)])
    speaker.start()
    speaker.join(5)
    assert not speaker.is_alive()
    with open(heard, "rb") as parent:
        for number in range(300):
            [length] = LENGTH.unpack(parent.read(LENGTH.size))
            assert msgspec.msgpack.decode(parent.read(length))[:2] == ["told", number]
    line.close()


def test_P26_full_disk_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "AGAIN", 0.01)
    account = Journal(tmp_path / "j")
    account.append(17, b"before")
    account._file, real = os.open("/dev/full", os.O_RDWR), account._file
    waiting = threading.Thread(target=account.append, args=(17, b"when there is room"))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    account._file = real
    waiting.join(5)
    account.close()
    assert Journal(tmp_path / "j").left() == [(17, b"before"), (17, b"when there is room")]


class Calendar:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def test_P38_three_crashes_in_a_day_are_enough(tmp_path: Path) -> None:
    time = Calendar()
    for _ in range(2):
        Safety(tmp_path / "s", time).crashed("SIGABRT")
        time.now += 60
    assert Safety(tmp_path / "s", time).begin(apart=True)
    Safety(tmp_path / "s", time).crashed("SIGSEGV")
    with pytest.raises(Off, match="SIGSEGV"):
        Safety(tmp_path / "s", time).begin(apart=True)
    Safety(tmp_path / "s", time).forgive()
    assert Safety(tmp_path / "s", time).begin(apart=True)
    for _ in range(4):
        Safety(tmp_path / "s", time).crashed("SIGABRT")
        time.now += DAY / 2
    assert Safety(tmp_path / "s", time).begin(apart=True)


def test_P38_mark_of_a_process_that_died_sets_apart_and_a_power_cut_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not Safety(tmp_path / "s").begin(apart=False)
    monkeypatch.setattr(safety, "boot", lambda: "the machine was switched on again")
    assert not Safety(tmp_path / "s").begin(apart=False)
    clean = Safety(tmp_path / "s")
    assert clean.begin(apart=False)  # died: the mark of this boot was still there
    assert clean.apart == "web.apart_crashed" and not clean._record.crashes  # for all that is known
    clean.ended()
    assert Safety(tmp_path / "s").begin(apart=False)  # and it stays apart


def test_clean_stop_leaves_no_mark(tmp_path: Path) -> None:
    account = Safety(tmp_path / "s")
    account.begin(apart=False)
    account.ended()
    assert not Safety(tmp_path / "s").begin(apart=False)


def test_record_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("{not JSON")
    assert not Safety(tmp_path / "s").begin(apart=False)
