"""How much a run asks with made-up input: a little in the suite, a lot with `--hypothesis-profile=hostile`."""

from typing import Final

from hypothesis import settings

HOSTILE: Final = settings.get_current_profile_name() == "hostile"


def examples(few: int, many: int) -> int:
    return many if HOSTILE else few
