"""Tests keep what they compile, whatever the machine tells Python: every server and every command that a test starts
would compile the whole product again, and every run all tests."""

import os
import sys

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
