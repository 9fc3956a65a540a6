"""The command line: words in, one command, an exit code out (0 fine, 1 failed, 2 wrong usage, 78 cannot start so).

`arguments` is what can be typed, `given` what was, `actions` what each command does, `reach` how a command finds the
installation, and `output` how a result is shown.
"""

import os
import sys
from collections.abc import Sequence
from typing import Final

from app import i18n
from app.cli import actions, arguments, output
from app.errors import Invalid, Misconfigured, ParleyError

FAILED: Final = 1
USAGE: Final = 2
CONFIGURATION: Final = 78


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. A refusal is a sentence on stderr, with `--json` an object."""
    i18n.speak(i18n.of_environment(os.environ), "")
    given = arguments.read(sys.argv[1:] if words is None else list(words))
    try:
        return actions.run(given)
    except ParleyError as error:
        output.refusal(error, given.json)
        return exit_code(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return FAILED


def exit_code(error: ParleyError) -> int:
    if isinstance(error, Misconfigured):
        return CONFIGURATION
    wrong_words = isinstance(error, Invalid) or error.status == Invalid.status
    return USAGE if wrong_words and error.code not in ("document", "tests") else FAILED
