"""`python -m tests.fuzz TARGET SECONDS`: made-up input that follows which lines it reaches, from the samples on. What
raises something unforeseen is written to `.cache/fuzz/TARGET/`, and the run ends with an error."""

import shutil
import sys
from pathlib import Path

import atheris  # from tests/fuzz/requirements.txt, which only `make fuzz` installs

with atheris.instrument_imports(include=["app"]):
    from tests.fuzz import targets

FOLDER = Path(".cache/fuzz")


def main() -> None:
    name, seconds = sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2] if len(sys.argv) > 2 else "60"
    if name not in targets.TARGETS:
        sys.exit(f"Name one of: {', '.join(targets.TARGETS)}; and for how many seconds.")
    found = FOLDER / name
    (found / "corpus").mkdir(parents=True, exist_ok=True)
    for path in targets.seeds(name):
        shutil.copy(path, found / "corpus")
    options = [f"-max_total_time={seconds}", "-timeout=5", "-rss_limit_mb=2048", f"-artifact_prefix={found}/"]
    atheris.Setup([sys.argv[0], *options, str(found / "corpus")], targets.TARGETS[name])
    atheris.Fuzz()


main()
